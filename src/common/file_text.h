/*
 * file_text.h
 *		Files that are written into a text: in base64, or as a data: URL.
 *
 * Base64 (RFC 4648) is read in all the forms in which it means one thing only: with
 * white space in it (mail wraps its lines), with its padding or without any, in the
 * usual alphabet or in that for URLs.  What may be a text that was cut off or mixed up
 * is refused: both alphabets in one text, padding that is not what is missing, bits
 * behind the last byte that are not zero.
 *
 * A data: URL (RFC 2397) is  data:[media type][;base64],data  and percent-encoded, which
 * base64 in it may be too.
 *
 * Shared by the extension and the gateway: no allocation, no state, safe in any thread.
 */
#ifndef SRC_COMMON_FILE_TEXT_H
#define SRC_COMMON_FILE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/media_type.h"

/* Bytes of a file, and of the text that it is written in: percent-encoded it is three times as long. */
#define WAK_FILE_MAX ((size_t) 1024 * 1024)
#define WAK_FILE_TEXT_MAX ((size_t) 4 * 1024 * 1024)

/* What an URL that names no media type means (RFC 2397), in the form of media_type.h. */
#define WAK_DATA_URL_TYPE "text/plain; charset=US-ASCII"

typedef struct WakFileText
{
	const char *problem; /* NULL: none; a constant, without any of the input */
	size_t at;           /* the character that is wrong, from 1; 0: the text as a whole */
	size_t len;          /* bytes of the file */
	bool has_type;       /* it is a data: URL that names its media type */
	char type[WAK_MEDIA_TYPE_WRITTEN_MAX + 1]; /* then that, in one form */
} WakFileText;

/* Does the text begin with data: ? */
extern bool wak_is_data_url(const char *text, size_t len);

/*
 * Reads "len" bytes, a data: URL or else base64, which need no NUL behind them.
 * "bytes" has room for as many, or for WAK_FILE_TEXT_MAX.  False if they are neither, and what is wrong stands in
 * "file".  A file without a byte is none.
 */
extern bool wak_file_text_read(const char *text, size_t len, uint8_t *bytes, WakFileText *file);

#endif
