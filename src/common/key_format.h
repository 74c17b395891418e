/*-------------------------------------------------------------------------
 *
 * key_format.h
 *		The written form of credentials: how one is made and how one is checked.
 *
 * A credential is
 *
 *		prefix		wa_  wa_test_  wau_  was_  wad_  rt_  or  wai_
 *		body		43 base62 digits: 256 random bits, big endian, left padded
 *		checksum	6 base62 digits: CRC-32 of prefix and body
 *
 * An API key therefore has 52 characters, or 57 if it is a test key, and matches
 * wa_(test_)?[0-9A-Za-z]{49}.  The checksum finds typing and copying mistakes
 * before anything is looked up.  It protects against nothing else.
 *
 * Keys that another system issued start with wa_ too.  They have any length from
 * 20 to 128 but 52, and but 57 if they start with wa_test_.  They have no
 * checksum, so only their alphabet can be checked.
 *
 * Shared by the extension and the gateway: no allocation, no state, no
 * input/output, safe in any thread.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMMON_KEY_FORMAT_H
#define SRC_COMMON_KEY_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Random bytes in a credential. */
#define WAK_RANDOM_LENGTH 32

/* Base62 digits of the random bytes, and of the checksum behind them. */
#define WAK_BODY_LENGTH 43
#define WAK_CHECKSUM_LENGTH 6

/* The lengths of an API key and of a test key that this system made. */
#define WAK_API_KEY_LENGTH 52
#define WAK_TEST_KEY_LENGTH 57

/* The shortest and longest key that another system issued, in characters. */
#define WAK_IMPORTED_MIN 20
#define WAK_IMPORTED_MAX 128

/*
 * A prefix and this many characters of a key's alphabet may be a secret: the length of the
 * shortest key without "wa_", the shortest prefix of keys that other systems issue.  Code that
 * masks text from elsewhere masks from this length on.
 */
#define WAK_SECRET_MIN (WAK_IMPORTED_MIN - 3)

/* The length of the longest credential of any kind.  Buffers add one for the NUL. */
#define WAK_CREDENTIAL_MAX WAK_IMPORTED_MAX

/* Characters behind the prefix that may be shown, and the most characters shown with the prefix. */
#define WAK_SHOWN_DIGITS 5
#define WAK_SHOWN_MAX 13

/* A prefix that begins with another one stands before it. */
typedef enum WakKind
{
	WAK_TEST_KEY,    /* wa_test_ an API key that reaches sessions of the sandbox only */
	WAK_API_KEY,     /* wa_  belongs to an organization */
	WAK_USER_TOKEN,  /* wau_ a person in the dashboard */
	WAK_SIGN_IN,     /* was_ the sign-in cookie */
	WAK_DEVICE,      /* wad_ the cookie of a browser in which a person has signed in before */
	WAK_TICKET,      /* rt_  opens one realtime connection */
	WAK_INVITATION,  /* wai_ makes a person a member of an organization */
	WAK_IMPORTED_KEY /* wa_  issued elsewhere; only its digest is stored */
} WakKind;

typedef enum WakResult
{
	WAK_OK = 0,
	WAK_UNKNOWN_PREFIX,
	WAK_BAD_LENGTH,
	WAK_BAD_CHARACTER,
	WAK_BAD_CHECKSUM /* or a body of more than 256 bits */
} WakResult;

/*
 * Writes the credential of this kind with the 32 random bytes to "out", with a NUL.  Returns
 * its length without the NUL.  A WAK_IMPORTED_KEY cannot be made: "out" is then the empty
 * string and the result 0.  The caller owns both buffers and wipes them.
 */
extern size_t
wak_make(WakKind kind, const uint8_t random[WAK_RANDOM_LENGTH], char out[WAK_CREDENTIAL_MAX + 1]);

/*
 * Checks prefix, length, alphabet and checksum of "len" bytes at "text".  The text needs no NUL
 * and may contain any byte.  Sets *kind on WAK_OK only.  "kind" may be NULL.
 */
extern WakResult wak_check(const char *text, size_t len, WakKind *kind);

/*
 * A constant English sentence for a result.  It has nothing of the input, so it is safe to show
 * and to log.
 */
extern const char *wak_result_text(WakResult result);

/* Whether credentials of this kind are API keys, whoever has issued them. */
extern bool wak_is_key(WakKind kind);

/* The prefix of a kind, with its underscore, as a constant string. */
extern const char *wak_kind_prefix(WakKind kind);

/*
 * How many characters at the beginning of a credential of this kind may be shown: the prefix
 * and WAK_SHOWN_DIGITS more, at most WAK_SHOWN_MAX in all.
 */
extern size_t wak_shown_length(WakKind kind);

#endif
