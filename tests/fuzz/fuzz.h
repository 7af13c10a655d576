/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_FUZZ_H
#define KMT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Fuzz targets. Each defines one function and reads nothing but its bytes (and format files below
 * $KMT_TESTS). Linked with -fsanitize=fuzzer it is a libFuzzer target; linked with fuzz-main.c a
 * program that runs a corpus and a fixed number of mutations of it.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that holds for any input. Unlike assert() it is there in every build. */
#define MUST(claim)                                                                            \
	do {                                                                                   \
		if (!(claim)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #claim); \
			abort();                                                               \
		}                                                                              \
	} while (0)

/* The file @path below $KMT_TESTS, with a zero byte behind it; the caller frees it. */
char *fuzz_read_fixture(const char *path, size_t *ret_bytes);

#endif
