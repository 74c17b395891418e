/*
 * call.c
 *		Notes what is wrong with a call.
 */
#include "api/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

void
call_refuse(Call *call, HttpErrorKind kind, const char *message)
{
	if (!call->refused)
	{
		call->refused = true;
		call->refusal = kind;
		call->refusal_message = message;
	}
}

/* The name was sent by the caller and may be long. */
void
call_problem_unknown(Call *call, const char *name)
{
	char shown[PROBLEM_NAME_MAX + 1];

	utf8_copy_start(shown, PROBLEM_NAME_MAX, name);
	call_problem(call, shown, "is not known here");
}

/* Details are members of one object, so only the first problem of each name is kept. */
static bool
has_problem(const Call *call, const char *name)
{
	for (int i = 0; i < call->problem_count; i++)
		if (strcmp(call->problems[i].name, name) == 0)
			return true;
	return false;
}

void
call_problem(Call *call, const char *name, const char *format, ...)
{
	Problem *problem;
	va_list arguments;

	call_refuse(call, HTTP_ERROR_VALIDATION, NULL);
	if (call->problems == NULL)
		call->problems = calloc(CALL_PROBLEMS_MAX, sizeof(Problem));
	if (call->problems == NULL || call->problem_count == CALL_PROBLEMS_MAX ||
		has_problem(call, name))
		return;
	problem = &call->problems[call->problem_count++];
	snprintf(problem->name, sizeof(problem->name), "%s", name);
	va_start(arguments, format);
	vsnprintf(problem->text, sizeof(problem->text), format, arguments);
	va_end(arguments);
}
