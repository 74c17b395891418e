/*-------------------------------------------------------------------------
 *
 * request_outcome.h
 *		How the request of an API key ended, for its counts.
 *
 * A transaction that a key has bound is one request.  It is allowed if nothing
 * was denied to it before its end.  Each denial is counted at once, because the
 * transaction is rolled back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_REQUEST_OUTCOME_H
#define SRC_REQUEST_OUTCOME_H

#include "src/common/key_format.h"
#include "src/context.h"
#include "src/digest.h"
#include "src/secret.h"
#include "src/usage.h"

/*
 * The transaction was bound by a credential of this kind.  Requests of people and of sockets are
 * not counted.
 */
extern void wa_request_begin(WakKind kind, const WaPrincipal *principal);

/* The transaction has ended: counts its request as allowed, unless something was denied to it. */
extern void wa_request_end(void);

/* Counts a denial. */
extern void wa_request_deny(WakKind kind, const WaPrincipal *principal, WaOutcome outcome);

/*
 * Counts a denial of a credential that is not valid.  Whoever presents it does not learn what is
 * wrong with it; its organization does.  "secret" is NULL if it was accepted before.
 */
extern void
wa_request_deny_invalid(WakKind kind, const uint8 digest[WA_DIGEST_LENGTH], const WaSecret *secret);

#endif
