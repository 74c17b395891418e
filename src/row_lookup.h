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
#define WA_LOOKUP_COLUMNS_MAX 8

/*
 * A table of schema wa and the way to its rows.  The first key_count columns
 * are those of the index, in its order; they have to be of type uuid, bytea, or text
 * with collation "C".
 * Definitions are static: what is below the line belongs to row_lookup.c.
 */
typedef struct WaLookupTable
{
	const char *name;
	const char *index;
	int key_count;
	const char *columns[WA_LOOKUP_COLUMNS_MAX]; /* NULL behind the last one */

	/* where they are: looked up once, forgotten when the table changes */
	Oid relation; /* InvalidOid: not looked up */
	Oid index_relation;
	AttrNumber numbers[WA_LOOKUP_COLUMNS_MAX];
	struct WaLookupTable *next; /* of those that were ever looked up */
	bool listed;
} WaLookupTable;

/* A row's values in the order of its definition's columns. */
typedef struct WaLookupRow
{
	Datum values[WA_LOOKUP_COLUMNS_MAX];
	bool nulls[WA_LOOKUP_COLUMNS_MAX];
} WaLookupRow;

/* Register the invalidation callback; called once, at load. */
extern void wa_row_lookup_init(void);

/*
 * The generation of all tables that were looked into by this backend, after
 * every change that other backends have committed until now was taken note of.
 * As long as it stays the same, whatever wa_row_find() found still holds.
 */
extern uint64 wa_row_generation(void);

/*
 * Find the row with these keys as committed at this moment, whatever snapshot
 * the transaction uses.  Fills *row, with copies in the current memory
 * context, and returns true, or returns false if there is none.
 */
extern bool wa_row_find(WaLookupTable *table, const Datum *keys, WaLookupRow *row);

/* The same in a table whose one key is a digest. */
extern bool
wa_row_find_digest(WaLookupTable *table, const uint8 digest[WA_DIGEST_LENGTH], WaLookupRow *row);

/*
 * The same for an SQL function whose first argument is a wa.secret: false also if it
 * is NULL or of another kind.
 */
extern bool
wa_row_find_secret(FunctionCallInfo fcinfo, WakKind kind, WaLookupTable *table, WaLookupRow *row);

/*
 * From "begin" to "end" wa_row_find() finds what others have committed, as if this
 * transaction had changed nothing.  "end" has to come after an error as well.
 */
extern void wa_row_begin_without_own(void);
extern void wa_row_end_without_own(void);

/*
 * The answer of an SQL function whose result is a row: these values, or as many
 * nulls when "values" is NULL.
 */
extern Datum wa_row_answer(FunctionCallInfo fcinfo, const Datum *values);

#endif
