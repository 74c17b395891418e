/*-------------------------------------------------------------------------
 *
 * statement_tree.h
 *		What an analyzed statement uses: nothing that a stranger made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_STATEMENT_TREE_H
#define SRC_STATEMENT_TREE_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/*
 * The first table, function, operator, type or collation of a statement that
 * neither came with the server nor is a member of the extension wa_apikeys,
 * described for an error message, or NULL when there is none.  The text is
 * palloc'd.
 */
extern char *wa_foreign_object(Query *query);

#endif
