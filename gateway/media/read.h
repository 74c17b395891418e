/*
 * read.h
 *		What the stores share about a read; see store.h.
 *
 * A MediaRead is the first member of what a store knows about it.
 */
#ifndef MEDIA_READ_H
#define MEDIA_READ_H

#include "media/store.h"

/* How a store does what store.h says about a read. */
typedef struct MediaReadKind
{
	void (*next)(MediaRead *read);
	void (*end)(MediaRead *read);
} MediaReadKind;

struct MediaRead
{
	const MediaReadKind *kind;
	const MediaReadEvents *events;
	void *context;
};

#endif
