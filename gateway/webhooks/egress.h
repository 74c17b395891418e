/*
 * egress.h
 *		Where a webhook may lead.
 *
 * A *target* is what a URL names: scheme, host and port.  Its host is a name, or an
 * *address* written out.  An address is allowed when it is a global one of the Internet, or
 * when the operator has allowed it; a name is allowed when all its addresses are.  What is
 * checked here is what curl is then told to connect to; egress_allows() is asked once more
 * for the socket's real address.
 *
 * How a URL is read is src/common/webhook_url.h, by which the database reads it too.
 */
#ifndef WEBHOOKS_EGRESS_H
#define WEBHOOKS_EGRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "src/common/webhook_url.h"

#define EGRESS_URL_MAX WAK_URL_MAX
#define EGRESS_HOST_MAX WAK_HOST_MAX
#define EGRESS_ALLOWED_MAX 32 /* ranges that an operator may allow */

/* What the operator has allowed besides the Internet. */
typedef struct EgressRules
{
	WakRange allowed[EGRESS_ALLOWED_MAX];
	int count;
} EgressRules;

typedef enum EgressHost
{
	EGRESS_NAME,
	EGRESS_ADDRESS
} EgressHost;

typedef struct EgressTarget
{
	bool tls;
	char host[EGRESS_HOST_MAX + 1]; /* lower case; of an IPv6 address without its brackets */
	int port;
	EgressHost kind;
	struct sockaddr_storage address; /* EGRESS_ADDRESS, with the port */
} EgressTarget;

/* Allows a range, "10.0.0.0/8" or "fd00::1".  False: it is none, or there are too many. */
extern bool egress_allow(EgressRules *rules, const char *text);

/*
 * Takes a URL apart.  NULL when it can be a target; else why not, a constant.  Whether its
 * address is allowed is not asked here.
 */
extern const char *egress_parse(const char *url, EgressTarget *target);

/*
 * "localhost" is the machine itself in both families, and an operator who allows one of
 * them has allowed that: takes the loopback addresses that are not allowed out of those of
 * this name, unless none would be left.  Returns how many there are now.
 */
extern int egress_keep_allowed(const EgressRules *rules, const char *host,
							   struct sockaddr_storage *addresses, int count);

/* May a connection be made to this address?  Any family but the two: no. */
extern bool egress_allows(const EgressRules *rules, const struct sockaddr *address);

/* What kind of address a refused one is ("loopback"), for the log; NULL when it is global. */
extern const char *egress_kind(const struct sockaddr *address);

#endif
