/*
 * upload_places.c
 *		Which organizations have how many uploads under way; see upload_places.h.
 *
 * There are few places, so they are searched and counted one by one.
 */
#include "api/upload_places.h"

#include <stddef.h>
#include <string.h>

void
upload_places_init(UploadPlaces *places)
{
	TAILQ_INIT(&places->taken);
	places->count = 0;
}

static int
count_of(const UploadPlaces *places, const uint8_t org[DB_UUID_SIZE])
{
	const UploadPlace *place;
	int count = 0;

	TAILQ_FOREACH(place, &places->taken, link)
	{
		count += memcmp(place->org, org, DB_UUID_SIZE) == 0 ? 1 : 0;
	}
	return count;
}

/* The newest upload of the organization that has most, if that is more than this many. */
static UploadPlace *
newest_of_more(const UploadPlaces *places, int than)
{
	UploadPlace *place;
	UploadPlace *found = NULL;

	TAILQ_FOREACH(place, &places->taken, link)
	{
		int count = count_of(places, place->org);

		if (count > than)
		{
			than = count;
			found = place;
		}
	}
	return found;
}

void
upload_place_leave(UploadPlaces *places, UploadPlace *place)
{
	if (place->upload == NULL)
		return;
	TAILQ_REMOVE(&places->taken, place, link);
	places->count--;
	place->upload = NULL;
}

UploadPlaceResult
upload_place_take(UploadPlaces *places, UploadPlace *place, const uint8_t org[DB_UUID_SIZE],
				  void *upload, void **loser)
{
	int own = count_of(places, org);

	*loser = NULL;
	if (own >= UPLOAD_PLACES_OF_ONE)
		return UPLOAD_PLACE_TOO_MANY;
	if (places->count >= UPLOAD_PLACES)
	{
		UploadPlace *given_up = newest_of_more(places, own + 1);

		if (given_up == NULL)
			return UPLOAD_PLACE_FULL;
		*loser = given_up->upload;
		upload_place_leave(places, given_up);
	}
	memcpy(place->org, org, DB_UUID_SIZE);
	place->upload = upload;
	TAILQ_INSERT_HEAD(&places->taken, place, link);
	places->count++;
	return UPLOAD_PLACE_TAKEN;
}
