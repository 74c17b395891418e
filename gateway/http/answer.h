/*
 * answer.h
 *		Makes an answer: its head, its body, and its line in the access log.
 *
 * An answer is checked before a byte of it is sent.  A body that did not fit its buffer, or a
 * header that would break the head, makes it a 500.  This file does not use connections.
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
	HttpHeader extra; /* the header that belongs to an error; its name may be NULL */
	const char *content_type;
	Buffer *body;        /* may be NULL */
	HttpStream *stream;  /* the body instead; NULL: it is none */
	const char *refused; /* why gateway/http itself refused the request, else NULL */
} HttpAnswer;

/* The buffer in which a server makes the heads of its answers, one after the other. */
typedef struct HttpAnswerHead
{
	Buffer text;
	int64_t date_second; /* the second that date shows */
	char date[32];
} HttpAnswerHead;

/* Makes the answer for an error.  Initializes and fills body, which the caller frees. */
extern HttpAnswer http_answer_error(const HttpError *error, const HttpDetail *details,
									size_t n_details, Buffer *body);

/*
 * Writes the head.  last: the head says that the connection ends.  False when the answer is
 * invalid and cannot be sent.
 */
extern bool
http_answer_make_head(HttpAnswerHead *head, const HttpAnswer *answer,
					  const HttpRequestState *request, const HttpOrigins *origins, bool last);

/* The bytes of the body, also of one that is not sent. */
extern size_t http_answer_length(const HttpAnswer *answer);

/* Whether a body is to be sent: there is one, and method and status allow it. */
extern bool http_answer_has_body(const HttpAnswer *answer, HttpMethod method);

/* Writes the access log's line.  bytes is the length of the sent body; gone: the client left. */
extern void
http_answer_log(const HttpAnswer *answer, const HttpRequestState *request, size_t bytes, bool gone);

#endif
