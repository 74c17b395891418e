/*-------------------------------------------------------------------------
 *
 * webhook_url.c
 *		Reading the URL of a webhook: scheme, host and port.
 *
 *-------------------------------------------------------------------------
 */
#include "src/common/webhook_url.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define LABEL_MAX 63

#define NOT_A_NAME "the host is no name of letters, digits and hyphens"

/*
 * Ports of other protocols: the "bad ports" of the Fetch standard.  A webhook's receiver never
 * uses them, but a server of another protocol could mistake our request for one of its own.
 */
static const int refused_ports[] = {
	0,    1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,
	37,   42,   43,   53,   69,   77,   79,   87,   95,   101,  102,  103,  104,  109,
	110,  111,  113,  115,  117,  119,  123,  135,  137,  139,  143,  161,  179,  389,
	427,  465,  512,  513,  514,  515,  526,  530,  531,  532,  540,  548,  554,  556,
	563,  587,  601,  636,  989,  990,  993,  995,  1719, 1720, 1723, 2049, 3659, 4045,
	4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Checks for letters, digits, hyphens and underscores, in labels that are not empty. */
static const char *
name_problem(const char *host)
{
	size_t label = 0;

	for (; *host != '\0'; host++)
	{
		char c = *host;

		if (c == '.')
		{
			if (label == 0)
				return NOT_A_NAME;
			label = 0;
		}
		else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		{
			if (++label > LABEL_MAX)
				return "a part of the host has more than 63 characters";
		}
		else
			return NOT_A_NAME;
	}
	return label > 0 ? NULL : NOT_A_NAME;
}

/*
 * Some parsers read a host as an IPv4 address if its last label begins like a number: 1,
 * 0x7f.1, 127.1.
 */
static bool
looks_like_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot == NULL ? host : dot + 1;

	return strspn(last, "0123456789") == strlen(last) ||
		   (last[0] == '0' && last[1] == 'x' &&
			strspn(last + 2, "0123456789abcdef") == strlen(last + 2));
}

static const char *
read_port(const char *text, size_t len, WakUrl *url)
{
	url->port = url->tls ? 443 : 80;
	if (len > 0)
	{
		if (len < 2 || len > 6 || text[0] != ':')
			return "the port is no number";
		url->port = 0;
		for (size_t i = 1; i < len; i++)
		{
			if (text[i] < '0' || text[i] > '9')
				return "the port is no number";
			url->port = url->port * 10 + (text[i] - '0');
		}
	}
	for (size_t i = 0; i < COUNT(refused_ports); i++)
		if (url->port == refused_ports[i])
			return "the port belongs to another protocol";
	return url->port > 65535 ? "the port is above 65535" : NULL;
}

static const char *
read_host(WakUrl *url, bool bracketed)
{
	const char *problem = NULL;

	if (bracketed)
	{
		url->address_size = 16;
		if (inet_pton(AF_INET6, url->host, url->address) != 1)
			problem = "the host is no IPv6 address";
	}
	else if ((problem = name_problem(url->host)) == NULL && looks_like_number(url->host))
	{
		url->address_size = 4;
		if (inet_pton(AF_INET, url->host, url->address) != 1)
			problem = "the host is no dotted IPv4 address";
	}
	return problem;
}

/* Reads the authority: "host", "host:port" or "[address]:port". */
static const char *
read_authority(const char *text, size_t len, WakUrl *url)
{
	bool bracketed = len > 0 && text[0] == '[';
	const char *end = bracketed ? memchr(text, ']', len) : memchr(text, ':', len);
	const char *start = bracketed ? text + 1 : text;
	const char *problem;
	size_t host;
	size_t skip;

	if (memchr(text, '@', len) != NULL)
		return "a user does not belong into it";
	if (bracketed && end == NULL)
		return "the host is no IPv6 address";
	host = (size_t) ((end == NULL ? text + len : end) - start);
	if (host == 0)
		return "the host is empty";
	if (host > WAK_HOST_MAX)
		return "the host has more than 253 characters";
	for (size_t i = 0; i < host; i++)
		url->host[i] = (char) (start[i] >= 'A' && start[i] <= 'Z' ? start[i] + 32 : start[i]);
	url->host[host] = '\0';
	skip = (size_t) (start - text) + host + (bracketed ? 1 : 0);
	problem = read_port(text + skip, len - skip, url);
	return problem != NULL ? problem : read_host(url, bracketed);
}

/* The text behind the scheme; NULL if the scheme is neither http nor https. */
static const char *
behind_scheme(const char *text, size_t len, bool *tls)
{
	*tls = len >= 8 && strncasecmp(text, "https://", 8) == 0;
	if (*tls)
		return text + 8;
	return len >= 7 && strncasecmp(text, "http://", 7) == 0 ? text + 7 : NULL;
}

/* How many bytes come before the first of the characters in "ends". */
static size_t
span_until(const char *text, size_t len, const char *ends)
{
	size_t span = 0;

	while (span < len && (text[span] == '\0' || strchr(ends, text[span]) == NULL))
		span++;
	return span;
}

const char *
wak_url_host(const char *text, size_t len, size_t *host_len)
{
	bool tls;
	const char *host = behind_scheme(text, len, &tls);

	if (host == NULL)
		return NULL;
	*host_len = span_until(host, (size_t) (text + len - host), ":/?#@\\[");
	return host;
}

const char *
wak_url_read(const char *text, size_t len, WakUrl *url)
{
	const char *rest;

	memset(url, 0, sizeof(*url));
	if (len > WAK_URL_MAX)
		return "it has more than 2048 characters";
	for (size_t i = 0; i < len; i++)
	{
		if ((unsigned char) text[i] >= 127)
			return "characters outside of ASCII have to be percent encoded";
		if (text[i] <= ' ' || text[i] == '\\')
			return "blanks, control characters and backslashes have to be percent encoded";
		if (text[i] == '#')
			return "a fragment does not belong into it";
	}
	rest = behind_scheme(text, len, &url->tls);
	if (rest == NULL)
		return "it is neither http nor https";
	return read_authority(rest, span_until(rest, (size_t) (text + len - rest), "/?"), url);
}
