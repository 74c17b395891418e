/*
 * utf8.h
 *		Is it UTF-8, and how many characters has it?
 *
 * Strict, as RFC 3629 and PostgreSQL are: no overlong forms, no surrogates,
 * nothing above U+10FFFF.  A NUL byte is valid UTF-8; who does not want it
 * (PostgreSQL's text cannot hold it) asks for it apart.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length in bytes of the character at text, or 0 when it is not valid. */
extern size_t utf8_character(const char *text, size_t len);

/* Whether the whole of text is valid; the empty text is. */
extern bool utf8_valid(const char *text, size_t len);

/* The number of characters of a valid text. */
extern size_t utf8_len(const char *text, size_t len);

/*
 * Copies what fits into max bytes and a NUL behind them, never a part of a character; of a text
 * that is not valid what stands in front of the first fault.
 */
extern void utf8_copy_start(char *copy, size_t max, const char *text);

#endif
