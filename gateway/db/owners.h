/*
 * owners.h
 *		Whose turn a request takes: which organization's, and in it which credential's.
 *
 * The gateway cannot read out of a credential whose it is.  It learns that from the answer to
 * authenticate, and remembers it for OWNERS_MAX credentials, those that were used last.  One
 * that it does not know takes the turn of the network address that it came from, as does a
 * request without any: an address is an IPv4 address or the /64 of an IPv6 address.  So
 * inventing credentials gets nobody more turns, and having many of one organization neither.
 *
 * Kept are digests with a salt that no other process has, and never a credential.
 */
#ifndef DB_OWNERS_H
#define DB_OWNERS_H

#include <stddef.h>

#include "db/db.h"
#include "db/fair_queue.h"

#define OWNERS_MAX 32768

typedef struct Owners Owners;

/* NULL: memory is out. */
extern Owners *owners_create(void);
extern void owners_free(Owners *owners);

/* The owner of what is done for an organization, and of what a credential asks for. */
extern FairOwner owner_of_org(Owners *owners, const uint8_t org[DB_UUID_SIZE]);
extern FairOwner owner_of_credential(Owners *owners, const char *credential, size_t len,
									 const char *address, size_t address_len);

/* The owner of what needs no credential; without an address it is the program itself. */
extern FairOwner owner_of_address(Owners *owners, const char *address, size_t len);

/*
 * The flow's credential was found to be of that organization, or not to be good.  Without
 * memory it stays unknown.
 */
extern void owners_learn(Owners *owners, const FairOwner *owner, const uint8_t org[DB_UUID_SIZE]);
extern void owners_forget(Owners *owners, const FairOwner *owner);

/* Credentials whose organization is known. */
extern int owners_known(const Owners *owners);

#endif
