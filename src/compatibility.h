/*-------------------------------------------------------------------------
 *
 * compatibility.h
 *		What differs between the server releases that we support.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WA_COMPATIBILITY_H
#define WA_COMPATIBILITY_H

#include "postgres.h"

/* PostgreSQL 16 moved the macros of varlena values here. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* PostgreSQL 18 has this in front of a declaration instead of behind it. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

#endif /* WA_COMPATIBILITY_H */
