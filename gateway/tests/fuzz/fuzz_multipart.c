/*
 * fuzz_multipart.c
 *		Whatever a client sends as a form is read the same in one piece and in small ones, and
 *		what is handed on is no more than what was sent.
 */
#include <openssl/evp.h>
#include <string.h>

#include "http/multipart.h"
#include "tests/fuzz/fuzz.h"

/* What was read: a digest of all that was handed on, and how it ended. */
typedef struct Reading
{
	EVP_MD_CTX *hash;
	size_t bytes;
	MultipartResult result;
	bool complete;
	unsigned char digest[EVP_MAX_MD_SIZE];
} Reading;

static bool
add(Reading *reading, const char *bytes, size_t len)
{
	FUZZ_ASSERT(EVP_DigestUpdate(reading->hash, bytes, len) == 1);
	reading->bytes += len;
	return true;
}

static bool
on_head(void *context, const HttpField *fields, size_t count)
{
	FUZZ_ASSERT(count <= MULTIPART_FIELDS_MAX);
	for (size_t i = 0; i < count; i++)
	{
		FUZZ_ASSERT(fields[i].name.len > 0 && fields[i].value.data[fields[i].value.len] == '\0');
		add(context, fields[i].name.data, fields[i].name.len);
		add(context, fields[i].value.data, fields[i].value.len);
	}
	return true;
}

static bool
on_bytes(void *context, const char *bytes, size_t len)
{
	FUZZ_ASSERT(len > 0);
	return add(context, bytes, len);
}

static bool
on_end(void *context)
{
	const Reading *reading = context;

	return EVP_DigestUpdate(reading->hash, "", 1) == 1;
}

static Reading
read_in_pieces(const uint8_t *data, size_t len, size_t size)
{
	static const MultipartEvents events = {.head = on_head, .bytes = on_bytes, .end = on_end};
	Reading reading = {.hash = EVP_MD_CTX_new(), .result = MULTIPART_MORE};
	Multipart *reader = malloc(sizeof(*reader));

	FUZZ_ASSERT(EVP_DigestInit_ex(reading.hash, EVP_sha256(), NULL) == 1);
	FUZZ_ASSERT(multipart_begin(reader, "multipart/form-data; boundary=b0", &events, &reading));
	for (size_t at = 0; at < len && reading.result == MULTIPART_MORE; at += size)
	{
		size_t piece_len = len - at < size ? len - at : size;
		char *piece = malloc(piece_len);

		memcpy(piece, data + at, piece_len);
		reading.result = multipart_read(reader, piece, piece_len);
		free(piece);
	}
	reading.complete = multipart_is_complete(reader);
	FUZZ_ASSERT(EVP_DigestFinal_ex(reading.hash, reading.digest, NULL) == 1);
	EVP_MD_CTX_free(reading.hash);
	free(reader);
	return reading;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Reading whole = read_in_pieces(data, len, len > 0 ? len : 1);

	FUZZ_ASSERT(whole.bytes <= len && whole.result != MULTIPART_STOPPED);
	for (size_t size = 1; size <= 7; size += 3)
	{
		Reading cut = read_in_pieces(data, len, size);

		FUZZ_ASSERT(cut.result == whole.result && cut.complete == whole.complete);
		FUZZ_ASSERT(cut.bytes == whole.bytes && memcmp(cut.digest, whole.digest, 32) == 0);
	}
	return 0;
}
