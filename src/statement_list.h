/*-------------------------------------------------------------------------
 *
 * statement_list.h
 *		The statements that sealed roles may run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WA_STATEMENT_LIST_H
#define WA_STATEMENT_LIST_H

#include "postgres.h"

/*
 * The sealed roles, as bits: a login may be a member of several, and may then
 * run the statements of each.
 */
typedef uint32 WaSealedRoles;

#define WA_SEALED_GATEWAY 0x1
#define WA_SEALED_WORKER 0x2
#define WA_SEALED_CONNECTOR 0x4

/* Register the invalidation callbacks; called once, at load. */
extern void wa_statement_list_init(void);

/*
 * The sealed roles that a role is a member of, 0 for one that is not sealed.
 * A superuser is sealed only by an actual membership.  Needs a transaction,
 * but only shared catalogs: it works while a client authenticates.
 */
extern WaSealedRoles wa_sealed_roles_of(Oid role);

/* Whether this text is registered, in this database, for one of the roles. */
extern bool wa_statement_is_registered(WaSealedRoles roles, const char *text);

#endif /* WA_STATEMENT_LIST_H */
