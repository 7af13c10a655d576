/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_DIAGNOSIS_H
#define KMEMTAPE_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kmemtape/err.h"

/* What `kmemtape doctor` found out about a running kernel, without recording it. */

#define KMT_DIAGNOSIS_TEXT_BYTES 192
#define KMT_DIAGNOSIS_NAME_BYTES 128
#define KMT_DIAGNOSIS_ITEMS_MAX	 64u /* the largest */
#define KMT_DIAGNOSIS_LINES_MAX	 32u

enum kmt_suspicion {
	KMT_SUSPICION_NONE,
	KMT_SUSPICION_UNKNOWN, /* what would tell can't be read */
	KMT_SUSPICION_WATCH,   /* large, which proves nothing */
	KMT_SUSPICION_GROWING, /* while it was watched */
};

/* One counter: a line of meminfo, a slab cache, a caller of vmalloc. */
struct kmt_diagnosis_item {
	char name[KMT_DIAGNOSIS_NAME_BYTES];
	uint64_t bytes;
	uint64_t count;	     /* objects, areas; 0 where there are none to count */
	int64_t grown_bytes; /* while it was watched; else 0 */
	int64_t grown_count;
	bool is_growing;     /* steadily: see diagnose.c */
	bool is_reclaimable; /* memory pressure gives it back */
};

struct kmt_diagnosis_module {
	char name[64];
	char taint[16]; /* "OE"; "" none */
	uint64_t bytes; /* of its code and data, not of what it allocated */
};

struct kmt_diagnosis_finding {
	enum kmt_suspicion suspicion;
	char text[KMT_DIAGNOSIS_TEXT_BYTES];
};

enum kmt_answer {
	KMT_ANSWER_NO,
	KMT_ANSWER_YES,
	KMT_ANSWER_UNKNOWN,
};

/* Something that recording needs or uses, and what to do about it where it's missing. */
struct kmt_diagnosis_ability {
	const char *name; /* static */
	enum kmt_answer answer;
	char text[KMT_DIAGNOSIS_TEXT_BYTES];
};

struct kmt_diagnosis {
	char kernel[KMT_DIAGNOSIS_NAME_BYTES], arch[KMT_DIAGNOSIS_NAME_BYTES];
	size_t nr_cpus;
	enum kmt_suspicion suspicion;
	char headline[KMT_DIAGNOSIS_TEXT_BYTES];
	uint64_t watched_ns; /* 0: one look only */
	size_t nr_readings;
	uint64_t total_bytes; /* of memory */

	struct kmt_diagnosis_finding findings[KMT_DIAGNOSIS_LINES_MAX]; /* the worst first */
	size_t nr_findings;
	struct kmt_diagnosis_item memory[KMT_DIAGNOSIS_LINES_MAX];
	size_t nr_memory;
	bool has_caches, has_callers;				   /* the file could be read */
	struct kmt_diagnosis_item caches[KMT_DIAGNOSIS_ITEMS_MAX]; /* growing ones, then by bytes */
	size_t nr_caches;
	struct kmt_diagnosis_item callers[KMT_DIAGNOSIS_ITEMS_MAX];
	size_t nr_callers;
	bool has_modules;
	size_t nr_all_modules;
	struct kmt_diagnosis_module modules[KMT_DIAGNOSIS_ITEMS_MAX]; /* out of tree first */
	size_t nr_modules;
	struct kmt_diagnosis_ability abilities[KMT_DIAGNOSIS_LINES_MAX];
	size_t nr_abilities;
	char command[KMT_DIAGNOSIS_TEXT_BYTES]; /* to type next */
};

/* "none", "growing" */
const char *kmt_suspicion_name(enum kmt_suspicion suspicion);

/* For people, 80 columns. Names that come from the kernel are made safe for a terminal. */
void kmt_diagnosis_text(const struct kmt_diagnosis *diagnosis, FILE *file);

/* Schema 1: keys may be added, never renamed. Return: 0 or -ENOMEM. */
int kmt_diagnosis_json(const struct kmt_diagnosis *diagnosis, FILE *file, struct kmt_err *err);

#endif
