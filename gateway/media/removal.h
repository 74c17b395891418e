/*
 * removal.h
 *		What the stores share about a removal; see store.h.
 *
 * A MediaRemoval is the first member of what a store knows about it.
 */
#ifndef MEDIA_REMOVAL_H
#define MEDIA_REMOVAL_H

#include "media/store.h"

struct MediaRemoval
{
	void (*end)(MediaRemoval *removal);
	MediaRemoved done;
	void *context;
};

#endif
