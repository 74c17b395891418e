/*-------------------------------------------------------------------------
 *
 * target.c
 *		Whether requests may be made to the address in a URL of a webhook or file.
 *
 * What a host name resolves to can change at any time, so the worker and the
 * connector check it when they connect.  The form of a URL, and an address that is written in it,
 * are known when the URL is given.  Whoever gives it is told about
 * these at once, by the same rule that the programs use
 * (src/common/webhook_url.c).
 *
 * Internationalized names are kept in their ASCII form (xn--…).  That form is
 * looked up, and no two names look alike in it.
 *
 * An operator allows addresses outside the public Internet by the setting
 * wa.allowed_targets, which only the server's configuration can set.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <idn2.h>
#include <sys/socket.h>

#include "common/string.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inet.h"

#include "src/common/webhook_url.h"
#include "src/compatibility.h"
#include "src/target.h"

static char *allowed_targets = NULL;

PG_FUNCTION_INFO_V1(wa_target_problem);
PG_FUNCTION_INFO_V1(wa_target_url);

/*
 * Reads the next range of a list that is separated by commas.  Returns false at the end of the
 * list, and also with *valid false if the text is no range.
 */
static bool
next_range(const char **list, WakRange *range, bool *valid)
{
	size_t len;

	*list += strspn(*list, " ");
	if (**list == '\0')
		return false;
	len = strcspn(*list, ", ");
	*valid = wak_range_read(*list, len, range);
	*list += len + strspn(*list + len, " ");
	if (**list == ',')
		(*list)++;
	return *valid;
}

static bool
check_allowed_targets(char **newval, void **extra, GucSource source)
{
	const char *list = *newval;
	WakRange range;
	bool valid = true;

	while (next_range(&list, &range, &valid))
		;
	if (!valid)
		GUC_check_errdetail("It takes addresses and ranges like 10.0.0.0/8, separated by commas.");
	return valid;
}

void
wa_target_init(void)
{
	DefineCustomStringVariable(
		"wa.allowed_targets",
		"Addresses that webhooks and URLs of files may lead to besides those of the Internet.",
		"Addresses and ranges, separated by commas. The worker and the connector have lists of their own.",
		&allowed_targets, "", PGC_SIGHUP, 0, check_allowed_targets, NULL, NULL);
}

static bool
is_allowed(const unsigned char *bytes, size_t size)
{
	const char *list = allowed_targets;
	WakRange range;
	bool valid = true;

	while (next_range(&list, &range, &valid))
		if (wak_range_has(&range, bytes, size))
			return true;
	return false;
}

/* wa.target_problem(address): the kind of the address if it is not allowed, otherwise NULL */
Datum
wa_target_problem(PG_FUNCTION_ARGS)
{
	inet *address = PG_GETARG_INET_PP(0);
	size_t size = ip_family(address) == PGSQL_AF_INET ? 4 : 16;
	const char *kind = wak_address_kind(ip_addr(address), size);

	if (kind == NULL || is_allowed(ip_addr(address), size))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(kind));
}

/* ---- URLs ---- */

static void
refuse_url(const char *field, const char *problem)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s %s", field, problem),
					err_generic_string(PG_DIAG_COLUMN_NAME, field)));
}

#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-_."

/*
 * The host's ASCII form by IDNA 2008 with the mapping of UTS 46, as browsers make it.  One
 * character may be mapped to several.  If "/" is among them, it would be the end of the host.
 */
static char *
ascii_host(const char *field, const char *host, size_t len)
{
	char *text = pnstrdup(host, len);
	char *utf8 = pg_server_to_any(text, (int) len, PG_UTF8);
	char *coded = NULL;
	char *copy;
	size_t size;

	if (idn2_to_ascii_8z(utf8, &coded, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK ||
		strspn(coded, HOST_CHARACTERS) != strlen(coded))
	{
		idn2_free(coded);
		refuse_url(field, "cannot be used: the host is no valid international name");
	}
	size = strlen(coded) + 1;
	copy = MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_NO_OOM);
	if (copy != NULL)
		memcpy(copy, coded, size);
	idn2_free(coded);
	if (copy == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return copy;
}

/* wa.target_url(url, field): the URL as it is stored; raises 22023 if it cannot be used */
Datum
wa_target_url(PG_FUNCTION_ARGS)
{
	char *given = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *field = text_to_cstring(PG_GETARG_TEXT_PP(1));
	size_t host_len = 0;
	const char *host = wak_url_host(given, strlen(given), &host_len);
	const char *problem;
	WakUrl url;

	if (host != NULL && strlen(given) <= 4 * WAK_URL_MAX && !pg_is_ascii(pnstrdup(host, host_len)))
		given = psprintf("%.*s%s%s", (int) (host - given), given, ascii_host(field, host, host_len),
						 host + host_len);
	problem = wak_url_read(given, strlen(given), &url);
	if (problem != NULL)
		refuse_url(field, psprintf("cannot be used: %s", problem));
	if (url.address_size > 0 && wak_address_kind(url.address, url.address_size) != NULL &&
		!is_allowed(url.address, url.address_size))
		refuse_url(field, "must not lead to an address that is private or otherwise reserved");
	for (char *c = given; *c != ':'; c++)
		*c = (char) pg_ascii_tolower((unsigned char) *c);
	PG_RETURN_TEXT_P(cstring_to_text(given));
}
