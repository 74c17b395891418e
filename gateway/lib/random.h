/*
 * random.h
 *		Unpredictable bytes, generated in stock.
 *
 * Each generation takes a system call, and each request needs a few bytes.  So many bytes are
 * generated at once.
 *
 * Only one thread of a process may use this.
 */
#ifndef LIB_RANDOM_H
#define LIB_RANDOM_H

#include <stddef.h>

/* The bytes that are generated at once. */
#define RANDOM_STOCK 1024

/* Fills bytes, which no other call returns, in this process or in one forked from it. */
extern void random_fill(void *bytes, size_t len);

#endif
