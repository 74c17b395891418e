/*
 * fuzz_sql_text.c
 *		Texts of people and programs that the extension reads by rules of its own: names, email
 *		addresses, WhatsApp addresses, addresses of clients.
 *
 * Nothing but a refusal or a normal form comes out, and a normal form is its own.  The server
 * hands over valid UTF-8 only; an input that is not becomes characters by its numbers.
 */
#include "tests/fuzz/server.h"

#include <unicode/utf8.h>

#include "lib/utf8.h"
#include "src/client_address.h"

#define NAME_MAX_CHARACTERS 100
#define EMAIL_MAX_CHARACTERS 254

extern Datum wa_clean_name(PG_FUNCTION_ARGS);
extern Datum wa_clean_email(PG_FUNCTION_ARGS);
extern Datum wa_name_problem(PG_FUNCTION_ARGS);
extern Datum wa_name_skeleton(PG_FUNCTION_ARGS);
extern Datum wa_recipient_jid(PG_FUNCTION_ARGS);
extern Datum wa_chat_jid(PG_FUNCTION_ARGS);
extern Datum wa_chat_type(PG_FUNCTION_ARGS);

/* Calls a function of a text, which may refuse it with NULL, never with an error. */
static text *
result_of(PGFunction function, const text *value)
{
	ServerCall call;

	SERVER_CALL(&call, function, PointerGetDatum(value));
	FUZZ_ASSERT(!call.failed);
	return call.is_null ? NULL : DatumGetTextPP(call.value);
}

static bool
same(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* ---- names ---- */

static void
check_clean(PGFunction clean, const text *value, size_t max)
{
	const text *name = result_of(clean, value);
	const text *again;
	const char *bytes;
	size_t len;

	if (name == NULL)
		return;
	again = result_of(clean, name);
	bytes = VARDATA_ANY(name);
	len = VARSIZE_ANY_EXHDR(name);
	FUZZ_ASSERT(again != NULL && same(name, again));
	FUZZ_ASSERT(utf8_valid(bytes, len) && memchr(bytes, '\0', len) == NULL);
	FUZZ_ASSERT(utf8_len(bytes, len) > 0 && utf8_len(bytes, len) <= max);
	FUZZ_ASSERT(bytes[0] != ' ' && bytes[len - 1] != ' ' && memmem(bytes, len, "  ", 2) == NULL);
}

/* A name is refused with the reason, and names that look alike are looked for among names only. */
static void
check_problem(const text *value)
{
	const text *problem = result_of(wa_name_problem, value);
	bool is_name = result_of(wa_clean_name, value) != NULL;
	const text *skeleton = result_of(wa_name_skeleton, value);

	FUZZ_ASSERT(is_name == (problem == NULL));
	FUZZ_ASSERT(is_name == (skeleton != NULL));
	FUZZ_ASSERT(skeleton == NULL || utf8_valid(VARDATA_ANY(skeleton), VARSIZE_ANY_EXHDR(skeleton)));
}

/* ---- addresses ---- */

static void
check_jid(const text *value)
{
	const text *recipient = result_of(wa_recipient_jid, value);
	const text *chat = result_of(wa_chat_jid, value);
	const text *again;

	FUZZ_ASSERT(result_of(wa_chat_type, value) != NULL && chat != NULL);
	FUZZ_ASSERT(same(chat, recipient == NULL ? value : recipient));
	if (recipient == NULL)
		return;
	again = result_of(wa_recipient_jid, recipient);
	FUZZ_ASSERT(again != NULL && same(recipient, again));
	for (size_t i = 0; i < VARSIZE_ANY_EXHDR(recipient); i++)
		FUZZ_ASSERT(strchr("abcdefghijklmnopqrstuvwxyz0123456789.@-", VARDATA_ANY(recipient)[i]) !=
					NULL);
}

static void
check_client(const text *value)
{
	WaClientAddress address;
	WaClientAddress again;
	char shown[INET6_ADDRSTRLEN];

	wa_client_address_read(value, &address);
	FUZZ_ASSERT(address.family == 0 || address.family == 4 || address.family == 6);
	FUZZ_ASSERT(wa_client_address_show(&address, shown) == (address.family != 0));
	if (address.family == 0)
		return;
	wa_client_address_read(server_text(shown, strlen(shown)), &again);
	FUZZ_ASSERT(memcmp(&address, &again, sizeof(again)) == 0);
}

/* ---- inputs ---- */

/* Each two bytes are a character; the first bit of some leads beyond U+FFFF. */
static text *
characters_of(const uint8_t *data, size_t len)
{
	uint8_t *bytes = palloc(2 * len + U8_MAX_LENGTH);
	size_t size = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
	{
		UChar32 character = data[i] << 8 | data[i + 1];

		if (U_IS_SURROGATE(character))
			character += 0x1F600 - 0xD800;
		if (character != 0)
			U8_APPEND_UNSAFE(bytes, size, character);
	}
	return server_text(bytes, size);
}

static text *
text_of(const uint8_t *data, size_t len)
{
	if (utf8_valid((const char *) data, len) && (len == 0 || memchr(data, '\0', len) == NULL))
		return server_text(data, len);
	return characters_of(data, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check_clean(wa_clean_name, text_of(data, len), NAME_MAX_CHARACTERS);
	server_reset();
	check_clean(wa_clean_email, text_of(data, len), EMAIL_MAX_CHARACTERS);
	server_reset();
	check_problem(text_of(data, len));
	server_reset();
	check_jid(text_of(data, len));
	server_reset();
	check_client(text_of(data, len));
	server_reset();
	return 0;
}
