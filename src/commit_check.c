/*-------------------------------------------------------------------------
 *
 * commit_check.c
 *		What has to hold once more when the transaction commits.
 *
 * Ending an access waits for nobody.  So it can happen beside a transaction
 * that has checked the access and then gives it, prolongs it or makes it an
 * owner's.  Such a transaction notes what it relies on, and this file asks for
 * it again just before the commit.
 *
 * A deferred trigger would not do: SET CONSTRAINTS runs it whenever the client
 * likes.
 *
 * Invariants:
 * - The notes are checked behind all deferred triggers.  No query of the client
 *   runs between that and the commit.
 * - They are checked by what is committed at that moment, whatever snapshot the
 *   transaction uses, together with the transaction's own changes.
 * - A note ends with the subtransaction that made it, and is handed to the
 *   parent at subcommit.
 *
 * A change that commits after the check and before the end of the commit is
 * simultaneous, and nothing notices it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "src/commit_check.h"
#include "src/compatibility.h"
#include "src/ended.h"
#include "src/invitation.h"
#include "src/row_lookup.h"

typedef struct Note
{
	/* Raises an error unless what the note is about still holds. */
	void (*check)(const struct Note *note);
	SubTransactionId level;
	pg_uuid_t org_id;
	pg_uuid_t subject;      /* a person or an invitation; zero for others */
	TimestampTz made_at;    /* of a key; 0 for others */
	TimestampTz expires_at; /* of a key; 0 for others */
	struct Note *before;
} Note;

/* In TopTransactionContext, the newest first.  Those of one level are not interrupted. */
static Note *notes = NULL;

enum
{
	POLICY_ORG_ID,
	POLICY_MAX_DAYS
};

static WaLookupTable policies = {
	.name = "key_policy",
	.index = "key_policy_pkey",
	.key_count = 1,
	.columns = {"org_id", "max_days"},
};

PG_FUNCTION_INFO_V1(wa_check_expiry_at_commit);
PG_FUNCTION_INFO_V1(wa_check_lifetime_at_commit);
PG_FUNCTION_INFO_V1(wa_check_owner_at_commit);
PG_FUNCTION_INFO_V1(wa_check_invitation_at_commit);

/* ---- The notes of a transaction ---- */

static void
transaction_changed(XactEvent event, void *argument)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			notes = NULL;
			break;
		case XACT_EVENT_PRE_COMMIT:
			for (const Note *note = notes; note != NULL; note = note->before)
				note->check(note);
			break;
		case XACT_EVENT_PRE_PREPARE:
			/* Nobody knows when it would be committed. */
			if (notes != NULL)
				ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
								errmsg("cannot PREPARE a transaction that has changed an access")));
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			/* A worker process makes no notes. */
			break;
	}
}

static void
subtransaction_changed(SubXactEvent event, SubTransactionId level, SubTransactionId parent,
					   void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (notes != NULL && notes->level == level)
			notes = notes->before;
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (Note *note = notes; note != NULL && note->level == level; note = note->before)
			note->level = parent;
}

void
wa_commit_check_init(void)
{
	RegisterXactCallback(transaction_changed, NULL);
	RegisterSubXactCallback(subtransaction_changed, NULL);
}

static void
add_note(Note note)
{
	Note *kept = MemoryContextAlloc(TopTransactionContext, sizeof(Note));

	*kept = note;
	kept->level = GetCurrentSubTransactionId();
	kept->before = notes;
	notes = kept;
}

/* ---- A key that expires while its expiry is put off ---- */

static void
check_expiry(const Note *note)
{
	if (note->expires_at <= GetCurrentTimestamp())
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("key is expired and cannot be changed")));
}

/* wa.check_expiry_at_commit(expires_at): the expiry that the transaction changes. */
Datum
wa_check_expiry_at_commit(PG_FUNCTION_ARGS)
{
	add_note((Note){.check = check_expiry, .expires_at = PG_GETARG_TIMESTAMPTZ(0)});
	PG_RETURN_VOID();
}

/* ---- A key that would live for longer than its organization allows ---- */

/* How many days a key of the organization may live, if this one lives for longer; otherwise 0. */
static int32
exceeded_days(const Note *note)
{
	Datum key = UUIDPGetDatum(&note->org_id);
	Interval longest = {0};
	TimestampTz latest;
	WaLookupRow row;

	if (!wa_row_find(&policies, &key, &row) || row.nulls[POLICY_MAX_DAYS])
		return 0;
	/* As SQL adds them: a day has 23 to 25 hours. */
	longest.day = DatumGetInt32(row.values[POLICY_MAX_DAYS]);
	latest = DatumGetTimestampTz(DirectFunctionCall2(
		timestamptz_pl_interval, TimestampTzGetDatum(note->made_at), IntervalPGetDatum(&longest)));
	return note->expires_at > latest ? longest.day : 0;
}

static int32
exceeded_days_without_own(const Note *note)
{
	volatile int32 days = 0;

	wa_row_begin_without_own();
	PG_TRY();
	{
		days = exceeded_days(note);
	}
	PG_FINALLY();
	{
		wa_row_end_without_own();
	}
	PG_END_TRY();
	return days;
}

/* A policy is no reason against the keys that its own transaction has made before. */
static void
check_lifetime(const Note *note)
{
	int32 days = exceeded_days(note);

	if (days != 0 && exceeded_days_without_own(note) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("expiresAt must be at most %d days after the key was made", days),
						err_generic_string(PG_DIAG_COLUMN_NAME, "expiresAt")));
}

/* wa.check_lifetime_at_commit(org, made_at, expires_at): infinity for never. */
Datum
wa_check_lifetime_at_commit(PG_FUNCTION_ARGS)
{
	add_note((Note){.check = check_lifetime,
					.org_id = *PG_GETARG_UUID_P(0),
					.made_at = PG_GETARG_TIMESTAMPTZ(1),
					.expires_at = PG_GETARG_TIMESTAMPTZ(2)});
	PG_RETURN_VOID();
}

/* ---- A person who is removed while they are made an owner ---- */

static void
check_owner(const Note *note)
{
	if (wa_has_ended(&note->org_id, &note->subject, "member") ||
		wa_has_ended(&note->org_id, &note->subject, "rank"))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("somebody else has just removed this member or taken the role away")));
}

/* wa.check_owner_at_commit(org, person) */
Datum
wa_check_owner_at_commit(PG_FUNCTION_ARGS)
{
	add_note((Note){
		.check = check_owner, .org_id = *PG_GETARG_UUID_P(0), .subject = *PG_GETARG_UUID_P(1)});
	PG_RETURN_VOID();
}

/* ---- An invitation that ends while it is accepted ---- */

static void
check_invitation(const Note *note)
{
	if (!wa_invitation_stands(&note->org_id, &note->subject))
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND), errmsg("invitation is not valid")));
}

/* wa.check_invitation_at_commit(org, invitation) */
Datum
wa_check_invitation_at_commit(PG_FUNCTION_ARGS)
{
	add_note((Note){.check = check_invitation,
					.org_id = *PG_GETARG_UUID_P(0),
					.subject = *PG_GETARG_UUID_P(1)});
	PG_RETURN_VOID();
}
