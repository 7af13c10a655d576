/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_WORDS_H
#define KMEMTAPE_WORDS_H

#include <stdint.h>

#include "kmemtape/result.h"

/* Numbers and names of a result as all reports write them. Names are safe for a terminal. */

#define KMT_NAME_BYTES	  1100 /* a function and a module, escaped */
#define KMT_ESCAPED_BYTES 512

/* Numbers for people; @buf is KMT_UNITS_BYTES long, and returned, but where there is a fixed text.
 */

/* Exact as long as it fits: a maintainer compares it with what a driver printed. */
const char *kmt_words_count(char *buf, uint64_t n);

/* "12"; "an unknown number": events that were lost in at least one place, nobody knows how many. */
const char *kmt_words_lost(char *buf, const struct kmt_result *result);

/* Never "100 %" of what isn't all, nor "0 %" of something. */
const char *kmt_words_percent(char *buf, uint64_t part, uint64_t whole);

/* "+1.81 GiB", "-12 KiB", "+0" */
const char *kmt_words_growth(char *buf, int64_t bytes);

/* "+286 MiB/h" */
const char *kmt_words_rate(char *buf, double bytes_per_s);

/* "0.97"; never "1.00" of what is below 1 */
const char *kmt_words_confidence(char *buf, double confidence);

/* What a row has, if it isn't of the slab: "vmalloc"; NULL. @buf is KMT_NAME_BYTES long. */
const char *kmt_words_kind(char *buf, const struct kmt_row *row);

/* "about 1.2 GiB (0.9 GiB to 1.5 GiB)" */
const char *kmt_words_estimate(char *buf, double value, double low, double high);

/* "+12/h" */
const char *kmt_words_count_rate(char *buf, double objects_per_s);

/* What a row is called; @name is KMT_NAME_BYTES long. */
void kmt_words_name(char *name, enum kmt_group group, const struct kmt_row *row);

/* The same of a frame. */
void kmt_words_frame(char *name, const struct kmt_frame *frame);

/* Whom a suspicion of @row is about: "foo_rx [foo] (by __alloc_skb+0x8c/0x1a0)", if it allocates
 * for somebody; else its name. */
void kmt_words_blamed(char *name, enum kmt_group group, const struct kmt_row *row);

#endif
