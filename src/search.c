/*-------------------------------------------------------------------------
 *
 * search.c
 *		What a search ignores: case, accents, and forms of the same letter.
 *
 * Texts are compared in a form in which letters have no case (NFKC_Casefold)
 * and no nonspacing marks of U+0300 to U+036F (accents, of any script: the
 * Cyrillic letter й becomes и), U+0591 to U+05C7 (points of Hebrew) and U+064B
 * to U+0670 (signs of short vowels in Arabic).  Marks outside these ranges stay,
 * such as the voiced mark of kana and the vowels of Devanagari; they are of the
 * decomposed form, so が contains か.
 *
 * The form depends on the release of Unicode, so no index and no constraint
 * uses it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include "fmgr.h"

#include "src/compatibility.h"
#include "src/units.h"

PG_FUNCTION_INFO_V1(wa_search_form);

/* Letters whose stroke is no mark that could be taken away. */
static const struct
{
	UChar letter;
	UChar plain;
} plain_letters[] = {{0x00F8, 'o'}, {0x0111, 'd'}, {0x0127, 'h'}, {0x0131, 'i'}, {0x0142, 'l'}};

static UChar
plain_letter(UChar letter)
{
	for (size_t i = 0; i < lengthof(plain_letters); i++)
		if (plain_letters[i].letter == letter)
			return plain_letters[i].plain;
	return letter;
}

static bool
is_ignored(UChar mark)
{
	bool in_range = (mark >= 0x0300 && mark <= 0x036F) || (mark >= 0x0591 && mark <= 0x05C7) ||
					(mark >= 0x064B && mark <= 0x0670);

	return in_range && u_charType(mark) == U_NON_SPACING_MARK;
}

static int32_t
to_decomposed(const Units *from, UChar *to, int32_t capacity, UErrorCode *status)
{
	return unorm2_normalize(unorm2_getNFDInstance(status), from->text, from->len, to, capacity,
							status);
}

/* Marks and letters that change are in Unicode's first plane, so a unit is looked at alone. */
static void
remove_marks(Units *units)
{
	int32_t len = 0;

	for (int32_t i = 0; i < units->len; i++)
		if (!is_ignored(units->text[i]))
			units->text[len++] = plain_letter(units->text[i]);
	units->len = len;
}

/* The form of a text of ASCII characters, or NULL if it has others.  Most texts are short and plain. */
static text *
ascii_form(text *input)
{
	size_t len = VARSIZE_ANY_EXHDR(input);
	const unsigned char *from = (const unsigned char *) VARDATA_ANY(input);
	text *form = palloc(VARHDRSZ + len);
	char *to = VARDATA(form);

	for (size_t i = 0; i < len; i++)
	{
		if (from[i] >= 0x80)
			return NULL;
		to[i] = (char) (from[i] >= 'A' && from[i] <= 'Z' ? from[i] + ('a' - 'A') : from[i]);
	}
	SET_VARSIZE(form, VARHDRSZ + len);
	return form;
}

/* wa.search_form(text): equal for texts that a search does not tell apart. */
Datum
wa_search_form(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	text *form = ascii_form(input);
	Units units;

	if (form != NULL)
		PG_RETURN_TEXT_P(form);
	if (!wa_units_read(input, &units))
		PG_RETURN_TEXT_P(input);
	wa_units_apply(wa_units_folded, &units);
	wa_units_apply(to_decomposed, &units);
	remove_marks(&units);
	PG_RETURN_TEXT_P(wa_units_write(&units));
}
