/*
 * download.h
 *		Calls that send the bytes of a file.
 */
#ifndef API_DOWNLOAD_H
#define API_DOWNLOAD_H

#include "api/call.h"

/* Answers with the file that the row describes. */
extern void call_answer_file(const Call *call, const DbResult *result);

#endif
