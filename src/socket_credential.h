/*-------------------------------------------------------------------------
 *
 * socket_credential.h
 *		Realtime sockets: what a gateway presents for each of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_SOCKET_CREDENTIAL_H
#define SRC_SOCKET_CREDENTIAL_H

#include "postgres.h"

#include "src/context.h"

/*
 * Read the open socket whose credential has this digest, as committed at this
 * moment.  Fills *principal with whom it rests on and returns true, or returns
 * false when the socket or anything that it rests on is gone, or it may not
 * listen any more.  Whether it has expired is left to the caller.
 */
extern bool wa_realtime_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

#endif
