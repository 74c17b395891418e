/*-------------------------------------------------------------------------
 *
 * wa_apikeys.c
 *		The extension's entry point: module magic, checks at load, start of each part.
 *
 * The work is done by the files under src/.  This file decides which of them
 * start:
 * - The key cache and the transaction context start in every backend that loads
 *   the library.
 * - The seal, the log redaction, the limits on guessing, the count of requests,
 *   the record of key uses and the wake-ups start only when shared_preload_libraries loads the
 *   library.  A session must not be able to choose whether the seal is in
 *   force.
 *
 * The library refuses to run in a server that is older than the newest
 * security release of its major version that this release knows.  Isolation
 * between organizations rests on the server's own row security, and the
 * releases below these have known holes in it or in its memory safety.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "src/commit_check.h"
#include "src/connectors.h"
#include "src/context.h"
#include "src/event_writers.h"
#include "src/failed_sign_ins.h"
#include "src/guesses.h"
#include "src/handover.h"
#include "src/key_rate.h"
#include "src/password.h"
#include "src/plan_permissions.h"
#include "src/portal_watch.h"
#include "src/protection_label.h"
#include "src/queue_room.h"
#include "src/redact.h"
#include "src/row_lookup.h"
#include "src/seal.h"
#include "src/target.h"
#include "src/throttle.h"
#include "src/usage.h"
#include "src/wake.h"

PG_MODULE_MAGIC;

/*
 * The oldest accepted server release of each major version, as server_version_num. 15.20 and
 * 17.12 are the releases of November 2026. 16.16 belongs to the same set, but nothing has been
 * run on 16. 18.6 is of August 2026, the newest release that was available for tests.
 */
#if PG_VERSION_NUM >= 190000
#error "wa_apikeys 1.0 supports PostgreSQL 15 to 18"
#elif PG_VERSION_NUM >= 180000
#define WA_MINIMUM_RELEASE 180006
#elif PG_VERSION_NUM >= 170000
#define WA_MINIMUM_RELEASE 170012
#elif PG_VERSION_NUM >= 160000
#define WA_MINIMUM_RELEASE 160016
#elif PG_VERSION_NUM >= 150000
#define WA_MINIMUM_RELEASE 150020
#else
#error "wa_apikeys needs PostgreSQL 15 or later"
#endif

static bool preloaded = false;

void _PG_init(void);

PG_FUNCTION_INFO_V1(wa_preloaded);
PG_FUNCTION_INFO_V1(wa_minimum_release);

static void
check_server_release(void)
{
	const char *running = GetConfigOption("server_version_num", false, false);

	if (strtol(running, NULL, 10) < WA_MINIMUM_RELEASE)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("wa_apikeys cannot run in this server release"),
			 errdetail(
				 "This server is release %s; the oldest release without known holes in row security is %d.%d.",
				 GetConfigOption("server_version", false, false), WA_MINIMUM_RELEASE / 10000,
				 WA_MINIMUM_RELEASE % 10000),
			 errhint("Install the current minor release of PostgreSQL.")));
}

void
_PG_init(void)
{
	check_server_release();
	wa_row_lookup_init();
	wa_context_init();
	wa_commit_check_init();
	wa_portal_watch_init();
	wa_plan_permissions_init();
	wa_password_init();
	wa_wake_init();
	wa_target_init();
	wa_connectors_init();
	wa_protection_label_init();

	if (process_shared_preload_libraries_in_progress)
	{
		preloaded = true;
		wa_seal_init();
		wa_redact_init();
		wa_throttle_init();
		wa_queue_room_init();
		wa_handover_init();
		wa_usage_init();
		wa_failed_sign_ins_init();
		wa_guesses_init();
		wa_key_rate_init();
		wa_wake_preload();
		wa_event_writers_preload();
	}
	/* This call comes last: it removes all settings with this prefix that are not defined yet. */
	MarkGUCPrefixReserved("wa");
}

/* wa.preloaded(): whether the seal is in force in this server. */
Datum
wa_preloaded(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(preloaded);
}

/* wa.minimum_release(): the oldest accepted server_version_num. */
Datum
wa_minimum_release(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(WA_MINIMUM_RELEASE);
}
