/*-------------------------------------------------------------------------
 *
 * restore.c
 *		Tables of the extension while a dump is restored.
 *
 * Tables that belong to an extension have their foreign keys before pg_dump's
 * data comes.  Restored by one connection the data comes in an order in which
 * they hold; pg_restore --jobs loads all tables at once, because an archive does
 * not carry that order, and nearly all of them would fail.  So a foreign key is
 * not looked at while its table gets the rows of a dump, which was a consistent
 * snapshot.
 *
 * CREATE EXTENSION in a restore lists every table that has rows in dumps
 * (wa.unrestored).  The one COPY of a table takes it off the list, in the same
 * transaction.  What is still on the list is missing, and wa.self_check() says
 * so; what is not has its foreign keys as ever.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "src/compatibility.h"

PG_FUNCTION_INFO_V1(wa_restore_table);

/* What pg_dump's output does in front of its data, and hardly anybody else. */
static bool
is_restore(void)
{
	return !row_security && superuser() && debug_query_string != NULL &&
		   pg_strncasecmp(debug_query_string, "COPY ", 5) == 0;
}

/* Whether the table was on the list of those that wait for their rows. */
static bool
take_off_list(Relation table)
{
	Oid types[] = {NAMEOID};
	Datum values[] = {NameGetDatum(&table->rd_rel->relname)};
	bool was_listed;

	SPI_connect();
	if (SPI_execute_with_args("DELETE FROM wa.unrestored WHERE name OPERATOR(pg_catalog.=) $1", 1,
							  types, values, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not read the list of tables that wait for their rows");
	was_listed = SPI_processed > 0;
	SPI_finish();
	return was_listed;
}

/*
 * Trigger, before a statement that inserts: leaves out what foreign keys would
 * check, for the rest of the transaction.  Where there is a transaction block
 * (pg_restore --single-transaction), the rows come in order and the rest is more
 * than this table, so that nothing is left out.
 */
Datum
wa_restore_table(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("wa.restore_table() can only be called as a trigger")));
	if (is_restore() && take_off_list(((TriggerData *) fcinfo->context)->tg_relation) &&
		!IsTransactionBlock())
		(void) set_config_option("session_replication_role", "replica", PGC_SUSET, PGC_S_SESSION,
								 GUC_ACTION_LOCAL, true, 0, false);
	return PointerGetDatum(NULL);
}
