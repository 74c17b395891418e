/*
 * guard_target.c
 *		The target of a request line: a path, or what RFC 9112, 3.2 has besides.
 *
 *	origin form		/path?query
 *	absolute form	http://host/path?query		what a client sends to a proxy
 *	asterisk form	*							OPTIONS only: the server as a whole
 *
 * The absolute form names the host twice, in the target and in Host.  RFC 9112 says that
 * the target counts, other readers take Host; so both must be the same.
 */
#include "http/guard.h"

#include <string.h>

static const char *const schemes[] = {"http://", "https://"};

static bool
refuse(HttpGuard *guard, const char *reason)
{
	http_guard_refuse(guard, HTTP_ERROR_VALIDATION, reason);
	return false;
}

/* Looks at the first byte, and takes it when it is the asterisk. */
static bool
feed_first(HttpGuard *guard, const char **at)
{
	if (**at == '/')
		guard->state = HTTP_GUARD_PATH;
	else if (**at != '*')
	{
		guard->state = HTTP_GUARD_SCHEME;
		guard->word_len = 0;
	}
	else if (guard->method != HTTP_METHOD_OPTIONS)
		return refuse(guard, "the request target * is for OPTIONS only");
	else
	{
		guard->state = HTTP_GUARD_ASTERISK;
		(*at)++;
	}
	return true;
}

static bool
end_target(HttpGuard *guard)
{
	guard->state = HTTP_GUARD_VERSION;
	guard->word_len = 0;
	return true;
}

static bool
feed_scheme(HttpGuard *guard, char c)
{
	bool begins = false;

	guard->word[guard->word_len++] = (char) (c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
	{
		begins |= strncmp(schemes[i], guard->word, guard->word_len) == 0;
		if (begins && strlen(schemes[i]) == guard->word_len)
		{
			guard->prefix_len = guard->word_len;
			guard->state = HTTP_GUARD_AUTHORITY;
			return true;
		}
	}
	return begins || refuse(guard, "request target must be a path, or begin with http://");
}

/* The byte that ends it belongs to the path, or stands where one is left out. */
static bool
feed_authority(HttpGuard *guard, const char **at)
{
	char c = **at;

	if (c == '/' || c == '?' || c == ' ')
	{
		guard->prefix_len += guard->authority_len;
		guard->state = HTTP_GUARD_PATH;
		return http_guard_host_valid(guard->authority, guard->authority_len) ||
			   refuse(guard, "request target has no valid host");
	}
	if (guard->authority_len == HTTP_HOST_MAX)
		return refuse(guard, "request target has no valid host");
	guard->authority[guard->authority_len++] = c;
	(*at)++;
	return true;
}

static bool
feed_path(HttpGuard *guard, const char **at, const char *end)
{
	for (; *at < end; (*at)++)
		if (**at == '?' && guard->state == HTTP_GUARD_PATH)
			guard->state = HTTP_GUARD_QUERY;
		else if (**at == ' ')
		{
			(*at)++;
			return end_target(guard);
		}
		else if (!http_guard_is_target(**at, guard->state == HTTP_GUARD_QUERY))
			return refuse(guard, "request target has a character that must be percent-encoded");
	return true;
}

bool
http_guard_feed_target(HttpGuard *guard, const char **at, const char *end)
{
	switch (guard->state)
	{
		case HTTP_GUARD_TARGET_FIRST:
			return feed_first(guard, at);
		case HTTP_GUARD_ASTERISK:
			return *(*at)++ == ' ' ? end_target(guard) : refuse(guard, "invalid request line");
		case HTTP_GUARD_SCHEME:
			return feed_scheme(guard, *(*at)++);
		case HTTP_GUARD_AUTHORITY:
			return feed_authority(guard, at);
		default:
			return feed_path(guard, at, end);
	}
}
