/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_RESULT_H
#define KMEMTAPE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/ledger.h"

/* RESULT, the border between replay and report: all that is known, with no way back to the tape. */

enum kmt_group {
	KMT_BY_SITE,
	KMT_BY_CACHE,
	KMT_BY_MODULE,
	KMT_BY_COMM,
	KMT_BY_PID,
};

enum kmt_sort {
	KMT_SORT_BYTES, /* live bytes, largest first */
	KMT_SORT_OBJECTS,
	KMT_SORT_ALLOCS,
	KMT_SORT_AGE, /* oldest live object first */
};

/* One line of the report: a call site, or whatever it is grouped by. */
struct kmt_row {
	uint64_t call_site;    /* by site; else 0 */
	const char *function;  /* by site; NULL unknown. All texts are borrowed from the result */
	uint64_t offset, size; /* in and of the function */
	bool is_unknown;       /* by site and by module: nobody knows whose code it is */
	const char *module;    /* by site and by module; NULL: built in, or unknown */
	const char *taint;     /* of the module; "" none */
	const char *cache;     /* the one that holds most of it; NULL unknown */
	uint32_t nr_caches;
	const char *comm; /* by comm and by pid; NULL unknown */
	int32_t pid;	  /* by pid; -1: interrupts */

	uint64_t allocs, frees, reused;
	uint64_t live_objects, live_bytes, requested_bytes;
	uint64_t uncertain_objects; /* of the live: their free may be among the lost events */
	uint64_t recorder_objects;  /* of the live: kmemtape's own */
	uint64_t oldest_age_ns;	    /* 0 if there is nothing live */
};

struct kmt_result {
	char *path, *kernel, *arch, *clock, *host;
	char started_at[32]; /* RFC 3339, UTC; "" unknown */
	size_t nr_cpus;
	uint64_t duration_ns;
	uint64_t older_ns;
	uint64_t sample;
	bool is_complete;
	bool has_symbols;

	struct kmt_totals totals;
	uint64_t lost; /* events, by the kernel's own count where it is larger */
	uint64_t live_bytes;
	uint64_t recorder_objects, recorder_bytes;

	enum kmt_group group;
	struct kmt_row *rows; /* sorted */
	size_t nr_rows;
	char **notes; /* what a reader must know before the numbers: one line each */
	size_t nr_notes;

	char **texts; /* what the rows borrow */
	size_t nr_texts;
};

int kmt_result_new(struct kmt_result **ret_result, struct kmt_err *err);
struct kmt_result *kmt_result_free(struct kmt_result *result);

/* Return: 0 or -ENOMEM. */
int kmt_result_note(struct kmt_result *result, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A copy that lives as long as @result; NULL for NULL. Return: 0 or -ENOMEM. */
int kmt_result_keep(struct kmt_result *result, const char *text, const char **ret_text);

/* Ties are broken by all that identifies a row, so that the order depends on the tape alone. */
void kmt_result_sort(struct kmt_result *result, enum kmt_sort sort);

KMT_DEFINE_FREEP(struct kmt_result *, kmt_result_free)

#endif
