/*
 * upload_places.h
 *		Which organizations have how many uploads under way in this process.
 *
 * There are UPLOAD_PLACES, and an upload keeps its place for as long as its client takes.  An
 * organization may have half of them.  When all are taken, the organization that has most gives
 * one up for a newcomer, unless the newcomer's organization would then have more.
 */
#ifndef API_UPLOAD_PLACES_H
#define API_UPLOAD_PLACES_H

#include <stdint.h>
#include <sys/queue.h>

#include "db/db.h"
#include "media/store.h"

/* The store can have some more, which are being removed. */
#define UPLOAD_PLACES (MEDIA_UPLOADS_MAX - 16)
#define UPLOAD_PLACES_OF_ONE (UPLOAD_PLACES / 2)

/* A place of an upload; its memory is the upload's. */
typedef struct UploadPlace
{
	TAILQ_ENTRY(UploadPlace) link;
	uint8_t org[DB_UUID_SIZE];
	void *upload; /* NULL: it has no place */
} UploadPlace;

typedef struct UploadPlaces
{
	TAILQ_HEAD(UploadPlaceList, UploadPlace) taken; /* the newest is the first */
	int count;
} UploadPlaces;

typedef enum UploadPlaceResult
{
	UPLOAD_PLACE_TAKEN,
	UPLOAD_PLACE_TOO_MANY, /* the organization has its half */
	UPLOAD_PLACE_FULL      /* all are taken, by organizations that have no more than this one */
} UploadPlaceResult;

extern void upload_places_init(UploadPlaces *places);

/*
 * Takes a place for an upload, which must not be NULL.  *loser is the upload of another
 * organization that has lost its place to it, and must be ended by the caller; NULL: none has.
 */
extern UploadPlaceResult
upload_place_take(UploadPlaces *places, UploadPlace *place, const uint8_t org[DB_UUID_SIZE],
				  void *upload, void **loser);

/* Has no effect on what has no place. */
extern void upload_place_leave(UploadPlaces *places, UploadPlace *place);

#endif
