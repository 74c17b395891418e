/*-------------------------------------------------------------------------
 *
 * row_lookup.h
 *		Single rows, found through a unique index, as they are committed now.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_ROW_LOOKUP_H
#define SRC_ROW_LOOKUP_H

#include "postgres.h"

#include "access/attnum.h"
#include "fmgr.h"

#include "src/common/key_format.h"
#include "src/digest.h"

#define WA_LOOKUP_KEYS_MAX 3
#define WA_LOOKUP_COLUMNS_MAX 13

/*
 * A table of schema wa and how its rows are found.  The first key_count columns are those of
 * the index, in its order.  They must be of type uuid, smallint, bytea, or text with collation "C".
 * Definitions are static.  The members from "relation" on belong to row_lookup.c.
 */
typedef struct WaLookupTable
{
	const char *name;
	const char *index;
	int key_count;
	const char *columns[WA_LOOKUP_COLUMNS_MAX]; /* NULL behind the last one */

	/* Where the table is: looked up once, forgotten when the table changes. */
	Oid relation; /* InvalidOid: not looked up */
	Oid index_relation;
	AttrNumber numbers[WA_LOOKUP_COLUMNS_MAX];
	struct WaLookupTable *next; /* in the list of those that were ever looked up */
	bool listed;
} WaLookupTable;

/* A row's values, in the order of its definition's columns. */
typedef struct WaLookupRow
{
	Datum values[WA_LOOKUP_COLUMNS_MAX];
	bool nulls[WA_LOOKUP_COLUMNS_MAX];
} WaLookupRow;

/* Registers the invalidation callback.  Called once, at load. */
extern void wa_row_lookup_init(void);

/*
 * The generation of all tables that this backend has read.  Before it returns, all changes that
 * other backends have committed are taken into account.  As long as it stays the same,
 * everything that wa_row_find() has found is still valid.
 */
extern uint64 wa_row_generation(void);

/*
 * Finds the row with these keys as committed at this moment, whatever snapshot the transaction
 * uses.  Returns true and fills *row, with copies in the current memory context, or returns
 * false if there is no such row.
 */
extern bool wa_row_find(WaLookupTable *table, const Datum *keys, WaLookupRow *row);

/* The same for a table whose only key is a digest. */
extern bool
wa_row_find_digest(WaLookupTable *table, const uint8 digest[WA_DIGEST_LENGTH], WaLookupRow *row);

/*
 * The same for an SQL function whose first argument is a wa.secret.  Returns false also if the
 * argument is NULL or of another kind.
 */
extern bool
wa_row_find_secret(FunctionCallInfo fcinfo, WakKind kind, WaLookupTable *table, WaLookupRow *row);

/*
 * Between "begin" and "end" wa_row_find() finds what was committed by others, as if this
 * transaction had changed nothing.  "end" must be called after an error as well.
 */
extern void wa_row_begin_without_own(void);
extern void wa_row_end_without_own(void);

/*
 * The result of an SQL function that returns a row: these values, or only nulls if "values" is
 * NULL.
 */
extern Datum wa_row_answer(FunctionCallInfo fcinfo, const Datum *values);

#endif
