// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>

#include "kmemtape/fleet.h"
#include "kmemtape/units.h"

#include "naming.h"
#include "summary-head.h"
#include "words.h"

static const char *rate(char *buf, const struct kmt_fleet_site *site, double per_s)
{
	return site->row->space < KMT_SPACE_PAIR ? kmt_words_rate(buf, per_s)
						 : kmt_words_count_rate(buf, per_s);
}

static void print_span(struct kmt_line *line, const char *what, const char *first, const char *last)
{
	if (*first)
		kmt_line_addf(line, "%s %s to %s", what, first, *last ? last : "?");
}

static void print_part(const struct kmt_fleet *fleet, const struct kmt_fleet_site *site,
		       const struct kmt_fleet_part *part, FILE *file)
{
	const struct kmt_summary *tape = fleet->tapes[part->tape];
	char text[KMT_ESCAPED_BYTES], a[KMT_UNITS_BYTES];
	struct kmt_line line;

	kmt_line_begin(&line, file, "    ", 6, 2);
	if (tape->host)
		kmt_line_add(&line, kmt_escape(text, sizeof(text), tape->host));
	kmt_line_add(&line, kmt_escape(text, sizeof(text), tape->path ? tape->path : "?"));
	kmt_line_addf(&line, "%s %s", kmt_class_name(part->class),
		      kmt_words_confidence(a, part->confidence));
	kmt_line_add(&line, rate(a, site, part->per_s));
	if (site->row->space < KMT_SPACE_PAIR)
		kmt_line_addf(&line, "live %s", kmt_format_size(a, part->live_bytes));
	else
		kmt_line_addf(&line, "live %s objects", kmt_words_count(a, part->live_objects));
	kmt_line_end(&line);
}

static void print_site(const struct kmt_fleet *fleet, const struct kmt_fleet_site *site, FILE *file)
{
	struct kmt_summary_row row = kmt_row_for(site->row, site->owner);
	char name[KMT_NAME_BYTES], a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];
	struct kmt_line line;

	kmt_line_begin(&line, file, "", 2, 2);
	kmt_row_name(name, fleet->tapes[0]->group, &row);
	kmt_line_add(&line, name);
	if (site->row->cache && fleet->tapes[0]->group == KMT_BY_SITE)
		kmt_line_add(&line, kmt_escape(name, sizeof(name), site->row->cache));
	kmt_line_end(&line);
	kmt_line_begin(&line, file, "  ", 2, 3);
	kmt_line_addf(&line, "leaks on %zu of %zu hosts, %zu of %zu tapes", site->nr_leaking_hosts,
		      site->nr_hosts, site->nr_leaking, site->nr_tapes);
	kmt_line_addf(&line, "growth %s in all, %s at most", rate(a, site, site->per_s_sum),
		      rate(b, site, site->per_s_max));
	if (site->row->space < KMT_SPACE_PAIR)
		kmt_line_addf(&line, "live %s in all, %s at most",
			      kmt_format_size(a, site->live_bytes_sum),
			      kmt_format_size(b, site->live_bytes_max));
	print_span(&line, "seen", site->first_seen, site->last_seen);
	print_span(&line, "leaking", site->first_leak, site->last_leak);
	kmt_line_end(&line);
	for (size_t i = 0; i < site->nr_parts; i++)
		if (site->parts[i].is_suspect || !site->nr_leaking)
			print_part(fleet, site, &site->parts[i], file);
}

static void print_repeats(const struct kmt_fleet *fleet, FILE *file)
{
	char text[64];

	for (size_t i = 0; i < fleet->nr_repeats; i++) {
		const struct kmt_fleet_repeat *repeat = &fleet->repeats[i];

		(void)snprintf(text, sizeof(text),
			       "%zu: the same recording again, counts once: ", repeat->of + 1);
		kmt_words_wrap(file, text, 3, repeat->tape->path ? repeat->tape->path : "?");
	}
}

int kmt_fleet_text(const struct kmt_fleet *fleet, uint64_t top, FILE *file, struct kmt_err *err)
{
	size_t nr = fleet->nr_sites;
	char name[32];

	(void)err;
	if (top == UINT64_MAX)
		nr = fleet->nr_leaking_sites;
	else if (top && top < nr)
		nr = top;
	kmt_words_wrap(file, "", 2, fleet->headline);
	fputc('\n', file);
	for (size_t i = 0; i < fleet->nr_tapes; i++) {
		(void)snprintf(name, sizeof(name), "%zu: ", i + 1);
		kmt_summary_doubts_print(fleet->tapes[i], name, file);
	}
	for (size_t i = 0; i < fleet->nr_tapes; i++) {
		(void)snprintf(name, sizeof(name), "%zu: ", i + 1);
		kmt_summary_head_print(fleet->tapes[i], name, file);
	}
	print_repeats(fleet, file);
	for (size_t i = 0; i < nr; i++) {
		fputc('\n', file);
		print_site(fleet, &fleet->sites[i], file);
	}
	if (nr < fleet->nr_sites)
		fprintf(file, "\nand %zu more%s\n", fleet->nr_sites - nr,
			top == UINT64_MAX ? " that leak nowhere (--top 0 shows all)" : "");
	return 0;
}
