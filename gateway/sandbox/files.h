/*
 * files.h
 *		The files that the invented telephones send, and what their messages say of them.
 *
 * A file has a reference, which is all that is needed to fetch it later: the name of a file of
 * the sandbox's own, or the digest and size of one in the store that is sent back.
 */
#ifndef SANDBOX_FILES_H
#define SANDBOX_FILES_H

#include "media/name.h"

/* Bytes of a reference, with the NUL. */
#define SANDBOX_REFERENCE_MAX (sizeof("sandbox:store::18446744073709551615") + MEDIA_DIGITS_MAX)

/* A file of the sandbox's own. */
typedef struct SandboxFile
{
	const char *asked; /* a text that contains this asks for it, in upper or lower case */
	const char *name;  /* of the file, and in its reference */
	const char *message_type;
	const char *media_type;
	const unsigned char *bytes;
	const size_t *size;
} SandboxFile;

/* The file that a text asks for; NULL: none. */
extern const SandboxFile *sandbox_file_asked(const char *text);

/* Whether the caption of a file asks to have it sent back: it contains "send it back". */
extern bool sandbox_asks_back(const char *caption);

extern void sandbox_write_reference(const SandboxFile *file, char out[SANDBOX_REFERENCE_MAX]);
extern void sandbox_write_stored_reference(const char digits[MEDIA_DIGITS_MAX], uint64_t size,
										   char out[SANDBOX_REFERENCE_MAX]);

/* The file of a reference; NULL: it is none of the sandbox's own. */
extern const SandboxFile *sandbox_find_file(const char *reference);

/* Reads the digest and size of a reference to a file in the store; false: it is none. */
extern bool
sandbox_read_stored(const char *reference, uint8_t digest[MEDIA_DIGEST_SIZE], uint64_t *size);

/* The bytes, made by scripts/sandbox-files. */
extern const unsigned char sandbox_picture[];
extern const size_t sandbox_picture_size;
extern const unsigned char sandbox_voice[];
extern const size_t sandbox_voice_size;
extern const unsigned char sandbox_document[];
extern const size_t sandbox_document_size;

#endif
