/*
 * places.h
 *		Places that owners share, such as those for uploads, of which each may last long.
 *
 * An owner may have half of them.  When all are taken, the owner that has most gives its newest
 * one up for a newcomer, unless the newcomer's owner would then have more.
 */
#ifndef LIB_PLACES_H
#define LIB_PLACES_H

#include <stdint.h>
#include <sys/queue.h>

#define PLACE_OWNER_SIZE 16

/* A place; its memory is the holder's. */
typedef struct Place
{
	TAILQ_ENTRY(Place) link;
	uint8_t owner[PLACE_OWNER_SIZE];
	void *holder; /* NULL: it is not taken */
} Place;

typedef struct Places
{
	TAILQ_HEAD(PlaceList, Place) taken; /* the newest is the first */
	int count;
	int max;
} Places;

typedef enum PlaceResult
{
	PLACE_TAKEN,
	PLACE_TOO_MANY, /* the owner has its half */
	PLACE_FULL      /* all are taken, by owners that have no more than this one */
} PlaceResult;

extern void places_init(Places *places, int max);

/*
 * Takes a place for a holder, which must not be NULL.  *loser is the holder of another owner's
 * that has lost its place to it, and must be ended by the caller; NULL: none has.
 */
extern PlaceResult place_take(Places *places, Place *place, const uint8_t owner[PLACE_OWNER_SIZE],
							  void *holder, void **loser);

/* Has no effect on a place that is not taken. */
extern void place_leave(Places *places, Place *place);

#endif
