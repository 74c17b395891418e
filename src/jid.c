/*-------------------------------------------------------------------------
 *
 * jid.c
 *		WhatsApp addresses (JIDs) in SQL: wa.recipient_jid(), wa.chat_jid(),
 *		wa.other_jid() and wa.chat_type().
 *
 *		NUMBER			+15551234567		a phone number, with or without the plus
 *		NUMBER@SERVER	15551234567@c.us	a person, under two names of one server
 *		DIGITS@SERVER	12036302@g.us		groups, channels, lists, hidden numbers
 *		ID@bsuid		US.1000a2@bsuid		a person whose number is not known, by
 *											the id that WhatsApp gives a business
 *
 * Every message that is sent or received and every path that names a chat is
 * read here.  These functions run no SQL, so nothing is planned for them, and
 * a sealed role can call them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "src/compatibility.h"

/* The digits of a phone number (E.164), and of WhatsApp's own numbers. */
#define PHONE_MIN 7
#define PHONE_MAX 15
#define NUMBER_MIN 5
#define NUMBER_MAX 20

/* The letters and digits of the id of a person behind the country. */
#define USER_ID_MAX 128

#define PERSON_SERVER "s.whatsapp.net"
#define STATUS_JID "status@broadcast"

/* A part of a text. */
typedef struct Part
{
	const char *at;
	size_t len;
} Part;

PG_FUNCTION_INFO_V1(wa_recipient_jid);
PG_FUNCTION_INFO_V1(wa_chat_jid);
PG_FUNCTION_INFO_V1(wa_other_jid);
PG_FUNCTION_INFO_V1(wa_chat_type);

static Part
part_of(const text *value)
{
	return (Part){VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

static bool
is_digits(Part part, size_t min, size_t max)
{
	if (part.len < min || part.len > max)
		return false;
	for (size_t i = 0; i < part.len; i++)
		if (part.at[i] < '0' || part.at[i] > '9')
			return false;
	return true;
}

static bool
is_phone(Part part)
{
	return is_digits(part, PHONE_MIN, PHONE_MAX) && part.at[0] != '0';
}

/* Groups from before 2021 have two numbers: that of the founder and the time. */
static bool
is_group(Part part)
{
	const char *hyphen = memchr(part.at, '-', part.len);
	size_t first = hyphen == NULL ? part.len : (size_t) (hyphen - part.at);

	return is_digits((Part){part.at, first}, NUMBER_MIN, NUMBER_MAX) &&
		   (hyphen == NULL ||
			is_digits((Part){hyphen + 1, part.len - first - 1}, NUMBER_MIN, NUMBER_MAX));
}

/* Of a business-scoped user id: "US.1000a2", or "US.ENT.1000a2" across businesses. */
static bool
is_user_id(Part part)
{
	static const char across[] = "ENT.";
	size_t begin = 3;

	if (part.len <= begin || part.at[0] < 'A' || part.at[0] > 'Z' || part.at[1] < 'A' ||
		part.at[1] > 'Z' || part.at[2] != '.')
		return false;
	if (part.len > begin + strlen(across) && memcmp(part.at + begin, across, strlen(across)) == 0)
		begin += strlen(across);
	if (part.len - begin > USER_ID_MAX)
		return false;
	for (size_t i = begin; i < part.len; i++)
	{
		char c = part.at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return false;
	}
	return true;
}

static bool
is_text(Part part, const char *wanted)
{
	return part.len == strlen(wanted) && memcmp(part.at, wanted, part.len) == 0;
}

/* Compares the name of a server, in which capital letters have no meaning. */
static bool
is_server(Part part, const char *wanted)
{
	if (part.len != strlen(wanted))
		return false;
	for (size_t i = 0; i < part.len; i++)
		if (pg_ascii_tolower((unsigned char) part.at[i]) != (unsigned char) wanted[i])
			return false;
	return true;
}

/* The server of an address as it is stored, or NULL if there is no such address. */
static const char *
stored_server(Part user, Part server)
{
	if (is_server(server, "c.us") || is_server(server, PERSON_SERVER))
		return is_phone(user) ? PERSON_SERVER : NULL;
	if (is_server(server, "lid"))
		return is_digits(user, NUMBER_MIN, NUMBER_MAX) ? "lid" : NULL;
	if (is_server(server, "bsuid"))
		return is_user_id(user) ? "bsuid" : NULL;
	if (is_server(server, "g.us"))
		return is_group(user) ? "g.us" : NULL;
	if (is_server(server, "newsletter"))
		return is_digits(user, NUMBER_MIN, NUMBER_MAX) ? "newsletter" : NULL;
	if (is_server(server, "broadcast"))
		return is_digits(user, NUMBER_MIN, NUMBER_MAX) || is_text(user, "status") ? "broadcast"
																				  : NULL;
	return NULL;
}

/* The address as it is stored, or NULL for what is no recipient. */
static text *
read_recipient(const text *written)
{
	Part given = part_of(written);
	const char *at = memchr(given.at, '@', given.len);
	Part user = {given.at, at == NULL ? given.len : (size_t) (at - given.at)};
	const char *server = PERSON_SERVER;

	if (at != NULL)
		server = stored_server(user, (Part){at + 1, given.len - user.len - 1});
	else
	{
		if (user.len > 0 && user.at[0] == '+')
			user = (Part){user.at + 1, user.len - 1};
		if (!is_phone(user))
			return NULL;
	}
	if (server == NULL)
		return NULL;
	return cstring_to_text(psprintf("%.*s@%s", (int) user.len, user.at, server));
}

/* wa.recipient_jid(recipient): the address as it is stored, or NULL. */
Datum
wa_recipient_jid(PG_FUNCTION_ARGS)
{
	text *jid = read_recipient(PG_GETARG_TEXT_PP(0));

	if (jid == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(jid);
}

/* wa.chat_jid(written): the same, or the text itself if it is no address. */
Datum
wa_chat_jid(PG_FUNCTION_ARGS)
{
	text *written = PG_GETARG_TEXT_PP(0);
	text *jid = read_recipient(written);

	PG_RETURN_TEXT_P(jid == NULL ? written : jid);
}

/*
 * Numbers of mobile phones that are written in two ways, with and without these digits behind
 * the country.  WhatsApp knows a person by either of them, depending on when the person joined.
 */
typedef struct Form
{
	const char *country;
	size_t area;       /* digits between the country and the extra digit */
	const char *extra; /* the digit that one form has */
	size_t rest;       /* digits behind it */
	const char *first; /* with which the rest of such a number begins */
} Form;

static const Form forms[] = {
	{"55", 2, "9", 8, "6789"},      /* Brazil: 55 11 9 8765 4321 and 55 11 8765 4321 */
	{"52", 0, "1", 10, "23456789"}, /* Mexico: 52 1 55 1234 5678 and 52 55 1234 5678 */
	{"54", 0, "9", 10, "123"},      /* Argentina: 54 9 11 1234 5678 and 54 11 1234 5678 */
};

/* The other way to write a phone number, or NULL. */
static char *
other_phone(Part phone)
{
	for (size_t i = 0; i < lengthof(forms); i++)
	{
		const Form *form = &forms[i];
		size_t before = strlen(form->country) + form->area;
		bool is_long = phone.len == before + 1 + form->rest;
		const char *rest = phone.at + before + (is_long ? 1 : 0);

		if ((!is_long && phone.len != before + form->rest) ||
			memcmp(phone.at, form->country, strlen(form->country)) != 0 ||
			(is_long && phone.at[before] != form->extra[0]) || strchr(form->first, *rest) == NULL)
			continue;
		return psprintf("%.*s%s%.*s", (int) before, phone.at, is_long ? "" : form->extra,
						(int) form->rest, rest);
	}
	return NULL;
}

/* wa.other_jid(jid): the other address of the same person, or NULL if there is none. */
Datum
wa_other_jid(PG_FUNCTION_ARGS)
{
	Part jid = part_of(PG_GETARG_TEXT_PP(0));
	const char *at = memchr(jid.at, '@', jid.len);
	Part user = {jid.at, at == NULL ? 0 : (size_t) (at - jid.at)};
	char *other = NULL;

	if (at != NULL && is_text((Part){at + 1, jid.len - user.len - 1}, PERSON_SERVER) &&
		is_phone(user))
		other = other_phone(user);
	if (other == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s@%s", other, PERSON_SERVER)));
}

static bool
ends_with(Part part, const char *end)
{
	size_t len = strlen(end);

	return part.len >= len && memcmp(part.at + part.len - len, end, len) == 0;
}

/* wa.chat_type(jid): the kind of chat that an address stands for. */
Datum
wa_chat_type(PG_FUNCTION_ARGS)
{
	Part jid = part_of(PG_GETARG_TEXT_PP(0));
	const char *type = "dm";

	if (is_text(jid, STATUS_JID))
		type = "status";
	else if (ends_with(jid, "@g.us"))
		type = "group";
	else if (ends_with(jid, "@newsletter"))
		type = "newsletter";
	else if (ends_with(jid, "@broadcast"))
		type = "broadcast";
	PG_RETURN_TEXT_P(cstring_to_text(type));
}
