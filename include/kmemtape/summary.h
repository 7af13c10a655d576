/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_SUMMARY_H
#define KMEMTAPE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/result.h"

/*
 * What a report in JSON says, as far as reports are compared or put together. The report of a tape
 * goes the same way, so that nobody can tell whether it was a tape or its report that was given.
 */

#define KMT_SUMMARY_BYTES_MAX (UINT64_C(256) << 20) /* of JSON: some hundred thousand rows */
#define KMT_SUMMARY_ROWS_MAX  500000u

/* Texts are the summary's; NULL: unknown. As in struct kmt_row, where nothing else is said. */
struct kmt_summary_row {
	const char *function, *module, *cache;
	const char *owner,
		*owner_module; /* for whom what is judged of it is; NULL: for itself, or for many */
	bool is_for_many;      /* there are others for whom it is, too */
	const char *pair, *use, *gfp, *comm;
	bool is_unknown; /* nobody knows whose code it is; else a module of NULL is built in */
	bool has_offset;
	uint64_t offset;
	uint64_t address; /* never to be compared with that of another tape */
	uint32_t space;

	uint64_t allocs, frees;
	uint64_t live_objects, live_bytes, mature_objects, mature_bytes;
	uint64_t recorder_objects;
	uint64_t oldest_age_ns;
	double scale; /* how many times what was recorded of it there is, by a sample */

	enum kmt_class class;
	double confidence;
	double per_s, per_s_low, per_s_high; /* trend: bytes; of pairs objects */
	uint64_t since_ns;		     /* trace clock; 0 if it doesn't grow */
	bool is_unloaded, is_suppressed;
	bool is_counted; /* a caller of vmalloc() as vmallocinfo counts it: what of it was added is
			    mature, and how often it was called isn't known */
};

struct kmt_summary_build_id {
	const char *module; /* NULL: the kernel */
	const char *id;
};

struct kmt_summary {
	const char *path, *kernel, *arch, *clock, *host; /* host: see kmt_known_host() */
	const char *started_at;				 /* RFC 3339, UTC */
	uint64_t nr_cpus, duration_ns, start_ns, end_ns, sample;
	bool is_complete;
	struct kmt_summary_build_id *build_ids;
	size_t nr_build_ids;

	enum kmt_leak leak;
	double confidence;
	const char *headline;
	uint64_t leaking_bytes;
	double bytes_per_s;

	uint64_t events, allocs, frees, lost, losses;
	uint64_t live_objects, live_bytes, uncertain, older_ns, grace_ns;
	bool has_free_probes;
	uint64_t snapshots;
	bool is_space_recorded[KMT_SPACE_PAIR];
	const char **pairs; /* that were recorded */
	size_t nr_pairs;
	const char **filters, **notes;
	size_t nr_filters, nr_notes;

	enum kmt_group group; /* by site, cache or module */
	struct kmt_summary_row *rows;
	size_t nr_rows, rows_room;
	bool is_cut;   /* there are more rows in truth */
	bool has_rest; /* one of them is of all call sites that were not told apart */

	char **texts; /* what all of it borrows */
	size_t nr_texts, texts_room;
};

/**
 * kmt_summary_read() - read a report in JSON, from anybody
 * @text: @bytes long, and a zero byte behind; not needed any more then
 * @name: of where it comes from, for messages
 *
 * Takes memory for what is kept of a row, as long as the row's own text, but never for all of the
 * JSON at once.
 *
 * Return: 0; -EBADMSG if it is no such report; -EPROTONOSUPPORT if it is one of a later schema;
 * -ENOTSUP if it is by something that can't be compared; -E2BIG; -ENOMEM.
 */
int kmt_summary_read(const char *text, size_t bytes, const char *name,
		     struct kmt_summary **ret_summary, struct kmt_err *err);

/* Of a result: writes its report to memory, and reads it. Return: as above. */
int kmt_summary_of_result(const struct kmt_result *result, struct kmt_summary **ret_summary,
			  struct kmt_err *err);

struct kmt_summary *kmt_summary_free(struct kmt_summary *summary);

/* It can't say that nothing leaks. As SHORT_GRACES of core/verdict.c. */
static inline bool kmt_summary_is_short(const struct kmt_summary *summary)
{
	return summary->duration_ns / 4 < summary->grace_ns;
}

/* Of the kernel (NULL) or a module; NULL: not known. */
const char *kmt_summary_build_id(const struct kmt_summary *summary, const char *module);

/* In whatever form: a redacted tape has no host, a trace.dat begins with its first event. */
bool kmt_summary_is_same_recording(const struct kmt_summary *a, const struct kmt_summary *b);

KMT_DEFINE_FREEP(struct kmt_summary *, kmt_summary_free)

#endif
