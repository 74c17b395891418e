/*-------------------------------------------------------------------------
 *
 * name.c
 *		What people may type as a name, by the rules of Unicode (ICU).
 *
 * Two names that look the same should be the same text, and no name should be
 * invisible.  So a name is normalized (NFC), and blanks of any kind become
 * single spaces.  Names with characters that cannot be seen or are none are
 * refused: controls, formats, default ignorable, unassigned and private
 * characters.  Four of the invisible characters are parts of visible ones and
 * are allowed in place: the two joiners in scripts that need them (RFC 5892,
 * appendix A) and in emoji, and the selectors behind an emoji.
 *
 * Two names look alike if they have the same skeleton (UTS #39), without regard
 * to case.
 *
 * These rules depend on the release of Unicode.  So no index and no constraint
 * uses them: a dump must be restorable into a database whose ICU is older or
 * newer.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "src/compatibility.h"
#include "src/units.h"

/* The bounds of names, as in wa.is_name() and the tables, and of email addresses. */
#define NAME_MAX_CHARACTERS 100
#define EMAIL_MAX_CHARACTERS 254

/* As many marks as languages need.  More of them in a row reach into other lines (UTS #39, 5.4). */
#define MARKS_MAX 4

#define ZERO_WIDTH_NON_JOINER 0x200C
#define ZERO_WIDTH_JOINER 0x200D
#define TEXT_SELECTOR 0xFE0E
#define EMOJI_SELECTOR 0xFE0F
#define BRAILLE_BLANK 0x2800
#define VIRAMA_CLASS 9

PG_FUNCTION_INFO_V1(wa_clean_name);
PG_FUNCTION_INFO_V1(wa_name_problem);
PG_FUNCTION_INFO_V1(wa_name_skeleton);
PG_FUNCTION_INFO_V1(wa_clean_email);

/* Returns false for a text of more than max_characters. */
static bool
read_text(text *input, int max_characters, Units *units)
{
	*units = (Units){NULL, 0};
	return pg_mbstrlen_with_len(VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input)) <= max_characters &&
		   wa_units_read(input, units);
}

static int32_t
to_nfc(const Units *from, UChar *to, int32_t capacity, UErrorCode *status)
{
	return unorm2_normalize(unorm2_getNFCInstance(status), from->text, from->len, to, capacity,
							status);
}

/* Each backend opens the checker once.  The checker's data is shared. */
static int32_t
to_skeleton(const Units *from, UChar *to, int32_t capacity, UErrorCode *status)
{
	static USpoofChecker *checker = NULL;

	if (checker == NULL)
		checker = uspoof_open(status);
	return uspoof_getSkeleton(checker, 0, from->text, from->len, to, capacity, status);
}

/* Normalizes to NFC, with one space in place of blanks of any kind, and none at the ends. */
static void
clean(Units *units)
{
	int32_t len = 0;
	bool blank = false;

	wa_units_apply(to_nfc, units);
	for (int32_t i = 0; i < units->len; i++)
	{
		if (u_charType(units->text[i]) == U_SPACE_SEPARATOR)
		{
			blank = len > 0;
			continue;
		}
		if (blank)
			units->text[len++] = ' ';
		blank = false;
		units->text[len++] = units->text[i];
	}
	units->len = len;
}

/* ---- Characters ---- */

/* The character before or behind a place, to which the place is moved; 0 at the ends. */
static UChar32
before(const Units *units, int32_t *place)
{
	UChar32 character = 0;

	if (*place > 0)
		U16_PREV(units->text, 0, *place, character);
	return character;
}

static UChar32
behind(const Units *units, int32_t *place)
{
	UChar32 character = 0;

	if (*place < units->len)
		U16_NEXT(units->text, *place, units->len, character);
	return character;
}

static UJoiningType
joining_type(UChar32 character)
{
	return (UJoiningType) u_getIntPropertyValue(character, UCHAR_JOINING_TYPE);
}

/* Whether joining letters, such as Arabic ones, stand on both sides. */
static bool
stands_between_joining_letters(const Units *units, int32_t start, int32_t end)
{
	UJoiningType left;
	UJoiningType right;

	do
		left = joining_type(before(units, &start));
	while (left == U_JT_TRANSPARENT);
	do
		right = joining_type(behind(units, &end));
	while (right == U_JT_TRANSPARENT);
	return (left == U_JT_LEFT_JOINING || left == U_JT_DUAL_JOINING) &&
		   (right == U_JT_RIGHT_JOINING || right == U_JT_DUAL_JOINING);
}

static bool
stands_between_emoji(UChar32 left, UChar32 right)
{
	return (left == EMOJI_SELECTOR || u_hasBinaryProperty(left, UCHAR_EXTENDED_PICTOGRAPHIC) ||
			u_hasBinaryProperty(left, UCHAR_EMOJI_MODIFIER)) &&
		   u_hasBinaryProperty(right, UCHAR_EXTENDED_PICTOGRAPHIC);
}

/* Whether an invisible character from start to end is part of its neighbours. */
static bool
joins_neighbours(const Units *units, UChar32 character, int32_t start, int32_t end)
{
	int32_t left_place = start;
	int32_t right_place = end;
	UChar32 left = before(units, &left_place);
	UChar32 right = behind(units, &right_place);

	switch (character)
	{
		case TEXT_SELECTOR:
		case EMOJI_SELECTOR:
			return u_hasBinaryProperty(left, UCHAR_EMOJI);
		case ZERO_WIDTH_JOINER:
			return u_getCombiningClass(left) == VIRAMA_CLASS || stands_between_emoji(left, right);
		case ZERO_WIDTH_NON_JOINER:
			return u_getCombiningClass(left) == VIRAMA_CLASS ||
				   stands_between_joining_letters(units, start, end);
		default:
			return false;
	}
}

static bool
is_mark(UChar32 character)
{
	return (U_GET_GC_MASK(character) & U_GC_M_MASK) != 0;
}

/* Signs that enclose numbers (U+0600 and others) are formats, but can be seen. */
static bool
can_be_seen(UChar32 character)
{
	return character != BRAILLE_BLANK &&
		   !u_hasBinaryProperty(character, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) &&
		   (U_GET_GC_MASK(character) & (U_GC_CC_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK)) == 0 &&
		   (u_charType(character) != U_FORMAT_CHAR ||
			u_hasBinaryProperty(character, UCHAR_PREPENDED_CONCATENATION_MARK));
}

static bool
is_assigned(UChar32 character)
{
	return (U_GET_GC_MASK(character) & (U_GC_CN_MASK | U_GC_CO_MASK | U_GC_CS_MASK)) == 0;
}

/* ---- The rule ---- */

/* What is wrong with the characters of a clean text; NULL if nothing is. */
static char *
characters_problem(const Units *units)
{
	int marks = 0;
	UChar32 last = ' ';

	for (int32_t start = 0, end = 0; end < units->len; start = end)
	{
		UChar32 character = behind(units, &end);

		if (!is_assigned(character))
			return psprintf("must not contain U+%04X, which is no character", character);
		if (!can_be_seen(character) && !joins_neighbours(units, character, start, end))
			return psprintf("must not contain U+%04X, which cannot be seen here", character);
		marks = is_mark(character) ? marks + 1 : 0;
		if (marks > MARKS_MAX)
			return psprintf("must not have more than %d marks on a letter", MARKS_MAX);
		if (is_mark(character) && last == ' ')
			return psprintf("must not have the mark U+%04X without a letter", character);
		last = character;
	}
	return NULL;
}

/* Reads and cleans what was typed.  Returns false if it has no character or too many. */
static bool
read_clean(text *input, int max_characters, Units *units)
{
	int32_t characters;

	if (!read_text(input, max_characters, units))
		return false;
	clean(units);
	characters = u_countChar32(units->text, units->len);
	return characters > 0 && characters <= max_characters;
}

/* Makes a name of what was typed.  Returns what is wrong with it, or NULL. */
static char *
read_name(text *input, int max_characters, Units *units)
{
	if (!read_clean(input, max_characters, units))
		return psprintf("must have 1 to %d characters", max_characters);
	return characters_problem(units);
}

/* The name in the form that is stored; NULL if it is no name. */
static Datum
clean_name(FunctionCallInfo fcinfo, int max_characters)
{
	Units units;

	if (read_name(PG_GETARG_TEXT_PP(0), max_characters, &units) != NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(wa_units_write(&units));
}

/* wa.name_problem(name): what is wrong with the name, or NULL. */
Datum
wa_name_problem(PG_FUNCTION_ARGS)
{
	Units units;
	char *problem = read_name(PG_GETARG_TEXT_PP(0), NAME_MAX_CHARACTERS, &units);

	if (problem == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem));
}

/* wa.clean_name(name): the name in the form that is stored; NULL if it is no name. */
Datum
wa_clean_name(PG_FUNCTION_ARGS)
{
	return clean_name(fcinfo, NAME_MAX_CHARACTERS);
}

/* wa.clean_email(email): the same for an email address.  This does not check its syntax. */
Datum
wa_clean_email(PG_FUNCTION_ARGS)
{
	return clean_name(fcinfo, EMAIL_MAX_CHARACTERS);
}

/*
 * wa.name_skeleton(name): equal for names that look alike.  Case is removed before and after,
 * because skeletons contain capitals (0 becomes O).
 */
Datum
wa_name_skeleton(PG_FUNCTION_ARGS)
{
	Units units;

	if (read_name(PG_GETARG_TEXT_PP(0), NAME_MAX_CHARACTERS, &units) != NULL)
		PG_RETURN_NULL();
	wa_units_apply(wa_units_folded, &units);
	wa_units_apply(to_skeleton, &units);
	wa_units_apply(wa_units_folded, &units);
	PG_RETURN_TEXT_P(wa_units_write(&units));
}
