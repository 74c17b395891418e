/*-------------------------------------------------------------------------
 *
 * context.h
 *		Who this transaction acts for.
 *
 * A principal is what a credential stands for: an organization, the key or
 * person that uses the credential, and their permissions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_CONTEXT_H
#define SRC_CONTEXT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#include "src/client_address.h"
#include "src/common/token_bucket.h"
#include "src/digest.h"
#include "src/permissions.h"

typedef enum WaPrincipalKind
{
	WA_PRINCIPAL_NONE,  /* nobody: no credential is bound */
	WA_PRINCIPAL_KEY,   /* an API key */
	WA_PRINCIPAL_USER,  /* a person, by a user token */
	WA_PRINCIPAL_SYSTEM /* a connector or worker, by wa.act_for() */
} WaPrincipalKind;

/* The most sessions that a key can be restricted to. */
#define WA_SESSIONS_MAX 32

/*
 * The lists of sessions and networks are not part of the structure.  They are valid until the
 * next look-up (credential.h) or the end of the current memory context, whichever comes first,
 * so a principal that is kept needs lists of its own.
 */
typedef struct WaPrincipal
{
	WaPrincipalKind kind;
	pg_uuid_t org_id;
	pg_uuid_t id;         /* of the key or the person; zero for SYSTEM */
	pg_uuid_t sign_in_id; /* of a USER; zero for others */
	const char *role;     /* of a USER, a constant string; NULL for others */
	WaPermissions permissions;
	TimestampTz expires_at; /* DT_NOEND if it never does */
	int session_count;
	const pg_uuid_t *sessions;  /* that a KEY is restricted to; NULL if there is no such list */
	bool is_test;               /* a KEY that reaches sessions of the sandbox only */
	const WaNetworks *networks; /* where a KEY can be used; NULL: everywhere */
	WakRate rate;               /* of a KEY; zeros: it has no limit */
	int32 generation;           /* of a KEY: counts how often it got other addresses */
} WaPrincipal;

/* Whether this session is in the list of one who has a list of sessions. */
extern bool wa_principal_lists(const WaPrincipal *principal, const pg_uuid_t *session);

/* Registers the transaction callbacks.  Called once, at load. */
extern void wa_context_init(void);

/*
 * The verified principal that this transaction acts for now, or NULL if nobody is bound.  It is
 * valid until the next call.  Raises an error if the credential has ended since it was bound.
 */
extern const WaPrincipal *wa_context_principal(void);

/* Whether this transaction has already used the identity that is bound to it now. */
extern bool wa_context_is_relied_on(void);

/*
 * Called before each statement of the client.  "binds" says whether that statement only binds an
 * identity.  Returns true if the transaction has run no statement before it, other than ones
 * that only bind.
 */
extern bool wa_context_serve(bool binds);

/* Whether the client's transaction has run, or is running, a statement that does more than bind. */
extern bool wa_context_has_served(void);

/* The permissions that were required of the binding so far, all of which it had. */
extern WaPermissions wa_context_used(void);

/* How often bindings of this backend have lost a session that they reached. */
extern uint64 wa_context_narrowings(void);

/*
 * Raises 28000 unless somebody is bound whose credential is still valid, and 42501 unless the
 * binding still covers all these permissions.
 */
extern void wa_context_require(WaPermissions used);

/*
 * From now on the error about one of these permissions says that a change needs it because it
 * reads.  Returns those of before, which the caller has to put back; an error puts none back,
 * and leaves none.
 */
extern WaPermissions wa_context_explain(WaPermissions read_along);

/* The same, but 42501 if the binding has lost a session since this number was read. */
extern void wa_context_require_reach(uint64 narrowings_before);

/* Counts a request of the bound key that is denied because of a session.  The caller refuses it. */
extern void wa_context_deny_session(void);

/*
 * Raises an error if the transaction has written or locked something and its credential has
 * ended since, or has lost a permission that was required or a session that it could reach.
 */
extern void wa_context_verify_written(void);

#endif
