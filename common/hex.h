/*
 * hex.h
 *		Hexadecimal digits.
 */
#ifndef COMMON_HEX_H
#define COMMON_HEX_H

/* The value of a digit of either case; -1 when it is none. */
extern int wak_hex_value(char c);

#endif
