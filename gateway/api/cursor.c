/*
 * cursor.c
 *		Keyset cursors: base64url of a check and the last row's sort columns.
 *
 *	version 1 byte | check 8 bytes | part | part …
 *	part:  uuid 16 bytes | time 8 bytes (microseconds, as PostgreSQL has it) | text, last
 *
 * The check is the beginning of SHA-256 over the version, the list's path with its ids, and
 * the parts.  It detects cursors of another list and cursors that were changed.  It is not
 * secret and need not be: a caller who computes one gets a place in a list of which the
 * database shows only what the credential may see anyway.  Therefore gateways share no key,
 * and a cursor stays valid after a restart and at every gateway.
 */
#include "api/cursor.h"

#include <string.h>

#include <openssl/evp.h>

#include "db/result.h"
#include "lib/utf8.h"

#define CURSOR_VERSION 1
#define CHECK_SIZE 8
#define HEAD_SIZE (1 + CHECK_SIZE)
#define CURSOR_BYTES_MAX (CURSOR_TEXT_MAX / 4 * 3)

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* ---- base64url without padding ---- */

static bool
encode(Buffer *out, const uint8_t *bytes, size_t len)
{
	bool ok = true;

	for (size_t i = 0; ok && i < len; i += 3)
	{
		size_t count = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t) bytes[i] << 16;

		bits |= count > 1 ? (uint32_t) bytes[i + 1] << 8 : 0;
		bits |= count > 2 ? bytes[i + 2] : 0;
		for (size_t j = 0; ok && j <= count; j++)
			ok = buffer_append_char(out, digits[bits >> (18 - 6 * j) & 63]);
	}
	return ok;
}

/*
 * Decodes strictly: the unused bits of the last character must be zero, so that one value
 * has exactly one text.  Returns the number of bytes; 0 when the text is not base64url.
 */
static size_t
decode(const HttpText *text, uint8_t bytes[CURSOR_BYTES_MAX])
{
	uint32_t bits = 0;
	int count = 0;
	size_t len = 0;

	if (text->len > CURSOR_TEXT_MAX || text->len % 4 == 1)
		return 0;
	for (size_t i = 0; i < text->len; i++)
	{
		const char *digit = text->data[i] == '\0' ? NULL : strchr(digits, text->data[i]);

		if (digit == NULL)
			return 0;
		bits = bits << 6 | (uint32_t) (digit - digits);
		count += 6;
		if (count >= 8)
		{
			count -= 8;
			bytes[len++] = (uint8_t) (bits >> count);
			bits &= (1U << count) - 1;
		}
	}
	return bits == 0 ? len : 0;
}

/* ---- the check ---- */

static bool
compute_check(const HttpRequest *request, const uint8_t *parts, size_t len,
			  uint8_t check[CHECK_SIZE])
{
	static const uint8_t version = CURSOR_VERSION;
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
			  EVP_DigestUpdate(context, &version, 1) == 1;

	/* A segment contains no NUL, so a NUL after each segment separates them. */
	for (size_t i = 0; ok && i < request->n_segments; i++)
	{
		ok = EVP_DigestUpdate(context, request->segments[i].data, request->segments[i].len) == 1 &&
			 EVP_DigestUpdate(context, "", 1) == 1;
	}
	ok = ok && EVP_DigestUpdate(context, parts, len) == 1 &&
		 EVP_DigestFinal_ex(context, digest, NULL) == 1;
	EVP_MD_CTX_free(context);
	if (ok)
		memcpy(check, digest, CHECK_SIZE);
	return ok;
}

/* ---- parts ---- */

static bool
write_part(Buffer *bytes, const CursorPart *part, const DbResult *result, int row)
{
	uint8_t uuid[DB_UUID_SIZE];
	uint8_t time[8];
	int64_t us;
	const char *text;
	size_t len;
	int column = part->type == CURSOR_NONE ? -1 : db_column(result, part->column, 0);

	switch (part->type)
	{
		case CURSOR_UUID:
			return db_uuid(result, row, column, uuid) && buffer_append(bytes, uuid, sizeof(uuid));
		case CURSOR_TIME:
			if (!db_time_us(result, row, column, &us))
				return false;
			for (int i = 0; i < 8; i++)
				time[i] = (uint8_t) ((uint64_t) us >> (56 - 8 * i));
			return buffer_append(bytes, time, sizeof(time));
		case CURSOR_TEXT:
			return db_text(result, row, column, &text, &len) && buffer_append(bytes, text, len);
		case CURSOR_NONE:
			break;
	}
	return true;
}

/* Adds the part that begins at *at as a parameter, and moves *at behind it. */
static bool
read_part(const CursorPart *part, const uint8_t **at, const uint8_t *end, DbRequest *db)
{
	size_t left = (size_t) (end - *at);
	const uint8_t *begin = *at;
	uint64_t us = 0;

	switch (part->type)
	{
		case CURSOR_UUID:
			*at += left < DB_UUID_SIZE ? left : DB_UUID_SIZE;
			return left >= DB_UUID_SIZE && db_param_uuid(db, begin);
		case CURSOR_TIME:
			if (left < 8)
				return false;
			for (int i = 0; i < 8; i++)
				us = us << 8 | begin[i];
			*at += 8;
			return db_param_time_us(db, (int64_t) us);
		case CURSOR_TEXT:
			*at = end;
			return memchr(begin, '\0', left) == NULL && utf8_valid((const char *) begin, left) &&
				   db_param_text(db, (const char *) begin, left);
		case CURSOR_NONE:
			break;
	}
	return true;
}

bool
cursor_write(Buffer *out, const Endpoint *endpoint, const HttpRequest *request,
			 const DbResult *result, int row)
{
	uint8_t head[HEAD_SIZE] = {CURSOR_VERSION};
	Buffer bytes;
	bool ok;

	buffer_init(&bytes, CURSOR_BYTES_MAX);
	ok = buffer_append(&bytes, head, HEAD_SIZE);
	for (int i = 0; ok && i < ENDPOINT_CURSOR_MAX; i++)
		ok = write_part(&bytes, &endpoint->cursor[i], result, row);
	ok = ok && compute_check(request, (uint8_t *) bytes.data + HEAD_SIZE, bytes.len - HEAD_SIZE,
							 (uint8_t *) bytes.data + 1);
	ok = ok && encode(out, (uint8_t *) bytes.data, bytes.len);
	buffer_free(&bytes);
	return ok;
}

bool
cursor_possible(const Endpoint *endpoint, const DbResult *result, int row)
{
	bool ok = true;

	for (int i = 0; ok && i < ENDPOINT_CURSOR_MAX && endpoint->cursor[i].type != CURSOR_NONE; i++)
		ok = !db_is_null(result, row, db_column(result, endpoint->cursor[i].column, 0));
	return ok;
}

bool
cursor_read(const HttpText *text, const Endpoint *endpoint, const HttpRequest *request,
			DbRequest *db)
{
	uint8_t bytes[CURSOR_BYTES_MAX];
	uint8_t check[CHECK_SIZE];
	const uint8_t *at = bytes + HEAD_SIZE;
	size_t len = 0;
	bool ok = true;

	if (text != NULL)
	{
		len = decode(text, bytes);
		ok = len > HEAD_SIZE && bytes[0] == CURSOR_VERSION &&
			 compute_check(request, at, len - HEAD_SIZE, check) &&
			 memcmp(check, bytes + 1, CHECK_SIZE) == 0;
	}
	for (int i = 0; ok && i < ENDPOINT_CURSOR_MAX; i++)
		if (text != NULL)
			ok = read_part(&endpoint->cursor[i], &at, bytes + len, db);
		else if (endpoint->cursor[i].type != CURSOR_NONE)
			ok = db_param_null(db);
	return ok && (text == NULL || at == bytes + len);
}
