/*
 * answer.h
 *		Answers calls.
 */
#ifndef API_ANSWER_H
#define API_ANSWER_H

#include "api/call.h"

/*
 * Answer with the rows, or with the error that the outcome stands for.  After both the HTTP
 * request must not be used any more.
 */
extern void call_answer_rows(const Call *call, const DbResult *result);
extern void call_answer_error(const Call *call, const DbResult *result);

#endif
