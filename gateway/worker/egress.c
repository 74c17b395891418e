/*
 * egress.c
 *		Where a webhook may lead.
 */
#include "worker/egress.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Ports of other protocols, where a receiver of ours cannot be but a server that could
 * take our request for its own: the "bad ports" of the Fetch standard.
 */
static const int refused_ports[] = {
	0,    1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,
	37,   42,   43,   53,   69,   77,   79,   87,   95,   101,  102,  103,  104,  109,
	110,  111,  113,  115,  117,  119,  123,  135,  137,  139,  143,  161,  179,  389,
	427,  465,  512,  513,  514,  515,  526,  530,  531,  532,  540,  548,  554,  556,
	563,  587,  601,  636,  989,  990,  993,  995,  1719, 1720, 1723, 2049, 3659, 4045,
	4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- addresses ---- */

static const unsigned char *
address_bytes(const struct sockaddr *address, size_t *size)
{
	const struct sockaddr_in *v4 = (const void *) address;
	const struct sockaddr_in6 *v6 = (const void *) address;

	*size = address->sa_family == AF_INET ? 4 : address->sa_family == AF_INET6 ? 16 : 0;
	return *size == 4 ? (const unsigned char *) &v4->sin_addr : v6->sin6_addr.s6_addr;
}

const char *
egress_kind(const struct sockaddr *address)
{
	size_t size;
	const unsigned char *bytes = address_bytes(address, &size);

	return wak_address_kind(bytes, size);
}

bool
egress_allows(const EgressRules *rules, const struct sockaddr *address)
{
	size_t size;
	const unsigned char *bytes = address_bytes(address, &size);

	for (int i = 0; i < rules->count; i++)
		if (wak_range_has(&rules->allowed[i], bytes, size))
			return true;
	return wak_address_kind(bytes, size) == NULL;
}

bool
egress_allow(EgressRules *rules, const char *text)
{
	if (rules->count == EGRESS_ALLOWED_MAX ||
		!wak_range_read(text, strlen(text), &rules->allowed[rules->count]))
		return false;
	rules->count++;
	return true;
}

/* ---- URLs ---- */

/* Letters, digits, hyphen, underscore, in labels that are not empty. */
static bool
is_name(const char *host, size_t length)
{
	size_t label = 0;

	for (size_t i = 0; i < length; i++)
	{
		char c = host[i];

		if (c == '.')
		{
			if (label == 0)
				return false;
			label = 0;
		}
		else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		{
			if (++label > 63)
				return false;
		}
		else
			return false;
	}
	return label > 0;
}

/*
 * A host whose last label begins like a number is read as an IPv4 address by one parser or
 * another: 1, 0x7f.1, 127.1.
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
read_port(const char *text, size_t length, EgressTarget *target)
{
	target->port = target->tls ? 443 : 80;
	if (length > 0)
	{
		if (length < 2 || length > 6 || text[0] != ':' ||
			strspn(text + 1, "0123456789") < length - 1)
			return "the port is no number";
		target->port = (int) strtol(text + 1, NULL, 10);
	}
	for (size_t i = 0; i < COUNT(refused_ports); i++)
		if (target->port == refused_ports[i])
			return "the port belongs to another protocol";
	return target->port > 65535 ? "the port is no number" : NULL;
}

static void
set_address(EgressTarget *target, int family, const unsigned char *bytes)
{
	struct sockaddr_in *v4 = (void *) &target->address;
	struct sockaddr_in6 *v6 = (void *) &target->address;

	memset(&target->address, 0, sizeof(target->address));
	target->kind = EGRESS_ADDRESS;
	target->address.ss_family = (sa_family_t) family;
	if (family == AF_INET)
	{
		memcpy(&v4->sin_addr, bytes, 4);
		v4->sin_port = htons((uint16_t) target->port);
	}
	else
	{
		memcpy(&v6->sin6_addr, bytes, 16);
		v6->sin6_port = htons((uint16_t) target->port);
	}
}

static const char *
read_host(EgressTarget *target, bool bracketed)
{
	unsigned char bytes[16];

	target->kind = EGRESS_NAME;
	if (bracketed)
	{
		if (inet_pton(AF_INET6, target->host, bytes) != 1)
			return "the host is no IPv6 address";
		set_address(target, AF_INET6, bytes);
	}
	else if (!is_name(target->host, strlen(target->host)))
		return "the host is no name of letters, digits and hyphens";
	else if (looks_like_number(target->host))
	{
		if (inet_pton(AF_INET, target->host, bytes) != 1)
			return "the host is no dotted IPv4 address";
		set_address(target, AF_INET, bytes);
	}
	return NULL;
}

/*
 * The authority: "host", "host:port", "[address]:port".
 */
static const char *
read_authority(const char *text, size_t length, EgressTarget *target)
{
	bool bracketed = length > 0 && text[0] == '[';
	const char *end = bracketed ? memchr(text, ']', length) : memchr(text, ':', length);
	const char *start = bracketed ? text + 1 : text;
	const char *problem;
	size_t host;
	size_t skip;

	if (bracketed && end == NULL)
		return "the host is no IPv6 address";
	host = (size_t) ((end == NULL ? text + length : end) - start);
	if (host == 0 || host > EGRESS_HOST_MAX)
		return "the host is empty or too long";
	for (size_t i = 0; i < host; i++)
		target->host[i] = (char) (start[i] >= 'A' && start[i] <= 'Z' ? start[i] + 32 : start[i]);
	target->host[host] = '\0';
	if (strlen(target->host) != host)
		return "the host is no name of letters, digits and hyphens";
	skip = (size_t) (start - text) + host + (bracketed ? 1 : 0);
	problem = read_port(text + skip, length - skip, target);
	return problem != NULL ? problem : read_host(target, bracketed);
}

const char *
egress_parse(const char *url, EgressTarget *target)
{
	const char *rest;

	memset(target, 0, sizeof(*target));
	if (strlen(url) > EGRESS_URL_MAX)
		return "the URL is too long";
	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char) *c <= ' ' || (unsigned char) *c >= 127 || *c == '\\' || *c == '#')
			return "the URL has signs that do not belong into one";
	if (strncasecmp(url, "https://", 8) == 0)
	{
		target->tls = true;
		rest = url + 8;
	}
	else if (strncasecmp(url, "http://", 7) == 0)
		rest = url + 7;
	else
		return "the URL is neither http nor https";
	return read_authority(rest, strcspn(rest, "/?"), target);
}
