/*-------------------------------------------------------------------------
 *
 * hex.h
 *		Hexadecimal digits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMMON_HEX_H
#define SRC_COMMON_HEX_H

/* The value of a hexadecimal digit in upper or lower case; -1 if it is none. */
extern int wak_hex_value(char c);

#endif
