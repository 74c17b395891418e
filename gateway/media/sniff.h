/*
 * sniff.h
 *		The media type of a file by its first bytes, and whether it agrees with what was said.
 *
 * What a client says may be wrong, or a trick: a page of HTML that is called a picture.  So a
 * file that is said to be a picture, a sound or a video has to be one.  Any other type is
 * believed, because such files are never shown by a browser itself (api/download.c).
 *
 * libmagic looks at the bytes, without its readers for formats that contain other files
 * (archives, compressed files, Office documents): these have had the most faults, and their
 * answers are not needed.
 */
#ifndef MEDIA_SNIFF_H
#define MEDIA_SNIFF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The bytes at the beginning of a file that are looked at.  libmagic tries hundreds of regular
 * expressions on a text, and their time grows with the square of its lines.
 */
#define SNIFF_BYTES (4 * 1024)

/* Bytes of a media type, with the NUL. */
#define SNIFF_TYPE_MAX 256

/* The type that bytes of an unknown format have. */
#define SNIFF_UNKNOWN "application/octet-stream"

/* One user of libmagic; only one thread may use it at a time. */
typedef struct Sniffer Sniffer;

/* NULL: libmagic or its data is missing; error (of size bytes) says why. */
extern Sniffer *sniffer_open(char *error, size_t size);
extern void sniffer_close(Sniffer *sniffer);

/* The media type of these bytes, without parameters; SNIFF_UNKNOWN if it is not known. */
extern void sniff(Sniffer *sniffer, const void *bytes, size_t len, char type[SNIFF_TYPE_MAX]);

/*
 * The type as which bytes are stored that were recognized as "found", and of which a client says
 * that they are "said", which may have parameters (NULL: it says nothing).  NULL if that cannot
 * be true.  The result is one of the two arguments.
 */
extern const char *sniff_choose(const char *said, const char *found);

#endif
