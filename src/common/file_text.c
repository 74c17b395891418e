/*-------------------------------------------------------------------------
 *
 * file_text.c
 *		Reading base64 and data: URLs.
 *
 * Neither PostgreSQL's decode() nor OpenSSL's decoder is enough.  The former
 * knows no alphabet for URLs and demands padding.  The latter skips characters
 * that it does not know.  Neither says where a text is wrong.
 *
 *-------------------------------------------------------------------------
 */
#include "src/common/file_text.h"

#include <string.h>
#include <strings.h>

#include "src/common/hex.h"

static const char data_scheme[] = "data:";
static const char base64_mark[] = ";base64";

/*
 * A text that is being read.  "escaped": a % begins a byte that is written in two hexadecimal
 * digits.
 */
typedef struct Input
{
	const char *text;
	size_t len;
	size_t next;
	bool escaped;
} Input;

static bool
refuse(WakFileText *file, const char *problem, size_t at)
{
	file->problem = problem;
	file->at = at;
	return false;
}

static bool
is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Reads the next byte, which must exist.  Returns false at a % that two digits do not follow. */
static bool
next_byte(Input *input, uint8_t *byte)
{
	const char *at = input->text + input->next;
	int high;
	int low;

	if (!input->escaped || *at != '%')
	{
		*byte = (uint8_t) *at;
		input->next++;
		return true;
	}
	if (input->len - input->next < 3)
		return false;
	high = wak_hex_value(at[1]);
	low = wak_hex_value(at[2]);
	*byte = (uint8_t) (high * 16 + low);
	input->next += 3;
	return high >= 0 && low >= 0;
}

/* ---- Base64 ---- */

typedef enum Alphabet
{
	ALPHABET_ANY, /* none of the four characters that differ has been seen yet */
	ALPHABET_USUAL,
	ALPHABET_URL
} Alphabet;

typedef struct Base64
{
	uint8_t *out;
	uint32_t bits; /* bits that were read and not written yet; only the lowest "held" count */
	unsigned held; /* 0, 2, 4 or 6 */
	size_t digits;
	size_t padding;
	Alphabet alphabet;
} Base64;

/* The value of a digit, or -1. */
static int
digit_value(uint8_t c, Alphabet *alphabet)
{
	*alphabet = ALPHABET_ANY;
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '/')
	{
		*alphabet = ALPHABET_USUAL;
		return c == '+' ? 62 : 63;
	}
	if (c == '-' || c == '_')
	{
		*alphabet = ALPHABET_URL;
		return c == '-' ? 62 : 63;
	}
	return -1;
}

static const char *
add_digit(Base64 *base64, uint8_t c)
{
	Alphabet alphabet;
	int value = digit_value(c, &alphabet);

	if (value < 0)
		return "has a character that is not of base64";
	if (base64->padding > 0)
		return "goes on behind the padding of its base64";
	if (alphabet != ALPHABET_ANY && base64->alphabet != ALPHABET_ANY &&
		alphabet != base64->alphabet)
		return "mixes the usual alphabet of base64 with that for URLs";
	if (alphabet != ALPHABET_ANY)
		base64->alphabet = alphabet;
	base64->digits++;
	base64->bits = base64->bits << 6 | (uint32_t) value;
	base64->held += 6;
	if (base64->held >= 8)
	{
		base64->held -= 8;
		*base64->out++ = (uint8_t) (base64->bits >> base64->held);
	}
	base64->bits &= (1U << base64->held) - 1;
	return NULL;
}

/*
 * Checks the end of the text: four digits are three bytes, and padding stands for missing
 * digits.
 */
static const char *
end_problem(const Base64 *base64)
{
	size_t missing = (4 - base64->digits % 4) % 4;

	if (missing == 3)
		return "has base64 that ends within a byte";
	if (base64->padding > 0 && base64->padding != missing)
		return "has base64 with wrong padding";
	if (base64->bits != 0)
		return "has base64 with bits behind its last byte";
	return NULL;
}

static bool
read_base64(Input *input, uint8_t *bytes, WakFileText *file)
{
	Base64 base64 = {.out = bytes};
	const char *problem;

	while (input->next < input->len)
	{
		size_t at = input->next + 1;
		uint8_t c;

		if (!next_byte(input, &c))
			return refuse(file, "has a percent sign without two hexadecimal digits", at);
		if (is_space(c))
			continue;
		if (c == '=')
			base64.padding++;
		else if ((problem = add_digit(&base64, c)) != NULL)
			return refuse(file, problem, at);
	}
	if ((problem = end_problem(&base64)) != NULL)
		return refuse(file, problem, 0);
	file->len = (size_t) (base64.out - bytes);
	return true;
}

/* ---- data: URLs ---- */

/* Characters that stand for themselves, besides escapes.  RFC 3986 allows slightly fewer. */
static bool
stands_for_itself(char c)
{
	return c > ' ' && c <= '~' && c != '#';
}

static bool
read_percent(Input *input, uint8_t *bytes, WakFileText *file)
{
	uint8_t *out = bytes;

	while (input->next < input->len)
	{
		size_t at = input->next + 1;

		if (!stands_for_itself(input->text[input->next]))
			return refuse(file, "has a character that an URL has to percent-encode", at);
		if (!next_byte(input, out++))
			return refuse(file, "has a percent sign without two hexadecimal digits", at);
	}
	file->len = (size_t) (out - bytes);
	return true;
}

/*
 * Reads the media type in front of the comma.  It may consist of parameters alone, which are
 * then those of text/plain.
 */
static bool
read_type(const char *text, size_t len, WakFileText *file)
{
	static const char plain[] = "text/plain";
	char decoded[sizeof(plain) - 1 + WAK_MEDIA_TYPE_MAX];
	Input input = {.text = text, .len = len, .escaped = true};
	size_t used = 0;

	if (len == 0)
		return true;
	if (text[0] == ';')
	{
		memcpy(decoded, plain, sizeof(plain) - 1);
		used = sizeof(plain) - 1;
	}
	file->has_type = true;
	while (input.next < input.len)
		if (used == sizeof(decoded) || !next_byte(&input, (uint8_t *) &decoded[used++]))
			return refuse(file, "is a data: URL without a valid media type", 0);
	if (!wak_media_type_read(decoded, used, file->type))
		return refuse(file, "is a data: URL without a valid media type", 0);
	return true;
}

static bool
read_data_url(const char *text, size_t len, uint8_t *bytes, WakFileText *file)
{
	const char *head = text + sizeof(data_scheme) - 1;
	const char *comma = memchr(head, ',', (size_t) (text + len - head));
	size_t mark = sizeof(base64_mark) - 1;
	Input input = {.text = text, .len = len, .escaped = true};
	size_t head_len;
	bool base64;

	if (comma == NULL)
		return refuse(file, "is a data: URL without a comma in front of its data", 0);
	head_len = (size_t) (comma - head);
	base64 = head_len >= mark && strncasecmp(comma - mark, base64_mark, mark) == 0;
	if (!read_type(head, base64 ? head_len - mark : head_len, file))
		return false;
	input.next = (size_t) (comma + 1 - text);
	return base64 ? read_base64(&input, bytes, file) : read_percent(&input, bytes, file);
}

/* ---- Files ---- */

bool
wak_is_data_url(const char *text, size_t len)
{
	size_t scheme = sizeof(data_scheme) - 1;

	return len >= scheme && strncasecmp(text, data_scheme, scheme) == 0;
}

bool
wak_file_text_read(const char *text, size_t len, uint8_t *bytes, WakFileText *file)
{
	Input input = {.text = text, .len = len};
	bool read;

	*file = (WakFileText){.problem = NULL};
	if (len > WAK_FILE_TEXT_MAX)
		return refuse(file, "is written in more than 4 MiB", 0);
	read = wak_is_data_url(text, len) ? read_data_url(text, len, bytes, file)
									  : read_base64(&input, bytes, file);
	if (read && file->len == 0)
		return refuse(file, "has no data", 0);
	if (read && file->len > WAK_FILE_MAX)
		return refuse(file, "is a file of more than 1 MiB", 0);
	return read;
}
