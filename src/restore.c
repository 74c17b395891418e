/*-------------------------------------------------------------------------
 *
 * restore.c
 *		The extension's tables while a dump is restored.
 *
 * The foreign keys of tables that belong to an extension exist before pg_dump's
 * data is loaded.  A restore by one connection loads the data in an order in
 * which they hold.  pg_restore --jobs loads all tables at once, because an
 * archive does not contain that order, and nearly all tables would fail.  So a
 * foreign key is not checked while its table gets the rows of a dump, which was
 * a consistent snapshot.
 *
 * CREATE EXTENSION in a restore lists every table that has rows in dumps
 * (wa.unrestored).  The one COPY of a table removes it from the list, in the
 * same transaction.  A table that is still on the list has not got its rows,
 * and wa.self_check() reports it.  Foreign keys of all other tables are checked
 * as usual.
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

/*
 * Whether this is a restore: pg_dump's output turns row_security off in front of its data, and
 * hardly anything else does.
 */
static bool
is_restore(void)
{
	return !row_security && superuser() && debug_query_string != NULL &&
		   pg_strncasecmp(debug_query_string, "COPY ", 5) == 0;
}

/*
 * Removes the table from the list of those that wait for their rows.  Returns whether it was
 * there.
 */
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
 * Trigger function, before a statement that inserts: skips the checks of foreign keys for the
 * rest of the transaction.  In a transaction block (pg_restore --single-transaction) nothing is
 * skipped: there the rows come in order, and the rest of the transaction is more than this
 * table.
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
