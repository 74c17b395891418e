/*
 * egress.h
 *		Decides which destinations a URL that a tenant has written may have.
 *
 * A *target* is what a URL names: scheme, host and port.  The host is a name or an
 * *address*.  An address is allowed when it is a global address of the Internet, or when
 * the operator has allowed it; a name is allowed when all its addresses are.  curl is told
 * to connect to the addresses that were checked here.  egress_allows() checks the socket's
 * real address once more.
 *
 * URLs are read by src/common/webhook_url.h, which the database uses too.
 */
#ifndef CLIENT_EGRESS_H
#define CLIENT_EGRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "src/common/webhook_url.h"

#define EGRESS_URL_MAX WAK_URL_MAX
#define EGRESS_HOST_MAX WAK_HOST_MAX
#define EGRESS_ALLOWED_MAX 32 /* the most ranges that an operator may allow */

/* What the operator has allowed in addition to the Internet. */
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
	char host[EGRESS_HOST_MAX + 1]; /* lower case; an IPv6 address without its brackets */
	int port;
	EgressHost kind;
	struct sockaddr_storage address; /* with the port, for EGRESS_ADDRESS */
} EgressTarget;

/*
 * Allows a range, "10.0.0.0/8" or "fd00::1".  Returns false when it is not a range, or
 * there are too many.
 */
extern bool egress_allow(EgressRules *rules, const char *text);

/*
 * Parses a URL.  Returns NULL when it can be a target, else a constant text that says why
 * not.  It does not check whether the address is allowed.
 */
extern const char *egress_parse(const char *url, EgressTarget *target);

/*
 * "localhost" is the machine itself in both address families, so an operator who allows one
 * of its addresses has allowed the machine.  For this name, removes the loopback addresses
 * that are not allowed, unless none would be left.  Returns how many addresses are left.
 */
extern int egress_keep_allowed(const EgressRules *rules, const char *host,
							   struct sockaddr_storage *addresses, int count);

/*
 * Whether a connection to this address is allowed.  Families other than IPv4 and IPv6 are
 * refused.
 */
extern bool egress_allows(const EgressRules *rules, const struct sockaddr *address);

/* Whether an address is the machine itself: of 127.0.0.0/8, or ::1. */
extern bool egress_is_loopback(const struct sockaddr *address);

/* The kind of a refused address, such as "loopback", for the log.  NULL when it is global. */
extern const char *egress_kind(const struct sockaddr *address);

#endif
