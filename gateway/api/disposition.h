/*
 * disposition.h
 *		The name of a file in a Content-Disposition: RFC 6266, with RFC 8187 for its characters.
 */
#ifndef API_DISPOSITION_H
#define API_DISPOSITION_H

#include <stdbool.h>

#include "http/http.h"

/* Bytes of a file's name, with the NUL. */
#define DISPOSITION_NAME_MAX 1025

/* Bytes of the header, with the NUL: each byte of the name once as it is and once as "%XX". */
#define DISPOSITION_HEADER_MAX (4 * DISPOSITION_NAME_MAX + 64)

/*
 * Reads the name that a request gives to its file: filename* if there is one, else filename.
 * The name is empty if there is none.  False: the header is malformed or sent twice, or the name
 * is too long, is not UTF-8, or contains a NUL.
 */
extern bool disposition_read(const HttpRequest *request, char name[DISPOSITION_NAME_MAX]);

/*
 * Reads the header of a part of a form (RFC 7578, 4.2), which ends with a NUL: the name of the
 * field, and that of its file, which is empty if there is none.  False: it is malformed, names no
 * field, or a name is too long, is not UTF-8, or contains a NUL.
 */
extern bool disposition_read_field(const char *header, char field[DISPOSITION_NAME_MAX],
								   char name[DISPOSITION_NAME_MAX]);

/*
 * Writes the header: "inline" or "attachment", and the name, which may be NULL, in a form for
 * old programs and in one for all characters.
 */
extern void disposition_write(bool is_inline, const char *name, size_t len,
							  char header[DISPOSITION_HEADER_MAX]);

#endif
