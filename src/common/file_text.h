/*-------------------------------------------------------------------------
 *
 * file_text.h
 *		Files that are written as text: in base64, or as a data: URL.
 *
 * Base64 (RFC 4648) is accepted in every form that has only one meaning: with
 * white space in it (mail wraps its lines), with its padding or without any, in
 * the usual alphabet or in the one for URLs.  A text that may have been cut off
 * or mixed up is refused: one with characters of both alphabets, with padding
 * that does not fit its length, or with bits behind the last byte that are not
 * zero.
 *
 * A data: URL (RFC 2397) has the form  data:[media type][;base64],data  and is
 * percent-encoded.  The base64 in it may be percent-encoded too.
 *
 * Shared by the extension and the gateway: no allocation, no state, safe in any thread.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMMON_FILE_TEXT_H
#define SRC_COMMON_FILE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/media_type.h"

/* The most bytes of a file, and of its text: percent-encoded it is three times as long. */
#define WAK_FILE_MAX ((size_t) 1024 * 1024)
#define WAK_FILE_TEXT_MAX ((size_t) 4 * 1024 * 1024)

/* The media type of a data: URL that names none (RFC 2397), in the form of media_type.h. */
#define WAK_DATA_URL_TYPE "text/plain; charset=US-ASCII"

typedef struct WakFileText
{
	const char *problem; /* a constant text without any of the input; NULL: none */
	size_t at;           /* number of the wrong character, from 1; 0 for the text as a whole */
	size_t len;          /* bytes of the file */
	bool has_type;       /* it is a data: URL that names its media type */
	char type[WAK_MEDIA_TYPE_WRITTEN_MAX + 1]; /* the media type in normal form, if has_type */
} WakFileText;

/* Whether the text begins with "data:". */
extern bool wak_is_data_url(const char *text, size_t len);

/*
 * Reads "len" bytes, which need no NUL behind them, as a data: URL or otherwise as base64.
 * "bytes" must have room for "len" bytes or for WAK_FILE_TEXT_MAX, whichever is less.  Returns
 * false if the text is neither, and says in "file" what is wrong.  An empty file is refused.
 */
extern bool wak_file_text_read(const char *text, size_t len, uint8_t *bytes, WakFileText *file);

#endif
