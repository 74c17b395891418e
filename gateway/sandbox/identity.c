/*
 * identity.c
 *		Derives WhatsApp's ids from the database's ids.
 */
#include "sandbox/identity.h"

#include <stdio.h>
#include <string.h>

#define DIRECT_SUFFIX "@s.whatsapp.net"
#define GROUP_SUFFIX "@g.us"
#define GROUP_MEMBER "15550000001" DIRECT_SUFFIX

/* The prefix and the uuid's digits in upper case, like WhatsApp's ids. */
static void
derive_id(const char *prefix, const char *uuid, char out[WA_MESSAGE_ID_MAX + 1])
{
	size_t len = strlen(prefix);

	memcpy(out, prefix, len);
	for (; *uuid != '\0' && len < WA_MESSAGE_ID_MAX; uuid++)
	{
		if (*uuid == '-')
			continue;
		out[len++] = (char) (*uuid >= 'a' && *uuid <= 'f' ? *uuid - 'a' + 'A' : *uuid);
	}
	out[len] = '\0';
}

void
sandbox_sent_id(const char *message, char out[WA_MESSAGE_ID_MAX + 1])
{
	derive_id("3EB0", message, out);
}

void
sandbox_echo_id(const char *message, char out[WA_MESSAGE_ID_MAX + 1])
{
	derive_id("3AEC", message, out);
}

void
sandbox_typed_id(const char *message, char out[WA_MESSAGE_ID_MAX + 1])
{
	derive_id("3A0F", message, out);
}

void
sandbox_phone(const char *session, char out[PHONE_NUMBER_MAX + 1])
{
	uint64_t hash = 14695981039346656037U; /* FNV-1a */

	for (; *session != '\0'; session++)
		hash = (hash ^ (unsigned char) *session) * 1099511628211U;

	/* Ten digits after the country code, in an exchange that no telephone has. */
	snprintf(out, PHONE_NUMBER_MAX + 1, "1555%07u", (unsigned) (1000000 + hash % 9000000));
}

void
sandbox_jid(const char *phone, char out[SANDBOX_JID_MAX])
{
	snprintf(out, SANDBOX_JID_MAX, "%.*s" DIRECT_SUFFIX, PHONE_NUMBER_MAX, phone);
}

void
sandbox_qr(const char *session, char out[SANDBOX_QR_MAX])
{
	snprintf(out, SANDBOX_QR_MAX, "2@sandbox,%.*s,scanned-by-itself", UUID_TEXT_MAX, session);
}

bool
sandbox_is_dead(const char *chat_jid)
{
	return strcmp(chat_jid, SANDBOX_DEAD_PHONE DIRECT_SUFFIX) == 0;
}

bool
sandbox_asks_reaction(const char *text)
{
	return strcasestr(text, "react") != NULL;
}

bool
sandbox_asks_phone(const char *text)
{
	return strcasestr(text, "my phone") != NULL;
}

const char *
sandbox_answerer(const char *chat_jid)
{
	size_t len = strlen(chat_jid);
	size_t suffix = strlen(GROUP_SUFFIX);

	if (len > suffix && strcmp(chat_jid + len - suffix, GROUP_SUFFIX) == 0)
		return GROUP_MEMBER;
	return chat_jid;
}
