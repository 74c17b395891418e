/*
 * output.c
 *		Writes to standard output; see output.h.
 */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/answer_write.h"

OutputResult
output_write(const Buffer *out)
{
	bool written =
		!out->failed && (out->len == 0 || fwrite(out->data, 1, out->len, stdout) == out->len);

	if (written && fflush(stdout) == 0)
		return OUTPUT_WRITTEN;
	if (!out->failed && errno == EPIPE)
		return OUTPUT_UNREAD;
	fprintf(stderr, "wa: cannot write the output: %s\n", strerror(out->failed ? ENOMEM : errno));
	return OUTPUT_FAILED;
}

OutputResult
output_write_answer(const Answer *answer, const Invocation *invocation)
{
	OutputResult result;
	Buffer out;

	buffer_init(&out, OUTPUT_MAX);
	if (invocation->json)
		answer_write_json(answer, invocation->command->shape, &out);
	else
		answer_write_text(answer, invocation->command, &out);
	result = output_write(&out);
	buffer_free(&out);
	return result;
}
