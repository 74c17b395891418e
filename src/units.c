/*-------------------------------------------------------------------------
 *
 * units.c
 *		Between the server's texts and ICU's.
 *
 *-------------------------------------------------------------------------
 */
#include "src/units.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "src/compatibility.h"

bool
wa_units_read(text *input, Units *units)
{
	char *utf8 = text_to_cstring(input);
	UErrorCode status = U_ZERO_ERROR;
	size_t size;

	utf8 = pg_server_to_any(utf8, (int) strlen(utf8), PG_UTF8);
	size = strlen(utf8) + 1; /* no character has more units than bytes */
	*units = (Units){palloc(size * sizeof(UChar)), 0};
	u_strFromUTF8(units->text, (int32_t) size, &units->len, utf8, -1, &status);
	return U_SUCCESS(status);
}

text *
wa_units_write(const Units *units)
{
	int32_t size = units->len * 3 + 1;
	char *utf8 = palloc(size);
	int32_t len;
	UErrorCode status = U_ZERO_ERROR;

	u_strToUTF8(utf8, size, &len, units->text, units->len, &status);
	if (U_FAILURE(status))
		elog(ERROR, "could not convert a text: %s", u_errorName(status));
	return cstring_to_text(pg_any_to_server(utf8, len, PG_UTF8));
}

/* Asks for the length first, because a single character can become 18. */
void
wa_units_apply(UnitsChange change, Units *units)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t len = change(units, NULL, 0, &status);
	UChar *changed = palloc((len + 1) * sizeof(UChar));

	status = U_ZERO_ERROR;
	len = change(units, changed, len + 1, &status);
	if (U_FAILURE(status))
		elog(ERROR, "could not convert a text: %s", u_errorName(status));
	units->text = changed;
	units->len = len;
}

int32_t
wa_units_folded(const Units *from, UChar *to, int32_t capacity, UErrorCode *status)
{
	return unorm2_normalize(unorm2_getNFKCCasefoldInstance(status), from->text, from->len, to,
							capacity, status);
}
