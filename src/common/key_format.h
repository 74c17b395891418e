/*
 * key_format.h
 *		The written form of credentials: how one is made and how one is checked.
 *
 * A credential is
 *
 *		prefix		wa_  wau_  was_  wad_  rt_  or  wai_
 *		body		43 base62 digits: 256 random bits, big endian, left padded
 *		checksum	6 base62 digits: CRC-32 of prefix and body
 *
 * so that an API key has 52 characters and matches wa_[0-9A-Za-z]{49}.  The
 * checksum finds typing and copying mistakes before anything is looked up; it
 * protects against nothing else.
 *
 * Keys that another system issued start with wa_ too, have any other length
 * from 20 to 128, and carry no checksum: only their alphabet can be checked.
 *
 * Shared by the extension and the gateway: no allocation, no state, no
 * input/output, safe in any thread.
 */
#ifndef SRC_COMMON_KEY_FORMAT_H
#define SRC_COMMON_KEY_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* Random bytes in a credential. */
#define WAK_RANDOM_LENGTH 32

/* Base62 digits that hold the random bytes, and the checksum behind them. */
#define WAK_BODY_LENGTH 43
#define WAK_CHECKSUM_LENGTH 6

/* The length of an API key that this system made. */
#define WAK_API_KEY_LENGTH 52

/* Bounds, in characters, of a key that another system issued. */
#define WAK_IMPORTED_MIN 20
#define WAK_IMPORTED_MAX 128

/*
 * Behind a prefix so many characters of a key's alphabet may be a secret: the shortest
 * key, without the shortest prefix of keys that other systems issue ("wa_").  Whoever masks
 * text that comes from elsewhere masks from this length on.
 */
#define WAK_SECRET_MIN (WAK_IMPORTED_MIN - 3)

/* No credential of any kind is longer; buffers add one for the NUL. */
#define WAK_CREDENTIAL_MAX WAK_IMPORTED_MAX

/* Characters behind the prefix that may be displayed, and prefix and these. */
#define WAK_SHOWN_DIGITS 5
#define WAK_SHOWN_MAX 9

typedef enum WakKind
{
	WAK_API_KEY,     /* wa_  belongs to an organization */
	WAK_USER_TOKEN,  /* wau_ a person in the dashboard */
	WAK_SIGN_IN,     /* was_ the sign-in cookie */
	WAK_DEVICE,      /* wad_ the cookie of a browser in which a person has signed in before */
	WAK_TICKET,      /* rt_  opens one realtime connection */
	WAK_INVITATION,  /* wai_ makes a person a member of an organization */
	WAK_IMPORTED_KEY /* wa_  issued elsewhere, known by its digest only */
} WakKind;

typedef enum WakResult
{
	WAK_OK = 0,
	WAK_UNKNOWN_PREFIX,
	WAK_BAD_LENGTH,
	WAK_BAD_CHARACTER,
	WAK_BAD_CHECKSUM /* or a body that 256 bits cannot hold */
} WakResult;

/*
 * Write the credential of this kind that carries the 32 random bytes to "out",
 * with a NUL.  Returns its length without the NUL.  WAK_IMPORTED_KEY cannot be
 * made: then "out" is the empty string and the result 0.  The caller owns both
 * buffers and wipes them.
 */
extern size_t
wak_make(WakKind kind, const uint8_t random[WAK_RANDOM_LENGTH], char out[WAK_CREDENTIAL_MAX + 1]);

/*
 * Check prefix, length, alphabet and checksum of "len" bytes at "text", which
 * need no NUL behind them and may contain any byte.  On WAK_OK *kind says what
 * it is; otherwise *kind is left alone.  "kind" may be NULL.
 */
extern WakResult wak_check(const char *text, size_t len, WakKind *kind);

/*
 * A constant English sentence for a result, safe to show and to log: it holds
 * nothing of the input.
 */
extern const char *wak_result_text(WakResult result);

/* The prefix of a kind with its underscore: a constant string. */
extern const char *wak_kind_prefix(WakKind kind);

/*
 * How many leading characters of a credential of this kind may be displayed:
 * the prefix and WAK_SHOWN_DIGITS more, at most WAK_SHOWN_MAX in all.
 */
extern size_t wak_shown_length(WakKind kind);

#endif
