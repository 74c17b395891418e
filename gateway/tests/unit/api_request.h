/*
 * api_request.h
 *		HTTP requests made by hand, for tests of what reads them.
 *
 * A SampleRequest owns all that its HttpRequest points to; it lies on the stack and
 * needs no freeing.  Texts are borrowed from the test.
 */
#ifndef TESTS_UNIT_API_REQUEST_H
#define TESTS_UNIT_API_REQUEST_H

#include "http/http.h"

#define SAMPLE_FIELDS_MAX 8

typedef struct SampleRequest
{
	HttpRequest http;
	HttpText segments[HTTP_SEGMENTS_MAX];
	HttpField headers[SAMPLE_FIELDS_MAX];
	HttpField parameters[SAMPLE_FIELDS_MAX];
	char path[512];
} SampleRequest;

/* A path without percent signs, shorter than 512 bytes. */
extern void sample_request(SampleRequest *sample, HttpMethod method, const char *path);
extern void sample_header(SampleRequest *sample, const char *name, const char *value);
extern void sample_parameter(SampleRequest *sample, const char *name, const char *value);
extern void sample_body(SampleRequest *sample, const char *body);

#endif
