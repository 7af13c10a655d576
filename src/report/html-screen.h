/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_HTML_SCREEN_H
#define KMT_REPORT_HTML_SCREEN_H

#include <stdio.h>

#include "suspects.h"

/* What the parts of the first screen of a page share. */
struct kmt_screen {
	const struct kmt_result *result;
	FILE *file;
	struct kmt_suspect suspects[KMT_SUSPECTS_SHOWN];
	size_t nr_suspects;
};

void kmt_screen_put(struct kmt_screen *screen, const char *markup);

/* "3.52 MiB in 900 objects"; of a sample, as an estimate of all */
void kmt_screen_size(struct kmt_screen *screen, const struct kmt_row *row);

/* "12 s after the start" */
void kmt_screen_after(struct kmt_screen *screen, uint64_t time_ns);

/* "12:31:07 UTC"; "": not known */
const char *kmt_screen_clock(const struct kmt_screen *screen, uint64_t time_ns, char buf[32]);

bool kmt_suspect_is_rising(const struct kmt_suspect *suspect);

/* When it began to grow, by the trace clock; 0: it doesn't, or nobody knows. */
uint64_t kmt_suspect_since(const struct kmt_suspect *suspect);

/* "+28.1 MiB/h"; @rate: bytes, of pairs objects, a second, as recorded */
const char *kmt_suspect_rate(char *buf, const struct kmt_suspect *suspect, double rate);

/* What, since when, how sure: the first suspect, if there is one. */
void kmt_screen_cards(struct kmt_screen *screen);

#endif
