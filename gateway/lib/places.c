/*
 * places.c
 *		Which owners have how many places; see places.h.
 *
 * There are few places, so they are searched and counted one by one.
 */
#include "lib/places.h"

#include <stddef.h>
#include <string.h>

void
places_init(Places *places, int max)
{
	TAILQ_INIT(&places->taken);
	places->count = 0;
	places->max = max;
}

static int
count_of(const Places *places, const uint8_t owner[PLACE_OWNER_SIZE])
{
	const Place *place;
	int count = 0;

	TAILQ_FOREACH(place, &places->taken, link)
	{
		count += memcmp(place->owner, owner, PLACE_OWNER_SIZE) == 0 ? 1 : 0;
	}
	return count;
}

/* The newest place of the owner that has most, if that is more than this many. */
static Place *
newest_of_more(const Places *places, int than)
{
	Place *place;
	Place *found = NULL;

	TAILQ_FOREACH(place, &places->taken, link)
	{
		int count = count_of(places, place->owner);

		if (count > than)
		{
			than = count;
			found = place;
		}
	}
	return found;
}

void
place_leave(Places *places, Place *place)
{
	if (place->holder == NULL)
		return;
	TAILQ_REMOVE(&places->taken, place, link);
	places->count--;
	place->holder = NULL;
}

PlaceResult
place_take(Places *places, Place *place, const uint8_t owner[PLACE_OWNER_SIZE], void *holder,
		   void **loser)
{
	int own = count_of(places, owner);

	*loser = NULL;
	if (own >= places->max / 2)
		return PLACE_TOO_MANY;
	if (places->count >= places->max)
	{
		Place *given_up = newest_of_more(places, own + 1);

		if (given_up == NULL)
			return PLACE_FULL;
		*loser = given_up->holder;
		place_leave(places, given_up);
	}
	memcpy(place->owner, owner, PLACE_OWNER_SIZE);
	place->holder = holder;
	TAILQ_INSERT_HEAD(&places->taken, place, link);
	places->count++;
	return PLACE_TAKEN;
}
