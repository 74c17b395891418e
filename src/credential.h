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
 * Find what the live credential of this kind with this digest stands for now.
 * Fills *principal and returns true, or returns false for one that is unknown,
 * revoked or expired, or of a kind that binds nobody: the caller is not told
 * which, so that it can't tell anyone.  The answer holds, but for expiry, as
 * long as wa_row_generation() stays the same.
 */
extern bool
wa_credential_lookup(WakKind kind, const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

/* The same, as if this transaction had changed nothing. */
extern bool wa_credential_lookup_without_own(WakKind kind, const uint8 digest[WA_DIGEST_LENGTH],
											 WaPrincipal *principal);

#endif
