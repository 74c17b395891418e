/*
 * form.h
 *		The file in a form (multipart/form-data, RFC 7578): the only part, in the field "file".
 *
 * What is wrong with the form is noted in the call.
 */
#ifndef API_FORM_H
#define API_FORM_H

#include "api/call.h"

/* The bytes that a form may have besides the file. */
#define FORM_BYTES_MAX (16 * 1024)

typedef struct Form Form;

/* Both return false when no more of the form is wanted. */
typedef struct FormEvents
{
	/* The file begins.  type is its Content-Type, or NULL; both are valid until this returns. */
	bool (*file)(Call *call, const HttpText *type, const char *name);

	/* The next bytes of the file. */
	bool (*bytes)(Call *call, const char *bytes, size_t len);
} FormEvents;

/*
 * Begins to read a form of this media type, in the normal form of wak_media_type_read().  The
 * caller frees it with free().  NULL: the type is wrong, which is noted, or memory is out.
 */
extern Form *form_begin(Call *call, const char *type, const FormEvents *events);

/* Reads the next bytes.  False: an event wants no more, or the form is wrong. */
extern bool form_read(Form *form, const char *bytes, size_t len);

/* The body has ended.  False: the form is wrong. */
extern bool form_end(const Form *form);

#endif
