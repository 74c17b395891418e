/*
 * api_request.c
 *		HTTP requests made by hand; see api_request.h.
 */
#include "api_request.h"

#include <stdio.h>
#include <string.h>

static HttpText
text_of(const char *text)
{
	return (HttpText){.data = text, .len = strlen(text)};
}

void
sample_request(SampleRequest *sample, HttpMethod method, const char *path)
{
	char *at;

	memset(sample, 0, sizeof(*sample));
	snprintf(sample->path, sizeof(sample->path), "%s", path);
	sample->http.method = method;
	sample->http.path = text_of(path);
	sample->http.query = sample->http.body = sample->http.id = text_of("");
	sample->http.segments = sample->segments;
	sample->http.headers = sample->headers;
	sample->http.parameters = sample->parameters;
	at = sample->path;
	while (*at == '/')
	{
		HttpText *segment = &sample->segments[sample->http.n_segments++];

		*at++ = '\0';
		segment->data = at;
		segment->len = strcspn(at, "/");
		at += segment->len;
	}
}

void
sample_header(SampleRequest *sample, const char *name, const char *value)
{
	sample->headers[sample->http.n_headers++] =
		(HttpField){.name = text_of(name), .value = text_of(value)};
}

void
sample_parameter(SampleRequest *sample, const char *name, const char *value)
{
	sample->parameters[sample->http.n_parameters++] =
		(HttpField){.name = text_of(name), .value = text_of(value)};
}

void
sample_body(SampleRequest *sample, const char *body)
{
	sample->http.body = text_of(body);
}
