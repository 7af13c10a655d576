/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_MUTATE_REPORT_H
#define KMT_TESTS_MUTATE_REPORT_H

#include <stdbool.h>

/* What `replay --format json` says, as far as it is compared. */
struct report {
	bool is_there;	 /* else it couldn't be replayed */
	bool has_doubts; /* incomplete, or there are notes */
	bool is_likely;	 /* LEAK LIKELY */
};

/* report_parse() - and see whether it is one. Return: what is wrong with it; NULL: nothing */
const char *report_parse(const char *text, struct report *ret_report);

#endif
