// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/units.h"

#include "walk.h"

#define REMARK_BYTES 1200

size_t kmt_walk_nr(const struct kmt_result *result, const struct kmt_report_options *options)
{
	return options->top && options->top < result->nr_rows ? options->top : result->nr_rows;
}

void kmt_walk_start(struct kmt_walk *walk, const struct kmt_result *result,
		    const struct kmt_report_options *options)
{
	walk->result = result;
	walk->next = 0;
	walk->nr = kmt_walk_nr(result, options);
}

static const char *text_or(const char *text, const char *otherwise)
{
	return text && *text ? text : otherwise;
}

/* What a row is called that is no code, as it is on the tape. */
static const char *name_of(struct kmt_walk *walk, const struct kmt_row *row)
{
	char kind[KMT_NAME_BYTES];

	switch (walk->result->group) {
	case KMT_BY_CACHE:
		(void)snprintf(
			walk->name, sizeof(walk->name), "%s",
			text_or(row->cache, text_or(kmt_words_kind(kind, row), "(unknown cache)")));
		break;
	case KMT_BY_MODULE:
		(void)snprintf(walk->name, sizeof(walk->name), "%s",
			       text_or(row->module, row->is_unknown ? "(unknown)" : "(built in)"));
		break;
	case KMT_BY_COMM:
		(void)snprintf(walk->name, sizeof(walk->name), "%s",
			       text_or(row->comm, "(unknown)"));
		break;
	case KMT_BY_PID:
		if (row->pid < 0)
			return text_or(row->comm, "<interrupt>");
		/* As in the kernel's own traces */
		(void)snprintf(walk->name, sizeof(walk->name), "%s-%d",
			       text_or(row->comm, "(unknown)"), row->pid);
		break;
	default: /* pages without a stack */
		(void)snprintf(walk->name, sizeof(walk->name), "%s by %s",
			       text_or(row->gfp, "pages"), text_or(row->comm, "(unknown)"));
	}
	return walk->name;
}

static bool is_of_code(enum kmt_group group)
{
	return group == KMT_BY_SITE || group == KMT_BY_STACK || group == KMT_BY_OWNER;
}

/* The frame that stands for a row. */
static const struct kmt_frame *stand_in(struct kmt_walk *walk, const struct kmt_row *row)
{
	walk->alone = (struct kmt_frame){
		.address = row->call_site,
		.function = row->function,
		.offset = row->offset,
		.size = row->size,
		.module = row->module,
		.taint = row->taint,
		.lines = row->lines,
	};
	if (row->is_rest) {
		kmt_words_name(walk->name, walk->result->group, row);
		walk->alone = (struct kmt_frame){ .function = walk->name, .taint = "" };
	} else if (!is_of_code(walk->result->group)) {
		walk->alone.function = name_of(walk, row);
		walk->alone.module = NULL;
	} else if (!row->function && !row->call_site) {
		walk->alone.function = row->gfp ? name_of(walk, row) : "(unknown)";
	}
	return &walk->alone;
}

bool kmt_walk_next(struct kmt_walk *walk, struct kmt_walk_sample *ret_sample)
{
	while (walk->next < walk->nr) {
		const struct kmt_row *row = &walk->result->rows[walk->next++];
		bool has_stack = walk->result->group == KMT_BY_STACK && row->nr_frames;

		/* References to objects that are in another row already */
		if (!kmt_row_has_size(row) ||
		    !kmt_result_counts(walk->result, row->space, row->use))
			continue;
		*ret_sample = (struct kmt_walk_sample){
			.row = row,
			.frames = has_stack ? row->frames : stand_in(walk, row),
			.nr_frames = has_stack ? row->nr_frames : 1,
			.has_stack = has_stack,
		};
		return true;
	}
	return false;
}

/*
 * Into @name, KMT_NAME_BYTES long, from a text that is escaped but for semicolons. Of one that is
 * too long, whole characters are left.
 */
static void copy_name(char *name, const char *text)
{
	size_t nr = 0;

	for (; *text && nr + sizeof("\\x3b") <= KMT_NAME_BYTES; text++) {
		if (*text == ';')
			nr += (size_t)snprintf(name + nr, KMT_NAME_BYTES - nr, "\\x3b");
		else
			name[nr++] = *text;
	}
	for (; ((unsigned char)*text & 0xc0) == 0x80; text--)
		nr--;
	name[nr] = '\0';
}

void kmt_walk_frame_name(char *name, const struct kmt_frame *frame)
{
	char function[KMT_ESCAPED_BYTES], module[KMT_ESCAPED_BYTES], text[KMT_NAME_BYTES];

	if (frame->function)
		(void)kmt_escape(function, sizeof(function), frame->function);
	else
		(void)snprintf(function, sizeof(function), "0x%" PRIx64, frame->address);
	if (frame->module)
		(void)snprintf(text, sizeof(text), "%s [%s]", function,
			       kmt_escape(module, sizeof(module), frame->module));
	else
		(void)snprintf(text, sizeof(text), "%s", function);
	copy_name(name, text);
}

bool kmt_walk_root_name(char *name, const struct kmt_walk_sample *sample)
{
	char module[KMT_ESCAPED_BYTES], text[KMT_NAME_BYTES];

	if (sample->has_stack || !sample->frames[0].address)
		return false;
	(void)kmt_escape(module, sizeof(module), text_or(sample->frames[0].module, "vmlinux"));
	(void)snprintf(text, sizeof(text), "[%s]", module);
	copy_name(name, text);
	return true;
}

bool kmt_walk_wall_time(const struct kmt_result *result, uint64_t time_ns, int64_t *ret_ns)
{
	return result->wall_offset_ns && time_ns && time_ns <= INT64_MAX &&
	       !__builtin_add_overflow(result->wall_offset_ns, (int64_t)time_ns, ret_ns);
}

/* What is in rows and not in the walk, whatever @options say. */
static uint64_t bytes_left_out(const struct kmt_result *result)
{
	uint64_t bytes = 0;

	for (int use = 0; use < KMT_USES; use++)
		if (!kmt_result_counts(result, KMT_SPACE_PAGE, (enum kmt_use)use))
			bytes += result->page_bytes_by_use[use];
	return bytes;
}

/* What is in a walk over all rows, and not in that over those that are shown. */
static uint64_t bytes_not_shown(const struct kmt_result *result,
				const struct kmt_report_options *options)
{
	struct kmt_walk walk = { .result = result,
				 .next = kmt_walk_nr(result, options),
				 .nr = result->nr_rows };
	struct kmt_walk_sample sample;
	uint64_t bytes = 0;

	while (kmt_walk_next(&walk, &sample))
		bytes += sample.row->live_bytes;
	return bytes;
}

void kmt_walk_remarks(const struct kmt_result *result, const struct kmt_report_options *options,
		      void (*add)(void *context, const char *line), void *context)
{
	size_t nr_not_shown = result->nr_rows - kmt_walk_nr(result, options);
	char line[REMARK_BYTES], size[KMT_UNITS_BYTES];

	add(context, kmt_escape(line, sizeof(line), result->verdict.headline));
	if (result->lost || result->totals.losses)
		(void)snprintf(line, sizeof(line),
			       "lost events: %s in %" PRIu64
			       " places: what looks live may have been freed then",
			       kmt_words_lost(size, result), result->totals.losses);
	else
		(void)snprintf(line, sizeof(line), "lost events: 0");
	add(context, line);
	if (!result->is_complete)
		add(context, "the tape is not complete");
	if (result->sample > 1) {
		(void)snprintf(line, sizeof(line),
			       "a sample of 1/%" PRIu64
			       ": numbers are as recorded, and not estimates of all",
			       result->sample);
		add(context, line);
	}
	if (bytes_left_out(result)) {
		(void)snprintf(line, sizeof(line),
			       "left out: %s of pages of users and files, or that are in it as "
			       "slab, vmalloc or per-CPU memory",
			       kmt_format_size(size, bytes_left_out(result)));
		add(context, line);
	}
	if (nr_not_shown) {
		(void)snprintf(
			line, sizeof(line),
			"left out: %zu rows with %s, behind the first %zu that --top asked for",
			nr_not_shown, kmt_format_size(size, bytes_not_shown(result, options)),
			kmt_walk_nr(result, options));
		add(context, line);
	}
	for (size_t i = 0; i < result->nr_notes; i++)
		add(context, kmt_escape(line, sizeof(line), result->notes[i]));
}
