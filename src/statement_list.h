/*-------------------------------------------------------------------------
 *
 * statement_list.h
 *		The statements that sealed roles may run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_STATEMENT_LIST_H
#define SRC_STATEMENT_LIST_H

#include "postgres.h"

#include "src/digest.h"

/*
 * The sealed roles, as bits.  A login may be a member of several, and may then run the
 * statements of each.
 */
typedef uint32 WaSealedRoles;

#define WA_SEALED_GATEWAY 0x1
#define WA_SEALED_WORKER 0x2
#define WA_SEALED_CONNECTOR 0x4
/* Not a role: a session whose login has lost its roles since it connected.  It may run nothing. */
#define WA_SEALED_EARLIER 0x8

/* Registers the invalidation callbacks.  Called once, at load. */
extern void wa_statement_list_init(void);

/*
 * The sealed roles that a role is a member of; 0 if it is not sealed.  A superuser is sealed
 * only by an actual membership.  This needs a transaction but only shared catalogs, so it works
 * while a client authenticates.
 */
extern WaSealedRoles wa_sealed_roles_of(Oid role);

/* The most parameters that a registered statement has. */
#define WA_STATEMENT_PARAMETERS_MAX 16

/* A registered statement is its text and the types of its parameters. */
typedef struct WaStatement
{
	WaSealedRoles role;
	uint8 digest[WA_DIGEST_LENGTH]; /* of its text */
	int parameter_count;
	Oid parameters[WA_STATEMENT_PARAMETERS_MAX];
} WaStatement;

/*
 * The statement with this text, as it is registered in this database for one of the roles, or
 * NULL.  It is valid until the next call.
 */
extern const WaStatement *wa_statement_find(WaSealedRoles roles, const char *text);

/*
 * Whether the list, as this backend has last read it, has the text for one of the roles.  This
 * reads no table, so it can be called in a transaction that has failed.
 */
extern bool wa_statement_was_listed(WaSealedRoles roles, const char *text);

#endif
