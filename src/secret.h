/*-------------------------------------------------------------------------
 *
 * secret.h
 *		wa.secret: a credential on its way into the database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_SECRET_H
#define SRC_SECRET_H

#include "fmgr.h"

#include "src/common/key_format.h"
#include "src/digest.h"

/*
 * A value of wa.secret: what can be kept of a credential without being able to use it.  The SQL
 * type has this size.  "kind" is a WakKind.
 */
typedef struct WaSecret
{
	uint8 digest[WA_DIGEST_LENGTH];
	uint8 kind;
	char shown[WAK_SHOWN_DIGITS]; /* what the mask shows behind the prefix */
} WaSecret;

StaticAssertDecl(sizeof(WaSecret) == 38, "wa.secret has INTERNALLENGTH 38");

#define DatumGetSecretP(d) ((WaSecret *) DatumGetPointer(d))
#define PG_GETARG_SECRET_P(n) DatumGetSecretP(PG_GETARG_DATUM(n))
#define PG_RETURN_SECRET_P(p) PG_RETURN_POINTER(p)

#endif
