/*
 * owners.c
 *		Finds the owner of a request; see owners.h.
 */
#include "db/owners.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <event2/util.h>
#include <openssl/evp.h>

#define SALT_BYTES 32

/* A power of two. */
#define BUCKETS 16384

/* What was digested; part of the digest, so that no address equals an organization. */
typedef enum OwnerKind
{
	OWNER_ORG = 'o',
	OWNER_CREDENTIAL = 'c',
	OWNER_ADDRESS = 'a',
	OWNER_NETWORK = 'n'
} OwnerKind;

/* A credential whose organization is known. */
typedef struct Known
{
	FairKey credential;
	uint8_t org_id[DB_UUID_SIZE];
	FairKey org; /* the digest of org_id */
	TAILQ_ENTRY(Known) hash;
	TAILQ_ENTRY(Known) use;
} Known;

struct Owners
{
	uint8_t salt[SALT_BYTES];
	EVP_MD *sha256; /* found once, because libcrypto's search takes longer than a digest */
	EVP_MD_CTX *digest;
	TAILQ_HEAD(, Known) buckets[BUCKETS];
	TAILQ_HEAD(KnownList, Known) used; /* the most recently used one is first */
	int count;
};

Owners *
owners_create(void)
{
	Owners *owners = calloc(1, sizeof(*owners));

	if (owners == NULL)
		return NULL;
	TAILQ_INIT(&owners->used);
	for (int i = 0; i < BUCKETS; i++)
		TAILQ_INIT(&owners->buckets[i]);
	evutil_secure_rng_get_bytes(owners->salt, sizeof(owners->salt));
	owners->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	owners->digest = EVP_MD_CTX_new();
	if (owners->sha256 != NULL && owners->digest != NULL)
		return owners;
	owners_free(owners);
	return NULL;
}

static unsigned
bucket_of(const FairKey *key)
{
	return fair_key_hash(key) & (BUCKETS - 1);
}

static void
drop(Owners *owners, Known *known)
{
	TAILQ_REMOVE(&owners->buckets[bucket_of(&known->credential)], known, hash);
	TAILQ_REMOVE(&owners->used, known, use);
	owners->count--;
	free(known);
}

void
owners_free(Owners *owners)
{
	if (owners == NULL)
		return;
	while (!TAILQ_EMPTY(&owners->used))
		drop(owners, TAILQ_FIRST(&owners->used));
	EVP_MD_CTX_free(owners->digest);
	EVP_MD_free(owners->sha256);
	free(owners);
}

/* If libcrypto is out of memory all keys are equal; then all owners share turns for a while. */
static FairKey
key_of(Owners *owners, OwnerKind kind, const void *bytes, size_t len)
{
	const uint8_t what = (uint8_t) kind;
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};
	FairKey key;

	if (EVP_DigestInit_ex2(owners->digest, owners->sha256, NULL) != 1 ||
		EVP_DigestUpdate(owners->digest, owners->salt, SALT_BYTES) != 1 ||
		EVP_DigestUpdate(owners->digest, &what, 1) != 1 ||
		EVP_DigestUpdate(owners->digest, bytes, len) != 1 ||
		EVP_DigestFinal_ex(owners->digest, digest, NULL) != 1)
		memset(digest, 0, sizeof(digest));
	memcpy(key.bytes, digest, sizeof(key.bytes));
	return key;
}

/* ---- addresses ---- */

/* An IPv4 address may come in IPv6 form.  Of IPv6 a client usually has a whole /64. */
static FairKey
key_of_address(Owners *owners, const char *address, size_t len)
{
	char text[DB_ADDRESS_MAX + 1];
	struct in6_addr parsed;

	len = len < DB_ADDRESS_MAX ? len : DB_ADDRESS_MAX;
	memcpy(text, address, len);
	text[len] = '\0';
	if (evutil_inet_pton(AF_INET6, text, &parsed) != 1)
		return key_of(owners, OWNER_ADDRESS, text, len);
	if (IN6_IS_ADDR_V4MAPPED(&parsed) &&
		evutil_inet_ntop(AF_INET, parsed.s6_addr + 12, text, sizeof(text)) != NULL)
		return key_of(owners, OWNER_ADDRESS, text, strlen(text));
	return key_of(owners, OWNER_NETWORK, parsed.s6_addr, 8);
}

FairOwner
owner_of_address(Owners *owners, const char *address, size_t len)
{
	FairOwner owner = {.class = len == 0 ? FAIR_OWN : FAIR_ADDRESS};

	if (len > 0)
		owner.group = owner.flow = key_of_address(owners, address, len);
	return owner;
}

/* ---- credentials and organizations ---- */

static Known *
find(Owners *owners, const FairKey *credential)
{
	Known *known;

	TAILQ_FOREACH(known, &owners->buckets[bucket_of(credential)], hash)
	{
		if (fair_key_same(&known->credential, credential))
			return known;
	}
	return NULL;
}

FairOwner
owner_of_org(Owners *owners, const uint8_t org[DB_UUID_SIZE])
{
	FairOwner owner = {.class = FAIR_ORG};

	owner.group = owner.flow = key_of(owners, OWNER_ORG, org, DB_UUID_SIZE);
	return owner;
}

FairOwner
owner_of_credential(Owners *owners, const char *credential, size_t len, const char *address,
					size_t address_len)
{
	FairOwner owner = {.class = FAIR_ADDRESS,
					   .flow = key_of(owners, OWNER_CREDENTIAL, credential, len)};
	Known *known = find(owners, &owner.flow);

	if (known == NULL)
	{
		owner.group = key_of_address(owners, address, address_len);
		return owner;
	}
	TAILQ_REMOVE(&owners->used, known, use);
	TAILQ_INSERT_HEAD(&owners->used, known, use);
	owner.class = FAIR_ORG;
	owner.group = known->org;
	return owner;
}

/* NULL: out of memory. */
static Known *
add(Owners *owners, const FairKey *credential)
{
	Known *known = calloc(1, sizeof(*known));

	if (known == NULL)
		return NULL;
	known->credential = *credential;
	TAILQ_INSERT_HEAD(&owners->buckets[bucket_of(credential)], known, hash);
	TAILQ_INSERT_HEAD(&owners->used, known, use);
	if (++owners->count > OWNERS_MAX)
		drop(owners, TAILQ_LAST(&owners->used, KnownList));
	return known;
}

void
owners_learn(Owners *owners, FairOwner *owner, const uint8_t org[DB_UUID_SIZE])
{
	Known *known = find(owners, &owner->flow);
	bool is_new = known == NULL;

	if (is_new)
		known = add(owners, &owner->flow);
	if (known == NULL)
		return;
	if (is_new || memcmp(known->org_id, org, DB_UUID_SIZE) != 0)
	{
		memcpy(known->org_id, org, DB_UUID_SIZE);
		known->org = key_of(owners, OWNER_ORG, org, DB_UUID_SIZE);
	}
	owner->class = FAIR_ORG;
	owner->group = known->org;
}

void
owners_forget(Owners *owners, const FairOwner *owner)
{
	Known *known = find(owners, &owner->flow);

	if (known != NULL)
		drop(owners, known);
}

int
owners_known(const Owners *owners)
{
	return owners->count;
}
