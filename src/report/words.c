// SPDX-License-Identifier: LGPL-2.1-only
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "kmemtape/units.h"

#include "words.h"

#define COUNT_EXACT_MAX	 9999999u
#define UNIT_LETTERS_MAX 3
#define SECONDS_AN_HOUR	 3600.0
#define SIZE_MAX_AS_REAL 1.8e19 /* just below 2^64 */

const char *kmt_words_count(char *buf, uint64_t n)
{
	if (n > COUNT_EXACT_MAX)
		return kmt_format_count(buf, n);
	(void)snprintf(buf, KMT_UNITS_BYTES, "%" PRIu64, n);
	return buf;
}

const char *kmt_words_lost(char *buf, const struct kmt_result *result)
{
	if (!result->lost && result->totals.losses)
		return "an unknown number";
	return kmt_words_count(buf, result->lost);
}

const char *kmt_words_percent(char *buf, uint64_t part, uint64_t whole)
{
	if (whole == 0)
		return "-";
	if (part > 0 && part < whole && (double)part / (double)whole > 0.9994)
		return "99.9 %";
	if (part > 0 && (double)part / (double)whole < 0.0005)
		return "< 0.1 %";
	(void)snprintf(buf, KMT_UNITS_BYTES, "%.1f %%", 100.0 * (double)part / (double)whole);
	return buf;
}

static const char *with_sign(char *buf, bool is_negative, uint64_t bytes, const char *unit)
{
	char size[KMT_UNITS_BYTES];

	if (bytes == 0)
		return "+0";
	(void)snprintf(buf, KMT_UNITS_BYTES, "%c%.20s%s", is_negative ? '-' : '+',
		       kmt_format_size(size, bytes), unit);
	return buf;
}

const char *kmt_words_growth(char *buf, int64_t bytes)
{
	return with_sign(buf, bytes < 0, bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes, "");
}

const char *kmt_words_rate(char *buf, double bytes_per_s)
{
	double an_hour = (bytes_per_s < 0 ? -bytes_per_s : bytes_per_s) * SECONDS_AN_HOUR;

	if (!(an_hour < SIZE_MAX_AS_REAL)) /* NaN, too */
		return "-";
	return with_sign(buf, bytes_per_s < 0, (uint64_t)(an_hour + 0.5), "/h");
}

const char *kmt_words_confidence(char *buf, double confidence)
{
	/* Cut, not rounded. The epsilon is for 0.29 and its like, which is a little less. */
	int percent = confidence > 0 ? (int)((confidence > 1 ? 1 : confidence) * 100 + 1e-9) : 0;

	(void)snprintf(buf, KMT_UNITS_BYTES, "%d.%02d", percent / 100, percent % 100);
	return buf;
}

/* Two columns for all that may be wide: a line may be broken early, never too late. */
size_t kmt_words_columns(const char *text)
{
	size_t columns = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		columns += *p < 0x80 || (*p >= 0xc0 && *p < 0xe0) ? 1 : *p >= 0xe0 ? 2 : 0;
	return columns;
}

void kmt_line_begin(struct kmt_line *line, FILE *file, const char *head, size_t indent, size_t gap)
{
	*line = (struct kmt_line){ .file = file, .indent = indent, .gap = gap };
	fputs(head, file);
	line->used = kmt_words_columns(head);
}

void kmt_line_add(struct kmt_line *line, const char *part)
{
	size_t columns = kmt_words_columns(part);
	size_t gap = line->has_part ? line->gap : 0;

	if (line->has_part && line->used + gap + columns > KMT_COLUMNS) {
		fprintf(line->file, "\n%*s", (int)line->indent, "");
		line->used = line->indent;
		gap = 0;
	}
	fprintf(line->file, "%*s%s", (int)gap, "", part);
	line->used += gap + columns;
	line->has_part = true;
}

void kmt_line_addf(struct kmt_line *line, const char *fmt, ...)
{
	char part[KMT_NAME_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(part, sizeof(part), fmt, args);
	va_end(args);
	kmt_line_add(line, part);
}

void kmt_line_add_sources(struct kmt_line *line, const char *lines)
{
	char text[KMT_NAME_BYTES];

	if (!lines)
		return;
	kmt_escape(text, sizeof(text), lines);
	for (char *part = text, *next; part; part = next) {
		next = strstr(part, " < ");
		if (next)
			*next++ = '\0';
		kmt_line_add(line, part);
	}
}

void kmt_line_end(struct kmt_line *line)
{
	fputc('\n', line->file);
}

/* "256 MiB" is not torn apart, nor "5 h", nor "8 of". */
static bool belong_together(const char *word, const char *next)
{
	size_t unit = next ? strcspn(next, ",;.)/") : 0;

	return isdigit((unsigned char)word[*word == '+' || *word == '-' || *word == '(']) &&
	       isdigit((unsigned char)word[strlen(word) - 1]) && unit >= 1 &&
	       unit <= UNIT_LETTERS_MAX;
}

void kmt_words_wrap(FILE *file, const char *head, size_t indent, const char *sentence)
{
	char text[KMT_NAME_BYTES], *rest = NULL, *next;
	struct kmt_line line;

	kmt_escape(text, sizeof(text), sentence);
	kmt_line_begin(&line, file, head, indent, 1);
	for (char *word = strtok_r(text, " ", &rest); word; word = next) {
		next = strtok_r(NULL, " ", &rest);
		if (belong_together(word, next)) {
			kmt_line_addf(&line, "%s %s", word, next);
			next = strtok_r(NULL, " ", &rest);
		} else {
			kmt_line_add(&line, word);
		}
	}
	kmt_line_end(&line);
}

static const char *const use_words[KMT_USES] = {
	[KMT_USE_KERNEL] = "pages",
	[KMT_USE_SLAB] = "pages of the slab",
	[KMT_USE_VMALLOC] = "pages of vmalloc",
	[KMT_USE_PERCPU] = "pages of per-CPU memory",
	[KMT_USE_USER] = "pages of users and files",
	[KMT_USE_PAGE_TABLE] = "page tables",
	[KMT_USE_STACK] = "stacks of tasks",
	[KMT_USE_UNKNOWN] = "pages, whose is unknown",
};

const char *kmt_words_kind(char *buf, const struct kmt_row *row)
{
	char pair[KMT_ESCAPED_BYTES], each[KMT_UNITS_BYTES];

	if (row->space == KMT_SPACE_SLAB)
		return NULL;
	if (row->space == KMT_SPACE_PERCPU)
		return "per-CPU";
	if (row->space == KMT_SPACE_VMALLOC)
		return "vmalloc";
	if (row->space == KMT_SPACE_PAGE && !row->bytes_each)
		return use_words[row->use];
	if (row->space == KMT_SPACE_PAGE)
		(void)snprintf(buf, KMT_NAME_BYTES, "%s, %s each", use_words[row->use],
			       kmt_format_size(each, row->bytes_each));
	else
		(void)snprintf(buf, KMT_NAME_BYTES, "pair %s, size unknown",
			       kmt_escape(pair, sizeof(pair), row->pair ? row->pair : "?"));
	return buf;
}

static uint64_t whole(double n)
{
	return n >= SIZE_MAX_AS_REAL ? UINT64_MAX : n > 0 ? (uint64_t)(n + 0.5) : 0;
}

const char *kmt_words_estimate(char *buf, double value, double low, double high)
{
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES], c[KMT_UNITS_BYTES];

	(void)snprintf(buf, KMT_NAME_BYTES, "~%s (%s..%s)", kmt_format_size(a, whole(value)),
		       kmt_format_size(b, whole(low)), kmt_format_size(c, whole(high)));
	return buf;
}

const char *kmt_words_count_rate(char *buf, double objects_per_s)
{
	double an_hour = objects_per_s * SECONDS_AN_HOUR;
	char n[KMT_UNITS_BYTES];

	if (!(an_hour < SIZE_MAX_AS_REAL && an_hour > -SIZE_MAX_AS_REAL))
		return "-";
	(void)snprintf(buf, KMT_UNITS_BYTES, "%c%.20s/h", an_hour < 0 ? '-' : '+',
		       kmt_words_count(n, whole(an_hour < 0 ? -an_hour : an_hour)));
	return buf;
}

/* Nobody but the flags and the task tells these pages. */
static void name_request(char *name, const struct kmt_row *row)
{
	char gfp[KMT_ESCAPED_BYTES], comm[KMT_ESCAPED_BYTES];

	(void)snprintf(name, KMT_NAME_BYTES, "%s by %s",
		       kmt_escape(gfp, sizeof(gfp), row->gfp ? row->gfp : "pages"),
		       kmt_escape(comm, sizeof(comm), row->comm ? row->comm : "(unknown)"));
}

static void name_site(char *name, const struct kmt_row *row)
{
	char function[KMT_ESCAPED_BYTES], module[KMT_ESCAPED_BYTES];

	if (!row->call_site && row->gfp)
		name_request(name, row);
	else if (row->function)
		(void)snprintf(name, KMT_NAME_BYTES, "%s+0x%" PRIx64 "/0x%" PRIx64,
			       kmt_escape(function, sizeof(function), row->function), row->offset,
			       row->size);
	else if (row->module && row->offset == 0) /* in its init function, which is gone */
		(void)snprintf(name, KMT_NAME_BYTES, "%#" PRIx64 " (init)", row->call_site);
	else if (row->module)
		(void)snprintf(name, KMT_NAME_BYTES, "%#" PRIx64 " (module+%#" PRIx64 ")",
			       row->call_site, row->offset);
	else if (!row->call_site && row->space != KMT_SPACE_SLAB)
		(void)snprintf(name, KMT_NAME_BYTES, "(unknown)");
	else
		(void)snprintf(name, KMT_NAME_BYTES, "%#" PRIx64, row->call_site);
	if (row->module) {
		size_t used = strlen(name);

		(void)snprintf(name + used, KMT_NAME_BYTES - used, " [%s]%s",
			       kmt_escape(module, sizeof(module), row->module),
			       row->taint && strchr(row->taint, 'O') ? " (out of tree)" : "");
	}
}

/* All of a function. */
static void name_owner(char *name, const struct kmt_row *row)
{
	char function[KMT_ESCAPED_BYTES], module[KMT_ESCAPED_BYTES];

	if (!row->function) {
		name_site(name, row);
		return;
	}
	(void)snprintf(name, KMT_NAME_BYTES, "%s%s%s%s%s",
		       kmt_escape(function, sizeof(function), row->function),
		       row->module ? " [" : "",
		       row->module ? kmt_escape(module, sizeof(module), row->module) : "",
		       row->module ? "]" : "",
		       row->taint && strchr(row->taint, 'O') ? " (out of tree)" : "");
}

void kmt_words_frame(char *name, const struct kmt_frame *frame)
{
	struct kmt_row row = {
		.call_site = frame->address,
		.function = frame->function,
		.offset = frame->offset,
		.size = frame->size,
		.module = frame->module,
	};

	name_site(name, &row);
}

void kmt_words_name(char *name, enum kmt_group group, const struct kmt_row *row)
{
	char text[KMT_ESCAPED_BYTES], kind[KMT_NAME_BYTES];
	const char *known = NULL;

	if (row->is_rest) {
		(void)snprintf(name, KMT_NAME_BYTES, "(all that is not told apart)");
		return;
	}
	switch (group) {
	case KMT_BY_SITE:
	case KMT_BY_STACK:
		name_site(name, row);
		return;
	case KMT_BY_OWNER:
		name_owner(name, row);
		return;
	case KMT_BY_CACHE:
		known = row->cache ? row->cache : kmt_words_kind(kind, row);
		known = known ? known : "(unknown cache)";
		break;
	case KMT_BY_MODULE:
		known = row->module ? row->module : row->is_unknown ? "(unknown)" : "(built in)";
		break;
	case KMT_BY_COMM:
	case KMT_BY_PID:
		known = row->comm ? row->comm : "(unknown)";
		break;
	}
	(void)snprintf(name, KMT_NAME_BYTES, "%s", kmt_escape(text, sizeof(text), known));
	if (group == KMT_BY_PID && row->pid >= 0)
		(void)snprintf(name + strlen(name), KMT_NAME_BYTES - strlen(name), " %d", row->pid);
	else if (group == KMT_BY_MODULE && row->module && row->taint && strchr(row->taint, 'O'))
		(void)snprintf(name + strlen(name), KMT_NAME_BYTES - strlen(name),
			       " (out of tree)");
}

void kmt_words_blamed(char *name, enum kmt_group group, const struct kmt_row *row)
{
	char site[KMT_NAME_BYTES];

	kmt_words_name(site, group, row);
	if (!kmt_row_judged_owner(row)) {
		(void)snprintf(name, KMT_NAME_BYTES, "%s", site);
		return;
	}
	name_owner(name, &(struct kmt_row){ .function = row->owner,
					    .module = row->owner_module,
					    .taint = row->owner_taint });
	(void)snprintf(name + strlen(name), KMT_NAME_BYTES - strlen(name), " (by %s)", site);
}
