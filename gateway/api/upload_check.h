/*
 * upload_check.h
 *		Asks again and again, while an upload lasts, whether its credential is still valid.
 *
 * An upload may take hours.  A key that is revoked, or a person who signs out, is to lose it
 * soon, and not only when its last byte has come.  What else the upload needs is asked for at
 * its end, with its row.
 */
#ifndef API_UPLOAD_CHECK_H
#define API_UPLOAD_CHECK_H

#include <stdint.h>

#include "api/call.h"

/* From one question to the next; there is one at a time. */
#define UPLOAD_CHECK_MS 5000

typedef struct UploadCheck
{
	Call *call;
	void (*refused)(Call *call); /* called once, not from upload_check_tick() */
	DbRequest *db;               /* NULL: it does not ask now */
	int64_t due;                 /* monotonic milliseconds */
} UploadCheck;

extern void upload_check_start(UploadCheck *check, Call *call, void (*refused)(Call *call));

/* To be called whenever bytes have come, which the minimum rate of bodies makes often enough. */
extern void upload_check_tick(UploadCheck *check);

extern void upload_check_stop(UploadCheck *check);

#endif
