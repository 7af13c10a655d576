/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_CHANGE_H
#define KMT_TESTS_CHANGE_H

#include <stddef.h>
#include <stdint.h>

/* Changes to bytes, at random: the same ones for the same state, everywhere. */

/* splitmix64 (Steele, Lea, Flood 2014) */
uint64_t change_random(uint64_t *state);

/* 0 for a limit of 0. */
size_t change_below(uint64_t *state, size_t limit);

/* A number that lengths and offsets are often wrong about. */
uint64_t change_number(uint64_t *state);

/**
 * change_once() - flip, overwrite, leave out, say twice, cut, or put some of another input in
 * @room: what @bytes may grow to
 *
 * Return: the new size.
 */
size_t change_once(uint8_t *bytes, size_t size, size_t room, const uint8_t *other,
		   size_t other_bytes, uint64_t *state);

#endif
