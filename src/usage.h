/*-------------------------------------------------------------------------
 *
 * usage.h
 *		When each API key was last used, from where, and how often in each hour.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_USAGE_H
#define SRC_USAGE_H

#include "postgres.h"

#include "src/client_address.h"
#include "src/context.h"

/* What became of a request.  The order is that of the columns of wa.api_key_hour. */
typedef enum WaOutcome
{
	WA_ALLOWED,
	WA_DENIED_EXPIRED,
	WA_DENIED_REVOKED,
	WA_DENIED_DISABLED,   /* switched off */
	WA_DENIED_ADDRESS,    /* not from there */
	WA_DENIED_PERMISSION, /* one that the key lacks, or that was not asked for */
	WA_DENIED_SESSION,    /* one that the key is not restricted to */
	WA_DENIED_RATE        /* too many */
} WaOutcome;

#define WA_OUTCOMES (WA_DENIED_RATE + 1)

/* Installs the shared memory hooks.  Called once, at load by shared_preload_libraries. */
extern void wa_usage_init(void);

/*
 * Records that an API key was accepted just now.  "from" is where the request came from, and
 * "agent" the program that sent it, as the caller says; NULL: it says none.  Raises no error and
 * writes only to shared memory.
 */
extern void wa_usage_note(const WaPrincipal *key, const WaClientAddress *from, const text *agent);

/* Counts a request of a key.  Raises no error and writes only to shared memory. */
extern void wa_usage_count(const pg_uuid_t *org_id, const pg_uuid_t *key_id, WaOutcome outcome);

#endif
