/*
 * proxies.c
 *		Trusted proxies; see proxies.h.
 */
#include "http/proxies.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/request.h"

/* A single address is a range that contains only itself. */
typedef WakRange Address;

/*
 * Reads one address without a port.  An IPv4 address in its IPv6 form (::ffff:192.0.2.1) is
 * read as the IPv4 address.  False: it is not an address, and *address is unchanged.
 */
static bool
read_address(const char *text, size_t len, Address *address)
{
	static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
	Address read;

	if (len == 0 || memchr(text, '/', len) != NULL || !wak_range_read(text, len, &read))
		return false;
	if (read.size == 16 && memcmp(read.bytes, mapped, sizeof(mapped)) == 0)
	{
		memmove(read.bytes, read.bytes + sizeof(mapped), 4);
		read.size = 4;
	}
	*address = read;
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static HttpText
trim(const char *data, size_t len)
{
	while (len > 0 && is_blank(data[0]))
	{
		data++;
		len--;
	}
	while (len > 0 && is_blank(data[len - 1]))
		len--;
	return (HttpText){data, len};
}

static bool
add_range(HttpProxies *proxies, HttpText text, char *error, size_t error_size)
{
	if (proxies->count == HTTP_PROXIES_MAX)
	{
		snprintf(error, error_size, "there are more than %d trusted proxies", HTTP_PROXIES_MAX);
		return false;
	}
	if (!wak_range_read(text.data, text.len, &proxies->ranges[proxies->count]))
	{
		snprintf(error, error_size,
				 "\"%.*s\" is not an address or a range of addresses such as 10.0.0.0/8",
				 (int) (text.len < 100 ? text.len : 100), text.data);
		return false;
	}
	proxies->count++;
	return true;
}

bool
http_proxies_read(HttpProxies *proxies, const char *const *texts, size_t count, char *error,
				  size_t error_size)
{
	proxies->count = 0;
	for (size_t i = 0; i < count; i++)
	{
		const char *at = texts[i];

		while (at != NULL)
		{
			size_t len = strcspn(at, ",");

			if (!add_range(proxies, trim(at, len), error, error_size))
				return false;
			at = at[len] == ',' ? at + len + 1 : NULL;
		}
	}
	return true;
}

static bool
is_trusted(const HttpProxies *proxies, const Address *address)
{
	for (size_t i = 0; i < proxies->count; i++)
		if (wak_range_has(&proxies->ranges[i], address->bytes, address->size))
			return true;
	return false;
}

bool
http_proxies_trust(const HttpProxies *proxies, const char *address)
{
	Address read;

	return proxies->count > 0 && read_address(address, strlen(address), &read) &&
		   is_trusted(proxies, &read);
}

/* Reads one element of X-Forwarded-For.  Some proxies write a port after the address. */
static bool
read_element(HttpText text, Address *address)
{
	const char *end = memchr(text.data, ']', text.len);
	const char *colon = memchr(text.data, ':', text.len);

	if (text.len > 0 && text.data[0] == '[' && end != NULL)
		return read_address(text.data + 1, (size_t) (end - text.data - 1), address);
	if (colon != NULL && memchr(text.data, '.', text.len) != NULL &&
		read_address(text.data, (size_t) (colon - text.data), address))
		return true;
	return read_address(text.data, text.len, address);
}

/*
 * Reads one header from its end.  False: the search ends, because the client was found or an
 * element is not an address.  *client is the last address that was read, which a trusted
 * proxy wrote.
 */
static bool
walk_back(const HttpProxies *proxies, const HttpText *header, Address *client)
{
	size_t end = header->len;

	for (;;)
	{
		size_t start = end;

		while (start > 0 && header->data[start - 1] != ',')
			start--;
		if (!read_element(trim(header->data + start, end - start), client) ||
			!is_trusted(proxies, client))
			return false;
		if (start == 0)
			return true;
		end = start - 1;
	}
}

/* Whether the request's connection comes from a trusted proxy. */
static bool
came_by_proxy(const HttpRequest *request)
{
	const HttpProxies *proxies = request->state->proxies;

	return proxies != NULL && http_proxies_trust(proxies, request->peer.data);
}

HttpText
http_request_client(const HttpRequest *request, char room[HTTP_CLIENT_MAX])
{
	Address address;

	if (!came_by_proxy(request) || !read_address(request->peer.data, request->peer.len, &address))
		return request->peer;
	for (size_t i = request->n_headers; i > 0; i--)
	{
		const HttpField *field = &request->headers[i - 1];

		if (strcmp(field->name.data, "x-forwarded-for") == 0 &&
			!walk_back(request->state->proxies, &field->value, &address))
			break;
	}
	inet_ntop(address.size == 4 ? AF_INET : AF_INET6, address.bytes, room, HTTP_CLIENT_MAX);
	return (HttpText){room, strlen(room)};
}

/* If several proxies append to X-Forwarded-Proto, the first element is about the client. */
bool
http_request_is_secure(const HttpRequest *request)
{
	size_t count;
	const HttpText *scheme;
	HttpText first;

	if (request->tls)
		return true;
	if (!came_by_proxy(request))
		return false;
	scheme = http_request_header(request, "x-forwarded-proto", &count);
	if (scheme == NULL || count > 1)
		return false;
	first = trim(scheme->data, strcspn(scheme->data, ","));
	return first.len == 5 && strncasecmp(first.data, "https", 5) == 0;
}
