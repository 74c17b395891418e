/*
 * range.c
 *		The part of a representation that a client asks for; see range.h.
 */
#include "http/range.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Reads digits; *at moves behind them.  A number that is too large becomes the largest. */
static bool
read_number(const char **at, uint64_t *number)
{
	if (!isdigit((unsigned char) **at))
		return false;
	for (*number = 0; isdigit((unsigned char) **at); (*at)++)
	{
		unsigned digit = (unsigned) (**at - '0');

		*number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
	}
	return true;
}

/* Reads "first-", "first-last" or "-count" up to the end of the text. */
static bool
read_range(const char *at, bool *suffix, uint64_t *first, uint64_t *last)
{
	*suffix = *at == '-';
	*last = UINT64_MAX;
	if (!*suffix && !read_number(&at, first))
		return false;
	if (*at++ != '-')
		return false;
	if (*at != '\0' && !read_number(&at, last))
		return false;
	return *at == '\0' && (*suffix ? at[-1] != '-' : *first <= *last);
}

/* Whether the request asks for a part at all; *range is what follows "bytes=". */
static bool
asks_for_part(const HttpRequest *request, const char *etag, const char **range)
{
	static const char unit[] = "bytes=";
	size_t count;
	size_t conditions;
	const HttpText *value = http_request_header(request, "range", &count);
	const HttpText *condition = http_request_header(request, "if-range", &conditions);

	if (request->method != HTTP_METHOD_GET || count != 1 ||
		strncasecmp(value->data, unit, sizeof(unit) - 1) != 0)
		return false;
	*range = value->data + sizeof(unit) - 1;
	return conditions == 0 || (conditions == 1 && strcmp(condition->data, etag) == 0);
}

HttpRangeResult
http_range(const HttpRequest *request, const char *etag, uint64_t size, uint64_t *first,
		   uint64_t *length)
{
	const char *range;
	bool suffix;
	uint64_t from = 0;
	uint64_t last;

	*first = 0;
	*length = size;
	if (!asks_for_part(request, etag, &range) || !read_range(range, &suffix, &from, &last))
		return HTTP_RANGE_WHOLE;
	if (suffix)
		from = last < size ? size - last : 0;
	if (from >= size || (suffix && last == 0))
		return HTTP_RANGE_NONE;
	if (suffix || last >= size)
		last = size - 1;
	*first = from;
	*length = last - from + 1;
	return HTTP_RANGE_PART;
}

void
http_content_range(char text[HTTP_CONTENT_RANGE_MAX], uint64_t first, uint64_t length,
				   uint64_t size)
{
	if (length == 0)
		snprintf(text, HTTP_CONTENT_RANGE_MAX, "bytes */%" PRIu64, size);
	else
		snprintf(text, HTTP_CONTENT_RANGE_MAX, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
				 first + length - 1, size);
}
