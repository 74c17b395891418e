/*
 * rate.c
 *		The rate of an API key, which the database counts: what callers are told of it.
 */
#include "api/rate.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

const char rate_message[] = "this key has made as many requests as it may";
const HttpDetail rate_detail = {.name = "limit", .text = "requestsPerMinute"};

/* The numbers in the detail of such an error, in their order (src/key_rate.c). */
enum
{
	DETAIL_WAIT,
	DETAIL_PER_MINUTE,
	DETAIL_FULL_IN,
	DETAIL_NUMBERS
};

bool
rate_is_over(const DbResult *result)
{
	return result->outcome == DB_REFUSED && strcmp(result->sqlstate, "53400") == 0 &&
		   strcmp(result->constraint, "key_rate") == 0;
}

bool
rate_wait(const DbResult *result, char wait[RATE_WAIT_MAX])
{
	size_t digits = strspn(result->detail, "0123456789");

	if (digits == 0 || digits >= RATE_WAIT_MAX)
		return false;
	memcpy(wait, result->detail, digits);
	wait[digits] = '\0';
	return true;
}

/* Reads the numbers in a text.  False: there are fewer, or one is too large. */
static bool
read_numbers(const char *text, int numbers[DETAIL_NUMBERS])
{
	for (int i = 0; i < DETAIL_NUMBERS; i++)
	{
		text += strcspn(text, "0123456789");
		if (*text == '\0')
			return false;
		for (numbers[i] = 0; isdigit((unsigned char) *text); text++)
		{
			if (numbers[i] > (INT_MAX - 9) / 10)
				return false;
			numbers[i] = numbers[i] * 10 + (*text - '0');
		}
	}
	return true;
}

void
rate_note(HttpRequest *request, const DbResult *result)
{
	int numbers[DETAIL_NUMBERS];

	if (result->has_principal)
		http_request_set_rate(request, result->rate.per_minute, result->rate.left,
							  result->rate.full_in);
	else if (rate_is_over(result) && read_numbers(result->detail, numbers))
		http_request_set_rate(request, numbers[DETAIL_PER_MINUTE], 0, numbers[DETAIL_FULL_IN]);
}
