/*
 * websocket_handshake.c
 *		The opening handshake (RFC 6455, 4.2), and who may ask for it.
 *
 * A request that asks for a socket and does not get it ends its connection, whatever is
 * wrong: a proxy in front that takes every such request for a success would let all that
 * follows through unseen, and it must not be served.
 */
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "http/server.h"
#include "http/websocket_connection.h"

#define VERSION "13"
#define KEY_LENGTH 24 /* 16 bytes in base64 */
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_LENGTH 20

static bool
is_separator(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

/* Whether the comma separated list has the token, in any case. */
static bool
list_has(const HttpText *list, const char *token)
{
	size_t len = strlen(token);
	size_t at = 0;

	while (at < list->len)
	{
		size_t first = at;

		while (at < list->len && !is_separator(list->data[at]))
			at++;
		if (at - first == len && strncasecmp(list->data + first, token, len) == 0)
			return true;
		at++;
	}
	return false;
}

/* The same for all fields of that name together. */
static bool
any_has(const HttpRequest *request, const char *name, const char *token)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (strcmp(request->headers[i].name.data, name) == 0 &&
			list_has(&request->headers[i].value, token))
			return true;
	return false;
}

bool
websocket_requested(const HttpRequest *request)
{
	return any_has(request, "upgrade", "websocket");
}

static bool
is_one(const HttpRequest *request, const char *name, const char *value)
{
	size_t count;
	const HttpText *text = http_request_header(request, name, &count);

	return count == 1 && strcasecmp(text->data, value) == 0;
}

/* 16 bytes in base64: 22 digits of it, the last with its low four bits clear, and "==". */
static bool
key_valid(const HttpRequest *request)
{
	static const char last[] = "AQgw";
	size_t count;
	const HttpText *key = http_request_header(request, "sec-websocket-key", &count);
	unsigned char bytes[KEY_LENGTH];

	return count == 1 && key->len == KEY_LENGTH &&
		   memcmp(key->data + KEY_LENGTH - 2, "==", 2) == 0 &&
		   strchr(last, key->data[KEY_LENGTH - 3]) != NULL &&
		   memchr(key->data, '=', KEY_LENGTH - 2) == NULL &&
		   EVP_DecodeBlock(bytes, (const unsigned char *) key->data, KEY_LENGTH) >= 0;
}

/* The part of an origin behind its scheme is the Host that the page was fetched from. */
static bool
is_same_host(const HttpText *origin, const HttpText *host)
{
	static const char *const schemes[] = {"https://", "http://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
	{
		size_t len = strlen(schemes[i]);

		if (origin->len == len + host->len && memcmp(origin->data, schemes[i], len) == 0 &&
			strncasecmp(origin->data + len, host->data, host->len) == 0)
			return true;
	}
	return false;
}

static bool
origin_allowed(const HttpRequest *request)
{
	const HttpConnection *connection = request->state->connection;
	size_t count;
	const HttpText *origin = http_request_header(request, "origin", &count);
	const HttpText *host = http_request_header(request, "host", NULL);

	if (origin == NULL)
		return true;
	return count == 1 && (is_same_host(origin, host) ||
						  (connection != NULL &&
						   http_cors_origin(&connection->server->origins, request) != NULL));
}

static void
refuse(HttpRequest *request, HttpErrorKind kind, const char *message)
{
	static const HttpHeader version = {"Sec-WebSocket-Version", VERSION};
	HttpError error = *http_error(kind);

	error.message = message;
	http_respond_error(request, &error, NULL, 0, &version,
					   kind == HTTP_ERROR_UPGRADE_REQUIRED ? 1 : 0);
}

bool
websocket_check(HttpRequest *request)
{
	const HttpGuard *guard = &request->state->guard;

	if (request->method != HTTP_METHOD_GET || !any_has(request, "connection", "upgrade") ||
		!is_one(request, "upgrade", "websocket"))
		refuse(request, HTTP_ERROR_UPGRADE_REQUIRED, "this is for WebSockets only");
	else if (!is_one(request, "sec-websocket-version", VERSION))
		refuse(request, HTTP_ERROR_UPGRADE_REQUIRED, "only version 13 of WebSocket is supported");
	else if (!key_valid(request))
		refuse(request, HTTP_ERROR_VALIDATION, "request must have one valid Sec-WebSocket-Key");
	else if (guard->chunked || guard->content_length > 0)
		refuse(request, HTTP_ERROR_VALIDATION, "a request for a WebSocket must have no body");
	else if (any_has(request, "connection", "close"))
		refuse(request, HTTP_ERROR_VALIDATION, "a request for a WebSocket must not ask for an end");
	else if (!origin_allowed(request))
		refuse(request, HTTP_ERROR_FORBIDDEN, "pages of this origin may not connect");
	else
		return true;
	return false;
}

bool
websocket_accept_key(const HttpRequest *request, char text[WEBSOCKET_ACCEPT_SIZE])
{
	const HttpText *key = http_request_header(request, "sec-websocket-key", NULL);
	unsigned char joined[KEY_LENGTH + sizeof(GUID) - 1];
	unsigned char digest[SHA1_LENGTH];

	if (key == NULL || key->len != KEY_LENGTH)
		return false;
	memcpy(joined, key->data, KEY_LENGTH);
	memcpy(joined + KEY_LENGTH, GUID, sizeof(GUID) - 1);
	return EVP_Digest(joined, sizeof(joined), digest, NULL, EVP_sha1(), NULL) == 1 &&
		   EVP_EncodeBlock((unsigned char *) text, digest, sizeof(digest)) ==
			   WEBSOCKET_ACCEPT_SIZE - 1;
}
