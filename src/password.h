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

/* The longest password, in bytes. */
#define WA_PASSWORD_MAX 1024

/*
 * A value of wa.password.  The SQL type has the same size.  A length of 255 stands for 255 and
 * more.
 */
typedef struct WaPassword
{
	uint8 digest[WA_DIGEST_LENGTH];
	uint8 len; /* in characters */
} WaPassword;

StaticAssertDecl(sizeof(WaPassword) == 33, "wa.password has INTERNALLENGTH 33");

/* Registers the transaction callback.  Called once, at load. */
extern void wa_password_init(void);

/*
 * Whether the running transaction has read a password.  What the server reports about its
 * statement and parameters may then contain that password.  Can be called at any time, also
 * while an error is reported.
 */
extern bool wa_password_is_near(void);

#endif
