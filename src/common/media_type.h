/*-------------------------------------------------------------------------
 *
 * media_type.h
 *		Media types as RFC 9110, 8.3.1, writes them: image/png, audio/ogg; codecs="opus".
 *
 * A media type is read into a normal form, so that two that mean the same have
 * the same text: type, subtype and parameter names in lower case, one space
 * behind each semicolon, quotes only where a value needs them.  Values stay as
 * they are.
 *
 * Shared by the extension and the gateway: no allocation, no state, safe in any thread.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMMON_MEDIA_TYPE_H
#define SRC_COMMON_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* The most bytes of a media type, as it is given. */
#define WAK_MEDIA_TYPE_MAX 255

/* The normal form may have an additional space for each parameter. */
#define WAK_MEDIA_TYPE_WRITTEN_MAX (2 * WAK_MEDIA_TYPE_MAX)

/*
 * Reads "len" bytes, which need no NUL behind them, and writes the normal form with a NUL.
 * Returns false if they are no media type or too many; "written" must then not be used.  Two
 * parameters of the same name and a range of types (with a star) are refused.
 */
extern bool
wak_media_type_read(const char *text, size_t len, char written[WAK_MEDIA_TYPE_WRITTEN_MAX + 1]);

#endif
