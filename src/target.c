/*-------------------------------------------------------------------------
 *
 * target.c
 *		Whether a webhook may lead to an address that its URL spells out.
 *
 * What a name leads to can change at any time and is the worker's to look at,
 * when it connects.  An address that is written out in a URL is known when the
 * webhook is made, and whoever makes it is told at once.
 *
 * An operator allows addresses besides those of the Internet at large by the
 * setting wa.allowed_targets, which only the server's configuration can set.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/socket.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inet.h"

#include "common/address.h"
#include "src/target.h"

static char *allowed_targets = NULL;

PG_FUNCTION_INFO_V1(wa_target_problem);

/*
 * The next range of a list that is separated by commas; false at its end, or
 * with *valid false where it is none.
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
		"wa.allowed_targets", "Addresses that webhooks may lead to besides those of the Internet.",
		"Addresses and ranges, separated by commas. The worker has a list of its own.",
		&allowed_targets, "", PGC_SIGHUP, 0, check_allowed_targets, NULL, NULL);
}

static bool
is_allowed(const unsigned char *bytes, size_t size)
{
	const char *list = allowed_targets;
	WakRange range;
	bool valid = true;

	while (next_range(&list, &range, &valid))
	{
		if (wak_range_has(&range, bytes, size))
			return true;
	}
	return false;
}

/* wa.target_problem(address): what kind of address it is, if none that is allowed */
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
