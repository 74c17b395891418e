/*-------------------------------------------------------------------------
 *
 * password.h
 *		wa.password: a person's password on its way into the database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_PASSWORD_H
#define SRC_PASSWORD_H

#include "postgres.h"

#include "src/digest.h"

/* Longer ones, in bytes, are refused. */
#define WA_PASSWORD_MAX 1024

/*
 * A value of wa.password.  The SQL type has this size, and takes lengths of 255
 * and more for 255.
 */
typedef struct WaPassword
{
	uint8 digest[WA_DIGEST_LENGTH];
	uint8 len; /* in characters */
} WaPassword;

StaticAssertDecl(sizeof(WaPassword) == 33, "wa.password has INTERNALLENGTH 33");

/* Register the transaction callback; called once, at load. */
extern void wa_password_init(void);

/*
 * Whether a password was read in by the running transaction, so that what the
 * server would say about its statement and parameters may contain it.  Can be
 * called at any time, also while an error is reported.
 */
extern bool wa_password_is_near(void);

#endif
