/*-------------------------------------------------------------------------
 *
 * bcrypt.c
 *		wa.whole_bcrypt: a hash of a password that nothing interrupts.
 *
 * pgcrypto looks for interrupts in each round of a hash.  Whoever has a
 * gateway's login could cancel each attempt at a password right behind its
 * charge, and fill the counts of attempts without the cost of a hash
 * (throttle.c).  So a cancel, a timeout or the end of the session takes effect
 * behind the hash, which is a fraction of a second later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "parser/parse_func.h"

#include "src/throttle.h"

PG_FUNCTION_INFO_V1(wa_whole_bcrypt);

/*
 * wa.whole_bcrypt(key, salt): what wa.bcrypt() returns.  If that raises an error, the error
 * releases the interrupts.
 */
Datum
wa_whole_bcrypt(PG_FUNCTION_ARGS)
{
	const Oid types[] = {TEXTOID, TEXTOID};
	List *name = list_make1(makeString("wa"));
	Oid bcrypt;
	Datum result;

	name = lappend(name, makeString("bcrypt"));
	bcrypt = LookupFuncName(name, 2, types, false);
	CHECK_FOR_INTERRUPTS();
	HOLD_INTERRUPTS();
	wa_throttle_hashing();
	result = OidFunctionCall2(bcrypt, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
	RESUME_INTERRUPTS();
	CHECK_FOR_INTERRUPTS();
	PG_RETURN_DATUM(result);
}
