/*
 * owners.h
 *		Finds the owner of a request, whose turn it takes: an organization and a credential.
 *
 * A credential does not show to which organization it belongs.  The gateway learns that from
 * the database, and remembers it for the OWNERS_MAX credentials that were used last.  A request
 * with an unknown credential, or with none, takes the turn of the network address that it came
 * from: an IPv4 address or the /64 of an IPv6 address.  In that turn it asks of which
 * organization its credential is (asks_first() in pool.c).  So a client gets no more turns by
 * inventing credentials or by using many credentials of one organization.
 *
 * Credentials are never stored, only digests of them, with a random salt of this process.
 */
#ifndef DB_OWNERS_H
#define DB_OWNERS_H

#include <stddef.h>

#include "db/db.h"
#include "lib/fair_queue.h"

#define OWNERS_MAX 32768

typedef struct Owners Owners;

/* NULL: out of memory. */
extern Owners *owners_create(void);
extern void owners_free(Owners *owners);

/* The owner of a request that acts for an organization, and of one with a credential. */
extern FairOwner owner_of_org(Owners *owners, const uint8_t org[DB_UUID_SIZE]);
extern FairOwner owner_of_credential(Owners *owners, const char *credential, size_t len,
									 const char *address, size_t address_len);

/* The owner of a request without a credential; without an address it is the program itself. */
extern FairOwner owner_of_address(Owners *owners, const char *address, size_t len);

/*
 * Records that the credential of the flow belongs to this organization, which becomes the
 * owner's group; or that it is not valid.  When out of memory nothing changes.
 */
extern void owners_learn(Owners *owners, FairOwner *owner, const uint8_t org[DB_UUID_SIZE]);
extern void owners_forget(Owners *owners, const FairOwner *owner);

/* The number of credentials whose organization is known. */
extern int owners_known(const Owners *owners);

#endif
