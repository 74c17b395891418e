/*-------------------------------------------------------------------------
 *
 * credential.h
 *		From a credential to the principal that it stands for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_CREDENTIAL_H
#define SRC_CREDENTIAL_H

#include "postgres.h"

#include "src/common/key_format.h"
#include "src/context.h"

/*
 * Finds what a valid credential of this kind with this digest stands for now.  Returns true and
 * fills *principal.  Returns false if the credential is unknown, revoked or expired, or of a
 * kind that binds nobody.  The caller does not learn which, so that no error message can reveal
 * it.  The caller checks the client's address.  Apart from the expiry, the result stays valid as
 * long as wa_row_generation() stays the same.  The lists of sessions and networks are valid until
 * the next call.
 */
extern bool
wa_credential_lookup(WakKind kind, const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

/* The same, without the changes of this transaction. */
extern bool wa_credential_lookup_without_own(WakKind kind, const uint8 digest[WA_DIGEST_LENGTH],
											 WaPrincipal *principal);

#endif
