/*
 * negative_cache.h
 *		Remembers names that had no address a moment ago.
 *
 * A look-up that gets no answer takes seconds, and a webhook asks for the same name again
 * with each delivery.  Therefore a failure is remembered for NEGATIVE_CACHE_MS.  An entry
 * belongs to the organization that asked: if entries were shared, a fast failure would tell
 * one organization which names the webhooks of another one use.  Addresses are never
 * remembered, since each attempt has to check where a name leads at that moment.
 */
#ifndef CLIENT_NEGATIVE_CACHE_H
#define CLIENT_NEGATIVE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long an entry is valid.  This is less than the shortest pause before a retry, four
 * fifths of a second (wa.delivery_pause()): otherwise a retry would fail without asking for
 * the name.
 */
#define NEGATIVE_CACHE_MS 750

/* The most entries.  A new one replaces the oldest. */
#define NEGATIVE_CACHE_MAX 1024

/* Bytes that identify who asks: the id of an organization. */
#define NEGATIVE_CACHE_ASKER_SIZE 16

typedef struct NegativeCache NegativeCache;

/* Returns NULL when memory is out. */
extern NegativeCache *negative_cache_open(void);
extern void negative_cache_close(NegativeCache *cache);

/*
 * Notes that the name had no address at now_ms, which never decreases.  A name that is too
 * long is not noted.
 */
extern void negative_cache_add(NegativeCache *cache, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
							   const char *name, int64_t now_ms);

/*
 * Whether the name had no address when the same organization asked within the last
 * NEGATIVE_CACHE_MS.
 */
extern bool
negative_cache_has(const NegativeCache *cache, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
				   const char *name, int64_t now_ms);

#endif
