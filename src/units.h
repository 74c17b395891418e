/*-------------------------------------------------------------------------
 *
 * units.h
 *		Texts in ICU's form.
 *
 * All of them are in the caller's memory context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_UNITS_H
#define SRC_UNITS_H

#include "postgres.h"

#include <unicode/utypes.h>

typedef struct Units
{
	UChar *text;
	int32_t len;
} Units;

/* Makes one text of another, or says how long the result would be. */
typedef int32_t (*UnitsChange)(const Units *from, UChar *to, int32_t capacity, UErrorCode *status);

/* Returns false for a text that ICU cannot read. */
extern bool wa_units_read(text *input, Units *units);
extern text *wa_units_write(const Units *units);

/* Replaces the text by what the change makes of it.  Raises an error if ICU cannot. */
extern void wa_units_apply(UnitsChange change, Units *units);

/* The change to a form that is the same for all cases of letters (NFKC_Casefold, UAX #31). */
extern int32_t wa_units_folded(const Units *from, UChar *to, int32_t capacity, UErrorCode *status);

#endif
