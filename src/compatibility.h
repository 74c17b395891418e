/*-------------------------------------------------------------------------
 *
 * compatibility.h
 *		Differences between the server releases that we support.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMPATIBILITY_H
#define SRC_COMPATIBILITY_H

#include "postgres.h"

/* PostgreSQL 16 moved the macros of varlena values here, and has soft errors. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#include "nodes/miscnodes.h"
#endif

/* Reports an error of an input function, as a soft error if the caller wants one (16 and later). */
#if PG_VERSION_NUM >= 160000
#define refuse_input(fcinfo, ...) ereturn((fcinfo)->context, (Datum) 0, __VA_ARGS__)
#else
#define refuse_input(fcinfo, ...) ereport(ERROR, __VA_ARGS__)
#endif

/* pg_noreturn stands in front of a declaration since PostgreSQL 18; it stood behind it before. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/*
 * The parameters of the ExecutorRun hook.  PostgreSQL 18 removed the one that says whether the
 * query is run only once.
 */
#if PG_VERSION_NUM >= 180000
#define WA_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define WA_RUN_ARGUMENTS query, direction, count
#define WA_RUNS_ONCE false
#else
#define WA_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define WA_RUN_ARGUMENTS query, direction, count, once
#define WA_RUNS_ONCE once
#endif

#endif
