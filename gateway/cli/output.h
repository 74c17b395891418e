/*
 * output.h
 *		Writes to standard output, and says on standard error why it could not.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/answer.h"
#include "cli/invocation.h"

/* The most bytes of one answer. */
#define OUTPUT_MAX ((size_t) 1024 * 1024 * 1024)

typedef enum OutputResult
{
	OUTPUT_WRITTEN, /* everything was written */
	OUTPUT_UNREAD,  /* the reader has gone, which is no news: it has what it wanted */
	OUTPUT_FAILED   /* it could not be written, and has said why */
} OutputResult;

/* Writes all bytes of a buffer; a buffer that has failed is not written. */
extern OutputResult output_write(const Buffer *out);

/* Writes an answer, as JSON or as text. */
extern OutputResult output_write_answer(const Answer *answer, const Invocation *invocation);

#endif
