/*
 * fuzz.h
 *		What the fuzz targets share.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* libFuzzer calls this with each input; it returns 0. */
extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A promise that does not hold is a crash, which libFuzzer reports and keeps. */
#define FUZZ_ASSERT(promise) ((promise) ? (void) 0 : abort())

#endif
