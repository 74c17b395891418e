/*
 * hex.h
 *		Hexadecimal digits.
 */
#ifndef SRC_COMMON_HEX_H
#define SRC_COMMON_HEX_H

/* The value of a digit of either case; -1 when it is none. */
extern int wak_hex_value(char c);

#endif
