/*
 * negative_cache.h
 *		Names that had no address a moment ago.
 *
 * A look-up that nobody answers takes seconds, and a webhook asks for the same name again with
 * each delivery.  What has failed is therefore kept for NEGATIVE_CACHE_MS.  An entry belongs to
 * whoever asked: were it shared, the speed of a failure would tell one organization which
 * names another one's webhooks lead to.  Addresses are never kept, since each attempt has to
 * check where a name leads now.
 */
#ifndef WEBHOOKS_NEGATIVE_CACHE_H
#define WEBHOOKS_NEGATIVE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long an entry counts.  Less than the shortest pause before a retry, four fifths of a
 * second (wa.delivery_pause()): a retry that is answered from here would be one for nothing.
 */
#define NEGATIVE_CACHE_MS 750

/* Entries at most; the oldest goes first. */
#define NEGATIVE_CACHE_MAX 1024

/* Bytes that tell askers apart: the id of an organization. */
#define NEGATIVE_CACHE_ASKER_SIZE 16

typedef struct NegativeCache NegativeCache;

/* NULL: out of memory. */
extern NegativeCache *negative_cache_open(void);
extern void negative_cache_close(NegativeCache *cache);

/* The name had no address at now_ms, which never goes back; a name that is too long is left out. */
extern void negative_cache_add(NegativeCache *cache, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
							   const char *name, int64_t now_ms);

/* Had it none when the same asker asked, not longer than NEGATIVE_CACHE_MS ago? */
extern bool
negative_cache_has(const NegativeCache *cache, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
				   const char *name, int64_t now_ms);

#endif
