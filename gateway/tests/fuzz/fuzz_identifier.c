/*
 * fuzz_identifier.c
 *		Credentials and TypeIDs: what is accepted has one written form only.
 */
#include <string.h>

#include "src/common/key_format.h"
#include "src/common/typeid.h"
#include "tests/fuzz/fuzz.h"

static void
check_credential(const char *text, size_t len)
{
	WakKind kind;

	if (wak_check(text, len, &kind) != WAK_OK)
		return;
	FUZZ_ASSERT(len <= WAK_CREDENTIAL_MAX);
	FUZZ_ASSERT(strncmp(text, wak_kind_prefix(kind), strlen(wak_kind_prefix(kind))) == 0);
	FUZZ_ASSERT(kind != WAK_API_KEY || len == WAK_API_KEY_LENGTH);
	FUZZ_ASSERT(kind != WAK_TEST_KEY || len == WAK_TEST_KEY_LENGTH);
}

/*
 * Any 32 bytes make a credential that is accepted.  Any changed one is not accepted as one of
 * ours: a test key whose prefix is changed may be the key of another system.
 */
static void
check_made(const uint8_t *data, size_t len)
{
	char made[WAK_CREDENTIAL_MAX + 1];
	WakKind kind;
	size_t made_len;
	size_t place;

	if (len < WAK_RANDOM_LENGTH + 2)
		return;
	made_len = wak_make((WakKind) (data[WAK_RANDOM_LENGTH] % WAK_IMPORTED_KEY), data, made);
	FUZZ_ASSERT(wak_check(made, made_len, &kind) == WAK_OK);
	FUZZ_ASSERT(kind == (WakKind) (data[WAK_RANDOM_LENGTH] % WAK_IMPORTED_KEY));
	place = data[WAK_RANDOM_LENGTH + 1] % made_len;
	made[place] = made[place] == 'x' ? 'y' : 'x';
	FUZZ_ASSERT(wak_check(made, made_len, &kind) != WAK_OK || kind == WAK_IMPORTED_KEY);
}

static void
check_typeid(const char *text, size_t len)
{
	uint8_t uuid[16];
	char prefix[WAK_TYPEID_MAX + 1];
	char again[WAK_TYPEID_MAX + 1];

	if (wak_typeid_decode(text, len, NULL, uuid) != WAK_TYPEID_OK)
		return;
	FUZZ_ASSERT(len >= 26 && len <= WAK_TYPEID_MAX);
	memcpy(prefix, text, len);
	prefix[len > 26 ? len - 27 : 0] = '\0';
	wak_typeid_encode(prefix, uuid, again);
	FUZZ_ASSERT(strlen(again) == len && memcmp(again, text, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check_credential((const char *) data, len);
	check_made(data, len);
	check_typeid((const char *) data, len);
	return 0;
}
