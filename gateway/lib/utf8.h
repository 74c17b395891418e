/*
 * utf8.h
 *		Checks whether text is UTF-8, and counts its characters.
 *
 * The check is as strict as RFC 3629 and PostgreSQL: no overlong forms, no surrogates,
 * nothing above U+10FFFF.  A NUL byte is valid UTF-8.  PostgreSQL's text cannot hold a NUL,
 * so a caller that sends text to it checks for NUL separately.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length in bytes of the character at text, or 0 when it is not valid. */
extern size_t utf8_character(const char *text, size_t len);

/* Whether all of text is valid; an empty text is. */
extern bool utf8_valid(const char *text, size_t len);

/* The number of characters of a valid text. */
extern size_t utf8_len(const char *text, size_t len);

/*
 * Copies as many whole characters as fit into max bytes, and a NUL after them.  If text is not
 * valid UTF-8, copying ends before the first invalid byte.
 */
extern void utf8_copy_start(char *copy, size_t max, const char *text);

#endif
