// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kmemtape/units.h"

#include "csv.h"
#include "json-rows.h"
#include "walk.h"

#define NOTHING UINT64_MAX /* a field that is empty: not known, or there is none */

/* One line in the making. */
struct line {
	FILE *file;
	bool has_field;
};

static void begin_field(struct line *line)
{
	if (line->has_field)
		(void)fputc(',', line->file);
	line->has_field = true;
}

static void put_quoted(struct line *line, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, "\"");

		(void)fwrite(text, 1, length, line->file);
		if (!text[length])
			return;
		(void)fputs("\"\"", line->file);
		text += length + 1;
	}
}

/*
 * What a text begins with. A spreadsheet takes a text that begins like a formula for one, and runs
 * it, quoted or not: from a tape, only a hostile name does, and gets an apostrophe.
 */
static const char *opening(const char *text)
{
	return *text && strchr("=+-@", *text) ? "\"'" : "\"";
}

static void put_text_field(struct line *line, const char *text)
{
	char escaped[KMT_NAME_BYTES];

	begin_field(line);
	if (!text || !*text)
		return;
	(void)fputs(opening(text), line->file);
	put_quoted(line, kmt_escape(escaped, sizeof(escaped), text));
	(void)fputc('"', line->file);
}

static void put_uint_field(struct line *line, uint64_t n)
{
	begin_field(line);
	(void)fprintf(line->file, "%" PRIu64, n);
}

static void put_real_field(struct line *line, double x)
{
	begin_field(line);
	if (isfinite(x))
		(void)fprintf(line->file, "%.3f", x);
}

static void put_symbol(struct line *line, const struct kmt_row *row)
{
	char address[32], symbol[KMT_NAME_BYTES];

	if (row->is_rest) {
		kmt_words_name(symbol, KMT_BY_SITE, row);
		put_text_field(line, NULL);
		put_text_field(line, symbol);
		put_text_field(line, NULL);
		return;
	}
	(void)snprintf(address, sizeof(address), "0x%" PRIx64, row->call_site);
	put_text_field(line, row->call_site ? address : NULL);
	put_text_field(line, row->function);
	(void)snprintf(symbol, sizeof(symbol), "%s+0x%" PRIx64, row->function ? row->function : "",
		       row->offset);
	put_text_field(line, row->function && row->call_site ? symbol : NULL);
}

/* Outermost first, as in folded stacks. */
static void put_stack(struct line *line, const struct kmt_row *row, bool is_by_stack)
{
	char name[KMT_NAME_BYTES];

	begin_field(line);
	if (!is_by_stack || !row->nr_frames)
		return;
	for (size_t i = row->nr_frames; i > 0; i--) {
		kmt_walk_frame_name(name, &row->frames[i - 1]);
		(void)fputs(i == row->nr_frames ? opening(name) : ";", line->file);
		put_quoted(line, name);
	}
	(void)fputc('"', line->file);
}

/* In this order */
static const char header[] =
	"call_site,function,symbol,module,cache,space,use,comm,pid,owner,lines,stack,"
	"allocs,frees,reused,alloc_bytes,live_objects,live_bytes,requested_bytes,"
	"mature_objects,mature_bytes,uncertain_objects,oldest_age_ns,counted,"
	"class,confidence,rate_bytes_per_s,trend,growing_since_ns,suppressed,"
	"host,kernel,started_at,duration_ns,lost,losses,complete,sample\r\n";

static void put_names(struct line *line, const struct kmt_result *result, const struct kmt_row *row)
{
	bool is_by_pid = result->group == KMT_BY_PID && row->pid >= 0;

	put_symbol(line, row);
	put_text_field(line, row->module);
	put_text_field(line, row->cache);
	put_text_field(line, kmt_json_space(row->space));
	put_text_field(line, row->space == KMT_SPACE_PAGE ? kmt_json_use(row->use) : NULL);
	put_text_field(line, row->comm);
	if (is_by_pid)
		put_uint_field(line, (uint64_t)row->pid);
	else
		begin_field(line);
	put_text_field(line, row->owner);
	put_text_field(line, row->lines);
	put_stack(line, row, result->group == KMT_BY_STACK);
}

static void put_numbers(struct line *line, const struct kmt_result *result,
			const struct kmt_row *row)
{
	bool has_size = kmt_row_has_size(row);
	const uint64_t numbers[] = { row->allocs,
				     row->frees,
				     row->reused,
				     has_size ? row->alloc_bytes : NOTHING,
				     row->live_objects,
				     has_size ? row->live_bytes : NOTHING,
				     has_size ? row->requested_bytes : NOTHING,
				     row->mature_objects,
				     has_size ? row->mature_bytes : NOTHING,
				     row->uncertain_objects,
				     row->live_objects ? row->oldest_age_ns : NOTHING };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i] == NOTHING)
			begin_field(line);
		else
			put_uint_field(line, numbers[i]);
	}
	put_uint_field(line, has_size && kmt_result_counts(result, row->space, row->use));
}

static void put_judgement(struct line *line, const struct kmt_row *row)
{
	const struct kmt_judgement *judgement = &row->judgement;

	put_text_field(line, kmt_class_name(judgement->class));
	put_real_field(line, judgement->confidence);
	if (kmt_row_has_size(row))
		put_real_field(line, judgement->trend.bytes_per_s);
	else
		begin_field(line);
	put_text_field(line, kmt_shape_name(judgement->trend.shape));
	if (judgement->trend.since_ns)
		put_uint_field(line, judgement->trend.since_ns);
	else
		begin_field(line);
	put_uint_field(line, row->is_suppressed);
}

/* The same in each line: lines of many tapes may be put together. */
static void put_tape(struct line *line, const struct kmt_result *result)
{
	put_text_field(line, result->host);
	put_text_field(line, result->kernel);
	put_text_field(line, result->started_at);
	put_uint_field(line, result->duration_ns);
	put_uint_field(line, result->lost);
	put_uint_field(line, result->totals.losses); /* of some nobody knows how many it were */
	put_uint_field(line, result->is_complete);
	put_uint_field(line, result->sample);
}

int kmt_report_csv(const struct kmt_result *result, const struct kmt_report_options *options,
		   FILE *file, struct kmt_err *err)
{
	size_t nr = kmt_walk_nr(result, options);

	(void)err;
	(void)fputs(header, file);
	for (size_t i = 0; i < nr; i++) {
		struct line line = { .file = file };

		put_names(&line, result, &result->rows[i]);
		put_numbers(&line, result, &result->rows[i]);
		put_judgement(&line, &result->rows[i]);
		put_tape(&line, result);
		(void)fputs("\r\n", file);
	}
	return 0;
}
