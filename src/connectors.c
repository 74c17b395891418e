/*-------------------------------------------------------------------------
 *
 * connectors.c
 *		The setting wa.connectors: which kinds of connector there are.
 *
 * A session names the kind of connector that is to run it.  A kind that nobody
 * runs would leave the session starting for ever, so that wa.create_session()
 * takes those of this list only.  Who runs a connector of his own adds its name.
 * It belongs to the server's configuration or to the database, and no login of
 * ours can change it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "src/connectors.h"

/* As the column wa.session.connector has it. */
#define NAME_MAX_BYTES 31

static char *connectors = NULL;

/* Whether this is the name of a connector: small letters first, then digits, _ and - too. */
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
