/*-------------------------------------------------------------------------
 *
 * durable.c
 *		Changes that no crash takes back once they are confirmed.
 *
 * With synchronous_commit = off a crash loses the commits of the last moments.
 * Whoever has ended or restricted something relies on that, and nobody would
 * tell them that it is there again.  So these changes wait for the disk,
 * whatever the setting says (schema/32-durable.sql).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(wa_commit_durably);

/* Trigger function: the commit of this transaction waits for the disk. */
Datum
wa_commit_durably(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("wa.commit_durably() must be called as a trigger")));
	ForceSyncCommit();
	PG_RETURN_POINTER(NULL);
}
