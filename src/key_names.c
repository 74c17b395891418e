/*-------------------------------------------------------------------------
 *
 * key_names.c
 *		The lock under which names are given to the API keys of an organization.
 *
 * It is no row's lock, because everybody who may lock that row for another reason
 * could keep the organization from making and rotating keys.  It is an advisory
 * lock of a class that no SQL function uses (pg_advisory_lock() has 1 and 2), so
 * that only this function takes it.  Two organizations whose ids have the same
 * hash wait for each other, which does no harm.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/uuid.h"

#define KEY_NAMES_CLASS 3

PG_FUNCTION_INFO_V1(wa_lock_key_names);

/* wa.lock_key_names(org): waits for the lock and holds it until the transaction ends. */
Datum
wa_lock_key_names(PG_FUNCTION_ARGS)
{
	pg_uuid_t *org_id = PG_GETARG_UUID_P(0);
	uint64 hash = hash_bytes_extended(org_id->data, UUID_LEN, 0);
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, KEY_NAMES_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	PG_RETURN_VOID();
}
