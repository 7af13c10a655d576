/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_WALK_H
#define KMT_REPORT_WALK_H

#include "kmemtape/report.h"

#include "words.h"

#define KMT_WALK_FRAMES_MAX 64u /* of a stack: deeper ones were cut when they were read */

/*
 * What profiles are made of: the rows that are shown, as far as live_bytes of the result has them,
 * each with a stack. A row that has none, or is more than one stack, has one frame, that stands
 * for it. The numbers of all add up to those of the JSON report.
 */
struct kmt_walk {
	const struct kmt_result *result;
	size_t next, nr;	   /* of the rows */
	struct kmt_frame alone;	   /* stands for a row */
	char name[KMT_NAME_BYTES]; /* of @alone, if it is no function */
};

struct kmt_walk_sample {
	const struct kmt_row *row;
	const struct kmt_frame *frames; /* innermost first */
	size_t nr_frames;		/* at least 1 */
	bool has_stack;
};

/* How many of the rows are shown. */
size_t kmt_walk_nr(const struct kmt_result *result, const struct kmt_report_options *options);

void kmt_walk_start(struct kmt_walk *walk, const struct kmt_result *result,
		    const struct kmt_report_options *options);

/* @ret_sample: valid until the next call on @walk. Return: false: there is no more. */
bool kmt_walk_next(struct kmt_walk *walk, struct kmt_walk_sample *ret_sample);

/*
 * "foo", "foo [module]", "0xADDRESS": made safe for a terminal, and without a semicolon, by which
 * frames are told apart in some formats; @name is KMT_NAME_BYTES long.
 */
void kmt_walk_frame_name(char *name, const struct kmt_frame *frame);

/*
 * What stands below a sample without a stack, so that a graph is divided at all: "[module]",
 * "[vmlinux]". Return: false: it has a stack, or is no code.
 */
bool kmt_walk_root_name(char *name, const struct kmt_walk_sample *sample);

/* A time of the trace clock as nanoseconds since 1970. Return: false: not known. */
bool kmt_walk_wall_time(const struct kmt_result *result, uint64_t time_ns, int64_t *ret_ns);

/*
 * What an export of numbers alone has to say of them: loss, damage, sampling, what was left out.
 * Each is one line, made safe for a terminal.
 */
void kmt_walk_remarks(const struct kmt_result *result, const struct kmt_report_options *options,
		      void (*add)(void *context, const char *line), void *context);

#endif
