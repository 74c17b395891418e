/*
 * fuzz_file_text.c
 *		Base64 and data: URLs stay within their room, and base64 that is accepted has
 *		one meaning: written by another coder, its bytes are its digits again.
 */
#include <openssl/evp.h>
#include <string.h>

#include "src/common/file_text.h"
#include "tests/fuzz/fuzz.h"

/* The digits in the usual alphabet, without white space and padding; returns how many. */
static size_t
plain_digits(const uint8_t *data, size_t len, unsigned char *digits)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		if (memchr(" \t\r\n=", data[i], 5) == NULL)
			digits[count++] = data[i] == '-' ? '+' : data[i] == '_' ? '/' : data[i];
	return count;
}

static void
check_base64(const uint8_t *data, size_t len, const uint8_t *bytes, size_t count)
{
	unsigned char *digits = malloc(len + 1);
	unsigned char *encoded = malloc(4 * (count / 3 + 1) + 1);
	size_t wanted = plain_digits(data, len, digits);
	size_t encoded_len = (size_t) EVP_EncodeBlock(encoded, bytes, (int) count);

	while (encoded_len > 0 && encoded[encoded_len - 1] == '=')
		encoded_len--;
	FUZZ_ASSERT(encoded_len == wanted && memcmp(encoded, digits, wanted) == 0);
	free(digits);
	free(encoded);
}

static void
check_type(const char *text, size_t len)
{
	char written[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];
	char again[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];

	if (!wak_media_type_read(text, len, written) || strlen(written) > WAK_MEDIA_TYPE_MAX)
		return;
	FUZZ_ASSERT(wak_media_type_read(written, strlen(written), again));
	FUZZ_ASSERT(strcmp(written, again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *) data;
	uint8_t *bytes = malloc(len > 0 ? len : 1);
	WakFileText file;

	if (!wak_file_text_read(text, len, bytes, &file))
	{
		FUZZ_ASSERT(file.problem != NULL && file.at <= len);
	}
	else
	{
		FUZZ_ASSERT(file.problem == NULL && file.len > 0 && file.len <= len);
		if (!wak_is_data_url(text, len))
			check_base64(data, len, bytes, file.len);
	}
	check_type(text, len);
	free(bytes);
	return 0;
}
