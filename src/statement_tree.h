/*-------------------------------------------------------------------------
 *
 * statement_tree.h
 *		Which objects an analyzed statement uses: only the server's and the extension's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_STATEMENT_TREE_H
#define SRC_STATEMENT_TREE_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/*
 * The first table, function, operator, type or collation of a statement that neither came with
 * the server nor is a member of the extension wa_apikeys.  It is described for an error
 * message, in palloc'd memory.  NULL if there is none.
 */
extern char *wa_foreign_object(Query *query);

#endif
