/*
 * db_ask.c
 *		Requests to a pool whose server is the test's own; see db_ask.h.
 */
#include "tests/unit/db_ask.h"

#include <string.h>

#include "lib/log.h"
#include "tests/unit/suite.h"

DbWire wire;
Db *db;

void
ask_start_with(DbConfig config)
{
	log_set_level(LOG_LEVEL_ERROR + 1);
	db_wire_start(&wire);
	config.conninfo = wire.conninfo;
	config.application_name = "test";
	config.role = "gateway";
	db = db_open(wire.base, &config);
	ck_assert_ptr_nonnull(db);
}

void
ask_start(void)
{
	ask_start_with((DbConfig){.connections = 1, .in_flight = 8, .queue = 10});
}

void
ask_stop(void)
{
	db_close(db);
	db_wire_stop(&wire);
}

void
ask_told(void *arg, const DbResult *result)
{
	Told *told = arg;

	ck_assert(!told->done);
	told->done = true;
	told->outcome = result->outcome;
	told->rows = result->rows;
	told->has_principal = result->has_principal;
	told->rate = result->rate;
	strncpy(told->sqlstate, result->sqlstate, 5);
}

/*
 * In the slow lane, which has no connections of its own here and shares that of the other.
 */
void
ask_submit(Told *told, int timeout_ms)
{
	DbRequest *request = db_request_new(db_statement_find("gateway", "me"), DB_LANE_SLOW,
										timeout_ms, ask_told, told);

	*told = (Told){0};
	ck_assert_ptr_nonnull(request);
	ck_assert(db_request_credential(request, "wa_x", 4, "read"));
	ck_assert(db_submit(db, request));
}

void
ask(Told *told)
{
	ask_submit(told, ASK_LONG_MS);
	db_wire_run_until(&wire, &told->done);
}
