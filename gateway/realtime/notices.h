/*
 * notices.h
 *		The frames that a socket gets besides events.
 */
#ifndef REALTIME_NOTICES_H
#define REALTIME_NOTICES_H

#include "realtime/identity.h"
#include "realtime/wanted.h"

/*
 * Append one frame.  They return false when it does not fit.  since is the event after
 * which the socket begins; NULL: there is none.
 */
extern bool notice_connected(Buffer *out, int heartbeat_ms, const Identity *identity,
							 const Filter *filter, const uint8_t *since);
extern bool notice_resync_required(Buffer *out);
extern bool notice_error(Buffer *out, const char *error);

#endif
