/*
 * dashboard.c
 *		GET /, /docs and /web/...: the dashboard, the API reference, and their scripts.
 *
 * The files are a fixed table in the program; no path of a request reaches a file system.
 * The dashboard loads nothing from other hosts and runs no code but these files.  The
 * content security policy tells the browser so: a name or a message that contains a script
 * stays text even if a page forgets to escape it.
 *
 * Browsers may cache the files, and ask by ETag whether they are still current.  The page
 * itself is never cached, so no page that shows a secret can reappear.
 */
#include "api/dashboard.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/endpoint.h"

#define DASHBOARD "index.html"
#define REFERENCE "docs.html"

/* Bytes of an ETag, with the NUL. */
#define TAG_MAX 48

#define POLICY                                                  \
	"default-src 'none'; script-src 'self'; style-src 'self'; " \
	"img-src 'self' data: blob:; media-src blob:; "             \
	"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

#define DASHBOARD_POLICY POLICY "; require-trusted-types-for 'script'"

/*
 * Swagger UI writes the Markdown of the OpenAPI document, which is ours, as markup that it has
 * cleaned.  Trusted types would refuse that.
 */
#define REFERENCE_POLICY POLICY

static const HttpHeader page_headers[] = {
	{"Content-Security-Policy", DASHBOARD_POLICY},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Frame-Options", "DENY"},
};

#define PAGE_HEADERS (sizeof(page_headers) / sizeof(page_headers[0]))

/* Whether the segments, joined by slashes, are the name. */
static bool
is_named(const char *name, const HttpText *segments, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (i > 0 && *name++ != '/')
			return false;
		if (strncmp(name, segments[i].data, segments[i].len) != 0)
			return false;
		name += segments[i].len;
	}
	return *name == '\0';
}

static const DashboardFile *
find_file(const HttpText *segments, size_t count)
{
	for (int i = 0; i < dashboard_file_count; i++)
		if (is_named(dashboard_files[i].name, segments, count))
			return &dashboard_files[i];
	return NULL;
}

/*
 * Whether the header's list contains the word: "gzip" in "gzip, deflate, br".  A word with
 * parameters such as "q=0" does not match, so the plain file is sent; browsers send none.
 */
static bool
takes_gzip(const HttpRequest *request)
{
	const HttpText *encodings = http_request_header(request, "accept-encoding", NULL);

	return encodings != NULL && strcasestr(encodings->data, "gzip") != NULL &&
		   strcasestr(encodings->data, "q=0") == NULL;
}

/*
 * The compressed form has another tag than the file: the file's tag with a suffix, in
 * quotation marks.
 */
static void
make_tag(const DashboardFile *file, bool compressed, char tag[TAG_MAX])
{
	snprintf(tag, TAG_MAX, "%.*s%s\"", (int) strlen(file->etag) - 1, file->etag,
			 compressed ? "-gz" : "");
}

static void
send_bytes(HttpRequest *request, const DashboardFile *file, bool compressed, HttpHeader *headers,
		   size_t count)
{
	size_t len = compressed ? file->gzip_len : file->plain_len;
	Buffer body;

	if (compressed)
		headers[count++] = (HttpHeader){"Content-Encoding", "gzip"};
	buffer_init(&body, len);
	buffer_append(&body, compressed ? file->gzip : file->plain, len);
	http_respond(request, 200, headers, count, file->type, &body);
}

static void
answer_file(HttpRequest *request, const DashboardFile *file, bool page)
{
	bool compressed = takes_gzip(request);
	HttpHeader headers[PAGE_HEADERS + 5];
	size_t count = PAGE_HEADERS;
	char tag[TAG_MAX];

	memcpy(headers, page_headers, sizeof(page_headers));
	if (strcmp(file->name, REFERENCE) == 0)
		headers[0].value = REFERENCE_POLICY;
	headers[count++] = (HttpHeader){"Vary", "Accept-Encoding"};
	headers[count++] = (HttpHeader){"Cross-Origin-Resource-Policy", "same-origin"};
	if (!page)
	{
		make_tag(file, compressed, tag);
		headers[count++] = (HttpHeader){"Cache-Control", "no-cache"};
		headers[count++] = (HttpHeader){"ETag", tag};
		if (http_request_has_current(request, tag))
		{
			http_respond(request, 304, headers, count, NULL, NULL);
			return;
		}
	}
	send_bytes(request, file, compressed, headers, count);
}

static bool
is_page(const DashboardFile *file)
{
	return strcmp(file->name, DASHBOARD) == 0 || strcmp(file->name, REFERENCE) == 0;
}

static void
answer_named(HttpRequest *request, size_t count)
{
	const DashboardFile *file = find_file(request->segments + 1, count);

	/* pages are served at "/" and "/docs" only; here they could be cached */
	if (file == NULL || is_page(file))
	{
		http_respond_error(request, http_error(HTTP_ERROR_NOT_FOUND), NULL, 0, NULL, 0);
		return;
	}
	answer_file(request, file, false);
}

static void
answer_page(HttpRequest *request, const char *page)
{
	const HttpText name = {page, strlen(page)};
	const DashboardFile *file = find_file(&name, 1);

	if (file == NULL)
	{
		http_respond_error(request, http_error(HTTP_ERROR_NOT_FOUND), NULL, 0, NULL, 0);
		return;
	}
	answer_file(request, file, true);
}

static void
answer_dashboard(HttpRequest *request, void *context)
{
	(void) context;
	answer_page(request, DASHBOARD);
}

static void
answer_reference(HttpRequest *request, void *context)
{
	(void) context;
	answer_page(request, REFERENCE);
}

static void
answer_web(HttpRequest *request, void *context)
{
	(void) context;
	answer_named(request, 1);
}

static void
answer_folder(HttpRequest *request, void *context)
{
	(void) context;
	answer_named(request, 2);
}

const Endpoint dashboard_endpoints[] = {
	{.method = HTTP_METHOD_GET, .pattern = "/", .open = answer_dashboard},
	{.method = HTTP_METHOD_GET, .pattern = "/docs", .open = answer_reference},
	{.method = HTTP_METHOD_GET, .pattern = "/web/{file}", .open = answer_web},
	{.method = HTTP_METHOD_GET, .pattern = "/web/{folder}/{file}", .open = answer_folder},
	{.pattern = NULL},
};
