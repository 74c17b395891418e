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
#ifndef WA_CONTEXT_H
#define WA_CONTEXT_H

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

#endif /* WA_CONTEXT_H */
