/*-------------------------------------------------------------------------
 *
 * connectors.c
 *		The setting wa.connectors: which kinds of connector there are.
 *
 * A session names the kind of connector that is to run it.  A session of a kind
 * that no connector serves would stay in the state "starting" for ever, so
 * wa.create_session() accepts only the kinds in this list.  Operators who run a
 * connector of their own add its name.  The setting belongs to the server's
 * configuration or to the database; none of our logins can change it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "src/connectors.h"

/* The bound of the column wa.session.connector. */
#define NAME_MAX_BYTES 31

static char *connectors = NULL;

/* Whether this is a connector's name: a small letter, then small letters, digits, _ and -. */
static bool
is_name(const char *text, size_t len)
{
	if (len < 1 || len > NAME_MAX_BYTES || text[0] < 'a' || text[0] > 'z')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") >= len;
}

static bool
check_connectors(char **newval, void **extra, GucSource source)
{
	const char *name = *newval + strspn(*newval, " ");

	for (;;)
	{
		size_t len = strcspn(name, ", ");
		const char *end = name + len + strspn(name + len, " ");

		if (!is_name(name, len) || (*end != ',' && *end != '\0'))
		{
			GUC_check_errdetail("It takes names of connectors, separated by commas.");
			return false;
		}
		if (*end == '\0')
			return true;
		name = end + 1 + strspn(end + 1, " ");
	}
}

void
wa_connectors_init(void)
{
	DefineCustomStringVariable("wa.connectors", "The kinds of connector that sessions may have.",
							   "Names, separated by commas.", &connectors, "sandbox", PGC_SUSET, 0,
							   check_connectors, NULL, NULL);
}
