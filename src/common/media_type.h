/*
 * media_type.h
 *		Media types as RFC 9110, 8.3.1, writes them: image/png, audio/ogg; codecs="opus".
 *
 * Read into one form, so that two that mean the same are the same text: type, subtype
 * and the names of parameters in lower case, one space behind each semicolon, quotes only
 * where a value needs them.  Values stay as they are.
 *
 * Shared by the extension and the gateway: no allocation, no state, safe in any thread.
 */
#ifndef SRC_COMMON_MEDIA_TYPE_H
#define SRC_COMMON_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of one, as it is given. */
#define WAK_MEDIA_TYPE_MAX 255

/* Its one form may have a space more for each parameter. */
#define WAK_MEDIA_TYPE_WRITTEN_MAX (2 * WAK_MEDIA_TYPE_MAX)

/*
 * Reads "len" bytes, which need no NUL behind them, and writes the one form with a NUL.
 * False if they are no media type or are too many; "written" is then of no use.  A name
 * that two parameters have, and a range of types (a star), are none.
 */
extern bool
wak_media_type_read(const char *text, size_t len, char written[WAK_MEDIA_TYPE_WRITTEN_MAX + 1]);

#endif
