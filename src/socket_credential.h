/*-------------------------------------------------------------------------
 *
 * socket_credential.h
 *		Realtime sockets: the credential that a gateway presents for each of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_SOCKET_CREDENTIAL_H
#define SRC_SOCKET_CREDENTIAL_H

#include "postgres.h"

#include "src/context.h"

/*
 * Reads the open socket whose credential has this digest, as committed at this moment.  Returns
 * true and fills *principal with the socket's holder.  Returns false if the socket or anything
 * that it depends on is gone, or if it may not listen any more.  The caller checks whether it
 * has expired.
 */
extern bool wa_realtime_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

#endif
