// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>

#include "kmemtape/fleet.h"
#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "naming.h"
#include "page-rows.h"
#include "page.h"
#include "summary-page.h"

static bool has_size(const struct kmt_fleet_site *site)
{
	return site->row->space < KMT_SPACE_PAIR;
}

static void put_rate(const struct kmt_fleet_site *site, double per_s, FILE *file)
{
	char text[KMT_UNITS_BYTES];

	(void)fprintf(file, "<td class=\"n\" data-v=\"%.3f\">%s</td>", per_s,
		      has_size(site) ? kmt_words_rate(text, per_s)
				     : kmt_words_count_rate(text, per_s));
}

static void put_size(const struct kmt_fleet_site *site, uint64_t bytes, FILE *file)
{
	char text[KMT_UNITS_BYTES];

	(void)fprintf(file, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>", bytes,
		      has_size(site) ? kmt_format_size(text, bytes) : "-");
}

static void put_share(size_t part, size_t whole, FILE *file)
{
	(void)fprintf(file, "<td class=\"n\" data-v=\"%zu\">%zu of %zu</td>", part, part, whole);
}

static void put_time(const char *time, FILE *file)
{
	(void)fputs("<td>", file);
	kmt_page_raw(file, *time ? time : "-");
	(void)fputs("</td>", file);
}

static void put_site(const struct kmt_fleet *fleet, const struct kmt_fleet_site *site, FILE *file)
{
	struct kmt_summary_row row = kmt_row_for(site->row, site->owner);

	(void)fputs("<tr>", file);
	kmt_page_name_begin(file, fleet->tapes[0]->group, &row);
	(void)fputs("</th>", file);
	put_share(site->nr_leaking_hosts, site->nr_hosts, file);
	put_share(site->nr_leaking, site->nr_tapes, file);
	put_rate(site, site->per_s_sum, file);
	put_rate(site, site->per_s_max, file);
	put_size(site, site->live_bytes_sum, file);
	put_size(site, site->live_bytes_max, file);
	put_time(site->first_seen, file);
	put_time(site->last_seen, file);
	put_time(site->first_leak, file);
	put_time(site->last_leak, file);
	(void)fputs("</tr>\n", file);
}

static int put_sites(const struct kmt_fleet *fleet, size_t nr, FILE *file)
{
	static const struct kmt_page_column columns[] = {
		{ "", "what" },	     { "n", "hosts it leaks on" },
		{ "n", "tapes" },    { "n", "growth, sum" },
		{ "n", "most" },     { "n", "live, sum" },
		{ "n", "most" },     { "", "first seen" },
		{ "", "last seen" }, { "", "first leak" },
		{ "", "last leak" },
	};

	KMT_CLEANUP(kmt_page_rows_deinit) struct kmt_page_rows rows;
	int r = kmt_page_rows_init(&rows, KMT_SUMMARY_PAGE_ROOM / 2);

	if (r < 0)
		return r;
	for (size_t i = 0; i < nr; i++) {
		put_site(fleet, &fleet->sites[i], rows.file);
		kmt_page_rows_add(&rows);
	}
	return kmt_page_rows_put_table(&rows, "sites", "Sites", columns,
				       sizeof(columns) / sizeof(columns[0]), file);
}

static void put_part(const struct kmt_fleet *fleet, const struct kmt_fleet_site *site,
		     const struct kmt_fleet_part *part, FILE *file)
{
	struct kmt_summary_row row = kmt_row_for(site->row, part->owner);
	const struct kmt_summary *tape = fleet->tapes[part->tape];
	char n[KMT_UNITS_BYTES];

	(void)fputs("<tr>", file);
	kmt_page_name_begin(file, tape->group, &row);
	(void)fputs("</th><td><code>", file);
	kmt_page_raw(file, tape->host ? tape->host : "unknown");
	(void)fprintf(file, "</code></td><td data-v=\"%zu\">%zu: <code>", part->tape + 1,
		      part->tape + 1);
	kmt_page_raw(file, tape->path ? tape->path : "?");
	(void)fprintf(
		file,
		"</code></td><td><span class=\"class %s\">%s</span></td><td class=\"n\">%s</td>",
		part->is_suspect ? "leak" : "", kmt_class_name(part->class),
		part->class == KMT_CLASS_NONE ? "-" : kmt_words_confidence(n, part->confidence));
	put_rate(site, part->per_s, file);
	put_size(site, part->live_bytes, file);
	(void)fprintf(file, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td></tr>\n",
		      part->live_objects, kmt_words_count(n, part->live_objects));
}

static int put_parts(const struct kmt_fleet *fleet, size_t nr, FILE *file)
{
	static const struct kmt_page_column columns[] = {
		{ "", "what" },	  { "", "host" },    { "", "tape" },  { "", "class" },
		{ "n", "conf." }, { "n", "growth" }, { "n", "live" }, { "n", "objects" },
	};

	KMT_CLEANUP(kmt_page_rows_deinit) struct kmt_page_rows rows;
	int r = kmt_page_rows_init(&rows, KMT_SUMMARY_PAGE_ROOM / 2);

	if (r < 0)
		return r;
	for (size_t i = 0; i < nr; i++)
		for (size_t j = 0; j < fleet->sites[i].nr_parts; j++) {
			put_part(fleet, &fleet->sites[i], &fleet->sites[i].parts[j], rows.file);
			kmt_page_rows_add(&rows);
		}
	return kmt_page_rows_put_table(&rows, "parts", "Sites by host", columns,
				       sizeof(columns) / sizeof(columns[0]), file);
}

int kmt_fleet_page(const struct kmt_fleet *fleet, uint64_t top, FILE *file, struct kmt_err *err)
{
	size_t nr = fleet->nr_sites;
	int r;

	if (top == UINT64_MAX)
		nr = fleet->nr_leaking_sites;
	else if (top && top < nr)
		nr = top;
	kmt_summary_page_begin(file,
			       fleet->nr_leaking_sites || fleet->nr_leaking_tapes ? "bad"
			       : fleet->nr_doubtful || fleet->nr_short		  ? "untold"
										  : "good",
			       fleet->headline);
	r = kmt_summary_page_doubts(fleet->tapes, fleet->nr_tapes, NULL, file);
	if (fleet->nr_repeats)
		(void)fprintf(file,
			      "<p>%zu more %s the same recording again, in this form or another: "
			      "each counts once.</p>\n",
			      fleet->nr_repeats, fleet->nr_repeats == 1 ? "is" : "are");
	if (r == 0)
		r = put_sites(fleet, nr, file);
	if (nr < fleet->nr_sites)
		(void)fprintf(file, "<p>and %zu more%s</p>\n", fleet->nr_sites - nr,
			      top == UINT64_MAX ? " that leak nowhere (--top 0 shows all)" : "");
	if (r == 0)
		r = put_parts(fleet, nr, file);
	if (r == 0)
		r = kmt_summary_page_tapes(fleet->tapes, fleet->nr_tapes, NULL, file);
	kmt_summary_page_end(file);
	return r < 0 ? kmt_fail(err, r, "out of memory") : 0;
}
