/*
 * fuzz_sql_input.c
 *		What the server hands to the extension's types: as text and in binary form.
 *
 * For every input: text and binary form accept the same; a value, its mask and an error
 * show nothing of a secret; what is accepted has one value, which is written and read back.
 * Of a report of leaked keys only its length is shown.
 */
#include "tests/fuzz/server.h"

#include "src/common/key_format.h"
#include "src/common/typeid.h"
#include "lib/utf8.h"
#include "src/password.h"
#include "src/permissions.h"
#include "src/secret.h"

/* So many bytes of a secret in a row are no accident. */
#define LEAK 6

extern Datum wa_secret_in(PG_FUNCTION_ARGS);
extern Datum wa_secret_recv(PG_FUNCTION_ARGS);
extern Datum wa_secret_out(PG_FUNCTION_ARGS);
extern Datum wa_password_in(PG_FUNCTION_ARGS);
extern Datum wa_password_recv(PG_FUNCTION_ARGS);
extern Datum wa_password_out(PG_FUNCTION_ARGS);
extern Datum wa_permissions_in(PG_FUNCTION_ARGS);
extern Datum wa_permissions_recv(PG_FUNCTION_ARGS);
extern Datum wa_permissions_out(PG_FUNCTION_ARGS);
extern Datum wa_typeid(PG_FUNCTION_ARGS);
extern Datum wa_from_typeid(PG_FUNCTION_ARGS);
extern Datum wa_leak_report_in(PG_FUNCTION_ARGS);
extern Datum wa_leak_report_recv(PG_FUNCTION_ARGS);
extern Datum wa_leak_report_out(PG_FUNCTION_ARGS);
extern Datum wa_key_id_in(PG_FUNCTION_ARGS);
extern Datum wa_key_id_out(PG_FUNCTION_ARGS);

/* An error in constant words shows nothing.  Its parts have a NUL behind them each. */
static void
expect_error(const char *message, const char *detail)
{
	size_t len = strlen(message) + 1;

	FUZZ_ASSERT(strcmp(server_error.text, message) == 0);
	FUZZ_ASSERT(server_error.len == len + (detail != NULL ? strlen(detail) + 1 : 0));
	FUZZ_ASSERT(detail == NULL || strcmp(server_error.text + len, detail) == 0);
}

static void
expect_hidden(const void *area, size_t len, const uint8_t *secret, size_t secret_len)
{
	FUZZ_ASSERT(!server_shows(area, len, secret, secret_len, LEAK));
}

/* Both forms say the same; true when they accept. */
static bool
both_forms(ServerCall *in, ServerCall *recv)
{
	FUZZ_ASSERT(in->failed == recv->failed);
	return !in->failed;
}

static bool
has_nul(const uint8_t *data, size_t len)
{
	return len > 0 && memchr(data, '\0', len) != NULL;
}

/* ---- wa.secret ---- */

static void
check_secret_value(const ServerCall *in, const ServerCall *recv, const uint8_t *data, size_t len)
{
	const WaSecret *secret = (const WaSecret *) DatumGetPointer(in->value);
	size_t shown = strlen(wak_kind_prefix((WakKind) secret->kind)) + WAK_SHOWN_DIGITS;
	ServerCall out;

	FUZZ_ASSERT(memcmp(secret, DatumGetPointer(recv->value), sizeof(*secret)) == 0);
	expect_hidden(secret, sizeof(*secret), data, len);
	SERVER_CALL(&out, wa_secret_out, in->value);
	FUZZ_ASSERT(!out.failed);
	FUZZ_ASSERT(memcmp(DatumGetCString(out.value), data, shown) == 0);
	FUZZ_ASSERT(strcmp(DatumGetCString(out.value) + shown, "\xE2\x80\xA6") == 0);
}

static void
check_secret(const uint8_t *data, size_t len)
{
	WakResult result = wak_check((const char *) data, len, NULL);
	ServerCall in;
	ServerCall recv;

	SERVER_CALL(&recv, wa_secret_recv, PointerGetDatum(server_message(data, len)));
	FUZZ_ASSERT(recv.failed == (result != WAK_OK));
	if (recv.failed)
		expect_error("invalid credential", wak_result_text(result));
	if (has_nul(data, len))
	{
		FUZZ_ASSERT(recv.failed);
		return;
	}
	SERVER_CALL(&in, wa_secret_in, CStringGetDatum(server_cstring(data, len)));
	if (both_forms(&in, &recv))
		check_secret_value(&in, &recv, data, len);
}

/* Inputs seldom have a checksum that is right, so one is made of each. */
static void
check_made_secret(const uint8_t *data, size_t len)
{
	uint8_t random[WAK_RANDOM_LENGTH] = {0};
	char made[WAK_CREDENTIAL_MAX + 1];

	if (len > 0)
		memcpy(random, data, Min(len, sizeof(random)));
	check_secret((const uint8_t *) made,
				 wak_make((WakKind) (random[0] % WAK_IMPORTED_KEY), random, made));
}

/* ---- wa.password ---- */

static void
check_password_value(const ServerCall *call, const uint8_t *data, size_t len)
{
	const WaPassword *password = (const WaPassword *) DatumGetPointer(call->value);
	ServerCall out;

	expect_hidden(password, sizeof(*password), data, len);
	SERVER_CALL(&out, wa_password_out, call->value);
	FUZZ_ASSERT(!out.failed && strcmp(DatumGetCString(out.value), "********") == 0);
}

static void
check_password(const uint8_t *data, size_t len, int encoding)
{
	bool valid =
		!has_nul(data, len) && (encoding != PG_UTF8 || utf8_valid((const char *) data, len));
	ServerCall in;
	ServerCall recv;

	server_client_encoding = encoding;
	SERVER_CALL(&recv, wa_password_recv, PointerGetDatum(server_message(data, len)));
	FUZZ_ASSERT(wa_password_is_near());
	FUZZ_ASSERT(!recv.failed || !valid || encoding != PG_UTF8 || len > WA_PASSWORD_MAX);
	FUZZ_ASSERT(recv.failed || (valid && len <= WA_PASSWORD_MAX));
	if (recv.failed)
		expect_error(valid || len > WA_PASSWORD_MAX ? "password is too long"
													: "password is not valid text",
					 NULL);
	else
		check_password_value(&recv, data, len);
	if (!valid || encoding != PG_UTF8)
		return;

	/* as text, the server has converted it already */
	SERVER_CALL(&in, wa_password_in, CStringGetDatum(server_cstring(data, len)));
	if (both_forms(&in, &recv))
		FUZZ_ASSERT(memcmp(DatumGetPointer(in.value), DatumGetPointer(recv.value),
						   sizeof(WaPassword)) == 0);
}

/* ---- wa.permissions ---- */

#define WHITE_SPACE " \t\n\r\v\f"

/* The bit of a name that may have white space around it, or 0. */
static WaPermissions
bit_of(char *name)
{
	char *rest;
	char *word = strtok_r(name, WHITE_SPACE, &rest);

	if (word == NULL || strtok_r(NULL, WHITE_SPACE, &rest) != NULL)
		return 0;
	for (int i = 0; i < WA_PERMISSION_COUNT; i++)
		if (strcmp(wa_permission_name((WaPermissions) 1 << i), word) == 0)
			return (WaPermissions) 1 << i;
	return 0;
}

/* Reads a set in another way than the extension does; false: it is none. */
static bool
read_set(char *text, WaPermissions *set)
{
	char *inside = text + strspn(text, WHITE_SPACE);
	char *end = strrchr(text, '}');
	char *name;
	int count = 0;

	*set = 0;
	if (*inside != '{')
		return (*set = bit_of(text)) != 0;
	if (end == NULL || end[1 + strspn(end + 1, WHITE_SPACE)] != '\0')
		return false;
	inside++;
	*end = '\0';
	if (inside[strspn(inside, WHITE_SPACE)] == '\0')
		return true;
	while ((name = strsep(&inside, ",")) != NULL)
	{
		WaPermissions bit = bit_of(name);

		if (bit == 0 || ++count > WA_PERMISSION_NAMES_MAX)
			return false;
		*set |= bit;
	}
	return true;
}

static void
check_permissions_value(WaPermissions set)
{
	ServerCall out;
	ServerCall again;

	FUZZ_ASSERT((set & ~WA_PERMISSIONS_BUILT_IN) == 0);
	SERVER_CALL(&out, wa_permissions_out, UInt32GetDatum(set));
	FUZZ_ASSERT(!out.failed);
	SERVER_CALL(&again, wa_permissions_in, out.value);
	FUZZ_ASSERT(!again.failed && DatumGetUInt32(again.value) == set);
}

static void
check_permissions(const uint8_t *data, size_t len)
{
	WaPermissions expected;
	ServerCall call;

	SERVER_CALL(&call, wa_permissions_recv, PointerGetDatum(server_message(data, len)));
	FUZZ_ASSERT(call.failed == (len < 4 || data[0] != 0 || data[1] != 0 || data[2] != 0 ||
								(data[3] & ~WA_PERMISSIONS_BUILT_IN) != 0));
	if (!call.failed)
		check_permissions_value(DatumGetUInt32(call.value));

	SERVER_CALL(&call, wa_permissions_in, CStringGetDatum(server_cstring(data, len)));
	FUZZ_ASSERT(call.failed == !read_set(server_cstring(data, len), &expected));
	FUZZ_ASSERT(call.failed || DatumGetUInt32(call.value) == expected);
	if (!call.failed)
		check_permissions_value(DatumGetUInt32(call.value));
	else if (utf8_valid((const char *) data, len))
		FUZZ_ASSERT(utf8_valid(server_error.text, server_error.len));
}

/* ---- TypeIDs ---- */

static void
check_typeid(const uint8_t *data, size_t len)
{
	size_t prefix_len = len > 0 ? Min(data[0] % 70u, len - 1) : 0;
	const char *shown = server_cstring(data + (len > 0 ? 1 : 0), prefix_len);
	Datum prefix = PointerGetDatum(server_text(shown, prefix_len));
	const uint8_t *rest = data + Min(len, 1 + prefix_len);
	size_t rest_len = len - Min(len, 1 + prefix_len);
	ServerCall id;
	ServerCall again;

	SERVER_CALL(&id, wa_from_typeid, prefix, PointerGetDatum(server_text(rest, rest_len)));
	if (id.failed)
	{
		/* the prefix is the caller's, and is shown; the rest is hearsay */
		if (strcmp(server_error.text, "invalid TypeID prefix") != 0)
			FUZZ_ASSERT(server_error.len ==
						strlen("invalid TypeID for prefix \"\"") + strlen(shown) + 1);
		return;
	}
	SERVER_CALL(&again, wa_typeid, prefix, id.value);
	FUZZ_ASSERT(!again.failed);
	FUZZ_ASSERT(VARSIZE_ANY_EXHDR(DatumGetPointer(again.value)) == rest_len &&
				memcmp(VARDATA_ANY(DatumGetPointer(again.value)), rest, rest_len) == 0);
}

/* What is accepted is written as one TypeID, which is read as the same value. */
static void
check_key_id(const uint8_t *data, size_t len)
{
	ServerCall id;
	ServerCall out;
	ServerCall again;

	SERVER_CALL(&id, wa_key_id_in, CStringGetDatum(server_cstring(data, len)));
	if (id.failed)
	{
		if (strcmp(server_error.text, "invalid key id") != 0)
			FUZZ_ASSERT(strcmp(server_error.text, "key id must begin with \"key_\"") == 0);
		expect_error(server_error.text, "It is \"key_\" and 26 characters, or a UUID.");
		return;
	}
	SERVER_CALL(&out, wa_key_id_out, id.value);
	FUZZ_ASSERT(!out.failed && strncmp(DatumGetCString(out.value), "key_", 4) == 0);
	SERVER_CALL(&again, wa_key_id_in, out.value);
	FUZZ_ASSERT(!again.failed);
	FUZZ_ASSERT(memcmp(DatumGetPointer(again.value), DatumGetPointer(id.value), WAK_UUID_LENGTH) ==
				0);
}

/* ---- wa.leak_report ---- */

static void
check_report(const uint8_t *data, size_t len)
{
	char mask[64];
	ServerCall report;
	ServerCall out;

	SERVER_CALL(&report, wa_leak_report_recv, PointerGetDatum(server_message(data, len)));
	FUZZ_ASSERT(!report.failed && VARSIZE_ANY_EXHDR(DatumGetPointer(report.value)) == len);
	FUZZ_ASSERT(len == 0 || memcmp(VARDATA_ANY(DatumGetPointer(report.value)), data, len) == 0);
	SERVER_CALL(&out, wa_leak_report_out, report.value);
	snprintf(mask, sizeof(mask), "(%zu bytes)", len);
	FUZZ_ASSERT(!out.failed && strcmp(DatumGetCString(out.value), mask) == 0);
	SERVER_CALL(&report, wa_leak_report_in, CStringGetDatum(server_cstring(data, len)));
	FUZZ_ASSERT(!report.failed && VARSIZE_ANY_EXHDR(DatumGetPointer(report.value)) ==
									  strnlen((const char *) data, len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check_secret(data, len);
	server_reset();
	check_made_secret(data, len);
	server_reset();
	check_password(data, len, PG_UTF8);
	server_reset();
	check_password(data, len, PG_LATIN1);
	server_reset();
	check_permissions(data, len);
	server_reset();
	check_typeid(data, len);
	server_reset();
	check_key_id(data, len);
	server_reset();
	check_report(data, len);
	server_reset();
	return 0;
}
