/*
 * file.h
 *		A file that is sent as the body of an answer.
 *
 * The file is read in pieces, the next one when the one before has left, so that it takes the
 * same memory whatever its size.  The pieces are read() and not mapped: a file that becomes
 * shorter while it is mapped would end the process.
 */
#ifndef HTTP_FILE_H
#define HTTP_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct evbuffer;

/* Bytes that are read at once. */
#define HTTP_FILE_PIECE (128 * 1024)

/* A part of an open file, which it owns; nothing while fd is -1. */
typedef struct HttpFile
{
	int fd;
	uint64_t at;   /* where the next piece begins */
	uint64_t left; /* bytes that are still to be read */
} HttpFile;

#define HTTP_NO_FILE ((HttpFile){.fd = -1})

/*
 * Appends the next piece to the output, and closes the file after the last one.  False: the
 * file is shorter, or cannot be read, or memory is out; it is closed then, too.
 */
extern bool http_file_send(HttpFile *file, struct evbuffer *output);

extern void http_file_close(HttpFile *file);

#endif
