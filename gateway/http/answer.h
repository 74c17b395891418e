/*
 * answer.h
 *		What an answer is, before it is sent: its head, and the access log's line.
 *
 * An answer is checked before a byte of it is sent: a body that did not fit its buffer, or
 * a header that would break the head, makes it a 500.  This file knows no connection.
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "http/cors.h"
#include "http/request.h"

typedef struct HttpAnswer
{
	int status;
	const HttpHeader *headers;
	size_t n_headers;
	HttpHeader extra; /* the error's own header; its name may be NULL */
	const char *content_type;
	Buffer *body;        /* may be NULL */
	const char *refused; /* why, when this floor refused the request */
} HttpAnswer;

/* Where a server makes the heads of its answers, one after the other. */
typedef struct HttpAnswerHead
{
	Buffer text;
	int64_t date_second; /* the second that date shows */
	char date[32];
} HttpAnswerHead;

/* The answer that an error makes.  The caller frees body, which is made here. */
extern HttpAnswer http_answer_error(const HttpError *error, const HttpDetail *details,
									size_t n_details, Buffer *body);

/*
 * Writes the head; last: it says that the connection ends.  False when the answer cannot be
 * sent as it is.
 */
extern bool
http_answer_make_head(HttpAnswerHead *head, const HttpAnswer *answer,
					  const HttpRequestState *request, const HttpOrigins *origins, bool last);

/* The body that is sent; NULL: none, because of the method or the status. */
extern Buffer *http_answer_body(const HttpAnswer *answer, HttpMethod method);

/* Writes the access log's line.  bytes: of the body that is sent; gone: the client is. */
extern void
http_answer_log(const HttpAnswer *answer, const HttpRequestState *request, size_t bytes, bool gone);

#endif
