/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_CHECK_H
#define KMT_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* TEST(the_name_is_the_claim) { ... }, and a row for it in the list of main() */
#define TEST(name) static void name(void **cmocka __attribute__((unused)))
#define ROW(name)  cmocka_unit_test(name)

#define CHECK(claim)		assert_true(claim)
#define CHECK_EQ(a, b)		assert_int_equal(a, b)
#define CHECK_TEXT(a, b)	assert_string_equal(a, b)
#define CHECK_BYTES(a, b, size) assert_memory_equal(a, b, size)

/* @text has @part in it: for messages, whose wording is not the claim */
#define CHECK_HAS(text, part)                                                              \
	do {                                                                               \
		if (!strstr(text, part))                                                   \
			fail_msg("'%s' does not say '%s'", text, part);                    \
	} while (0)

/* splitmix64 (Steele, Lea, Flood 2014): the same numbers everywhere */
static inline uint64_t check_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

#endif
