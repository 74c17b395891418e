/*-------------------------------------------------------------------------
 *
 * context.h
 *		Who this transaction acts for.
 *
 * A principal is what a credential turned out to be: an organization, the key
 * or person that presents itself, and the permissions that it carries.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_CONTEXT_H
#define SRC_CONTEXT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#include "src/digest.h"
#include "src/permissions.h"

typedef enum WaPrincipalKind
{
	WA_PRINCIPAL_NONE,  /* nobody: no credential is bound */
	WA_PRINCIPAL_KEY,   /* an API key */
	WA_PRINCIPAL_USER,  /* a person, by a user token */
	WA_PRINCIPAL_SYSTEM /* a connector or worker, by wa.act_for() */
} WaPrincipalKind;

typedef struct WaPrincipal
{
	WaPrincipalKind kind;
	pg_uuid_t org_id;
	pg_uuid_t id;         /* of the key or the person; zero for SYSTEM */
	pg_uuid_t sign_in_id; /* of a USER; zero for others */
	const char *role;     /* of a USER, a constant string; NULL for others */
	WaPermissions permissions;
	TimestampTz expires_at; /* DT_NOEND when it never does */
} WaPrincipal;

/* Register the transaction callbacks; called once, at load. */
extern void wa_context_init(void);

/* Whether this transaction has done anything that rests on who is bound to it now. */
extern bool wa_context_is_relied_on(void);

/*
 * The client's next statement is about to run, one that binds or any other: whether the
 * transaction has not served any other yet.
 */
extern bool wa_context_serve(bool binds);

/* Whether a statement of the client's has run, or runs, that is not there to bind. */
extern bool wa_context_has_served(void);

/* The permissions that were required of the binding so far, and were there. */
extern WaPermissions wa_context_used(void);

/*
 * Raise 28000 unless somebody is bound whose credential is still good, and 42501
 * unless the binding still covers all these permissions.
 */
extern void wa_context_require(WaPermissions used);

/*
 * Raise an error if the transaction has written or locked something under a credential
 * that has ended since, or lost what was required of it.
 */
extern void wa_context_verify_written(void);

#endif
