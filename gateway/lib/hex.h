/*
 * hex.h
 *		Hexadecimal digits.
 */
#ifndef LIB_HEX_H
#define LIB_HEX_H

/* The value of a digit of either case; -1 when it is none. */
extern int hex_value(char c);

#endif
