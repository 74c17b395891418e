/*
 * upload.h
 *		Calls that take the bytes of a file: their body, a part of it, or what was written in it.
 */
#ifndef API_UPLOAD_H
#define API_UPLOAD_H

#include "api/call.h"
#include "api/params.h"
#include "media/store.h"

/* Uploads at once, by organization.  The store can have some more, which are being removed. */
#define UPLOAD_PLACES (MEDIA_UPLOADS_MAX - 16)

/*
 * Begins a call whose body is a file: reads what its head says about the file.  Problems are
 * noted in the call.  False: out of memory.
 */
extern bool call_begin_upload(Call *call);

/* Adds the parameters of the question whether the file may be uploaded. */
extern bool call_add_begin_upload(Call *call);

/*
 * The database has said that the caller may upload a file, and whose it will be: takes the body
 * into the store.  Calls next(call) when it is stored, or when the call is refused.  When the
 * store fails, or the client leaves, it answers the call and calls end(call).
 */
extern void call_take_upload(Call *call, const DbResult *result, void (*next)(Call *call),
							 void (*end)(Call *call));

/* A file that is in memory. */
typedef struct UploadedFile
{
	uint8_t *bytes; /* allocated; NULL: memory is out, unless the call is refused */
	size_t size;
	const char *field; /* its name in the request, for a problem; never NULL */
	const char *name;  /* NULL: it has none */
} UploadedFile;

/*
 * As call_take_upload(), for a file that has come with the body; takes over its bytes.  The result
 * may have a column "mimetype" with the media type that was said.
 */
extern void call_store_file(Call *call, const DbResult *result, const UploadedFile *file,
							void (*next)(Call *call), void (*end)(Call *call));

/* Adds what was stored as a parameter, or NULL if nothing was; false when memory is out. */
extern bool call_add_upload(Call *call, ParamSource source);

/* Frees what a call knows of its upload. */
extern void call_free_upload(Call *call);

#endif
