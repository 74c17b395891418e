/*
 * negative_cache.c
 *		Remembers names that had no address a moment ago.
 *
 * It is a ring buffer.  All entries are valid for the same time, so the oldest one is the
 * first to expire and the first to be overwritten.
 */
#include "client/negative_cache.h"

#include <stdlib.h>
#include <string.h>

#include "client/egress.h"

typedef struct Entry
{
	uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE];
	int64_t until_ms; /* 0: not used yet */
	char name[EGRESS_HOST_MAX + 1];
} Entry;

struct NegativeCache
{
	Entry entries[NEGATIVE_CACHE_MAX];
	int next; /* the entry to be written next */
};

NegativeCache *
negative_cache_open(void)
{
	return calloc(1, sizeof(NegativeCache));
}

void
negative_cache_close(NegativeCache *cache)
{
	free(cache);
}

void
negative_cache_add(NegativeCache *cache, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
				   const char *name, int64_t now_ms)
{
	Entry *entry = &cache->entries[cache->next];
	size_t len = strlen(name);

	if (len > EGRESS_HOST_MAX)
		return;
	memcpy(entry->asker, asker, NEGATIVE_CACHE_ASKER_SIZE);
	memcpy(entry->name, name, len + 1);
	entry->until_ms = now_ms + NEGATIVE_CACHE_MS;
	cache->next = (cache->next + 1) % NEGATIVE_CACHE_MAX;
}

/*
 * Searches from the newest entry back to the first that has expired: all entries behind it
 * are older.
 */
bool
negative_cache_has(const NegativeCache *cache, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
				   const char *name, int64_t now_ms)
{
	for (int back = 1; back <= NEGATIVE_CACHE_MAX; back++)
	{
		int at = (cache->next - back + NEGATIVE_CACHE_MAX) % NEGATIVE_CACHE_MAX;
		const Entry *entry = &cache->entries[at];

		if (entry->until_ms <= now_ms)
			return false;
		if (memcmp(entry->asker, asker, NEGATIVE_CACHE_ASKER_SIZE) == 0 &&
			strcmp(entry->name, name) == 0)
			return true;
	}
	return false;
}
