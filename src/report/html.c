// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "kmemtape/units.h"

#include "html-data.h"
#include "html-table.h"
#include "html.h"
#include "page.h"
#include "suspects.h"
#include "walk.h"

#define NS_PER_S INT64_C(1000000000)

/* What the page says without a script: the verdict, what makes it doubtful, the bill, the first
 * rows. */
struct html {
	const struct kmt_result *result;
	FILE *file;
	struct kmt_suspect suspects[KMT_SUSPECTS_SHOWN];
	size_t nr_suspects;
};

static void put(struct html *html, const char *markup)
{
	(void)fputs(markup, html->file);
}

/* "12:31:07 UTC"; "": not known */
static const char *clock_time(const struct kmt_result *result, uint64_t time_ns, char buf[32])
{
	struct tm tm;
	int64_t wall_ns;
	time_t seconds;

	*buf = '\0';
	if (!kmt_walk_wall_time(result, time_ns, &wall_ns))
		return buf;
	seconds = (time_t)(wall_ns / NS_PER_S);
	if (gmtime_r(&seconds, &tm))
		(void)strftime(buf, 32, "%H:%M:%S UTC", &tm);
	return buf;
}

/* "12 s after the start (12:31:07 UTC)" */
static void put_moment(struct html *html, uint64_t time_ns)
{
	const struct kmt_result *result = html->result;
	char after[KMT_UNITS_BYTES], at[32];

	if (time_ns <= result->start_ns)
		put(html, "the start of the recording");
	else
		kmt_page_textf(html->file, "%s after the start",
			       kmt_format_time(after, time_ns - result->start_ns));
	if (*clock_time(result, time_ns, at))
		kmt_page_textf(html->file, " (%s)", at);
}

static void put_suspect_name(struct html *html, const struct kmt_suspect *suspect)
{
	char name[KMT_NAME_BYTES];

	put(html, "<b class=\"who\">");
	if (suspect->row) {
		kmt_words_name(name, html->result->group, suspect->row);
		kmt_page_text(html->file, name);
	} else {
		kmt_page_raw(html->file, suspect->vmalloc->caller);
	}
	put(html, "</b>");
}

static const struct kmt_trend *trend_of(const struct kmt_suspect *suspect)
{
	return &suspect->judgement->trend;
}

static const char *rate_of(char *buf, const struct kmt_suspect *suspect, double rate)
{
	double scale = suspect->row ? kmt_row_scale(suspect->row) : 1;

	return suspect->row && !kmt_row_has_size(suspect->row)
		       ? kmt_words_count_rate(buf, rate * scale)
		       : kmt_words_rate(buf, rate * scale);
}

static bool is_rising(const struct kmt_suspect *suspect)
{
	return trend_of(suspect)->shape != KMT_SHAPE_NONE && trend_of(suspect)->bytes_per_s > 0;
}

/* Growing since; else 0 */
static uint64_t since_of(const struct kmt_suspect *suspect)
{
	return is_rising(suspect) ? trend_of(suspect)->since_ns : 0;
}

/* What leaks, since when, and how sure that is. */
static void put_sentence(struct html *html)
{
	const struct kmt_verdict *verdict = &html->result->verdict;
	const struct kmt_suspect *suspect = &html->suspects[0];
	char text[KMT_UNITS_BYTES];

	put(html, "<h1>");
	if (verdict->leak == KMT_LEAK_NONE || !html->nr_suspects) {
		kmt_page_text(html->file, verdict->leak == KMT_LEAK_NONE ? "Nothing seems to leak"
									 : "Something may leak");
	} else {
		put_suspect_name(html, suspect);
		put(html, verdict->leak == KMT_LEAK_LIKELY ? " leaks" : " may leak");
		if (is_rising(suspect))
			kmt_page_textf(html->file, " %s",
				       rate_of(text, suspect, trend_of(suspect)->bytes_per_s));
		if (since_of(suspect)) {
			put(html, " since ");
			put_moment(html, since_of(suspect));
		}
	}
	(void)fprintf(html->file, "; confidence %s of 1.</h1>\n",
		      kmt_words_confidence(text, verdict->confidence));
}

/* --- three cards: what, since when, how sure --- */

static void put_what(struct html *html)
{
	const struct kmt_suspect *suspect = &html->suspects[0];
	const struct kmt_row *row = suspect->row;
	char bytes[KMT_UNITS_BYTES], objects[KMT_UNITS_BYTES];

	put(html, "<div class=\"card\"><h2>What</h2><p class=\"big\">");
	put_suspect_name(html, suspect);
	put(html, "</p><p>");
	if (row && kmt_row_has_size(row))
		kmt_page_textf(html->file, "%s live in %s objects",
			       kmt_format_size(bytes, (uint64_t)((double)row->live_bytes *
								 kmt_row_scale(row))),
			       kmt_words_count(objects, row->live_objects));
	else if (row)
		kmt_page_textf(html->file, "%s live objects",
			       kmt_words_count(objects, row->live_objects));
	else
		kmt_page_textf(html->file, "%s in %s areas of vmalloc",
			       kmt_format_size(bytes, suspect->vmalloc->bytes),
			       kmt_words_count(objects, suspect->vmalloc->areas));
	if (row && row->cache) {
		put(html, ", cache <code>");
		kmt_page_raw(html->file, row->cache);
		put(html, "</code>");
	}
	put(html, "</p>");
	if (row && row->owner && (row->nr_owners == 1 || row->is_owners)) {
		put(html, "<p>on behalf of <code>");
		kmt_page_raw(html->file, row->owner);
		put(html, "</code></p>");
	}
	if (row && row->allocs) {
		(void)fprintf(html->file, "<p>of %s allocated, ",
			      kmt_words_count(objects, row->allocs));
		(void)fprintf(html->file, "%s were freed</p>", kmt_words_count(bytes, row->frees));
	}
	put(html, "</div>\n");
}

static void put_since(struct html *html)
{
	const struct kmt_suspect *suspect = &html->suspects[0];
	char rate[KMT_UNITS_BYTES], low[KMT_UNITS_BYTES], high[KMT_UNITS_BYTES];
	const struct kmt_trend *trend = trend_of(suspect);

	put(html, "<div class=\"card\"><h2>Since when</h2><p class=\"big\">");
	if (since_of(suspect))
		put_moment(html, since_of(suspect));
	else
		put(html, "not known");
	put(html, "</p>");
	if (is_rising(suspect)) {
		(void)fprintf(html->file, "<p>%s, %s growth</p><p>95 %%: %s to %s</p>",
			      rate_of(rate, suspect, trend->bytes_per_s),
			      kmt_shape_name(trend->shape), rate_of(low, suspect, trend->low),
			      rate_of(high, suspect, trend->high));
	}
	if (suspect->row && suspect->row->live_objects)
		kmt_page_textf(html->file, "oldest live object: %s old",
			       kmt_format_time(rate, suspect->row->oldest_age_ns));
	put(html, "</div>\n");
}

static void put_reasons(struct html *html, const struct kmt_judgement *judgement, bool is_for)
{
	bool is_any = false;

	for (size_t i = 0; i < judgement->nr_reasons; i++) {
		if (judgement->reasons[i].is_for != is_for)
			continue;
		put(html, is_any   ? "<li>"
			  : is_for ? "<ul class=\"for\"><li>"
				   : "<ul class=\"against\"><li>");
		kmt_page_raw(html->file, judgement->reasons[i].text);
		put(html, "</li>");
		is_any = true;
	}
	if (is_any)
		put(html, "</ul>");
}

static void put_confidence(struct html *html)
{
	const struct kmt_verdict *verdict = &html->result->verdict;
	char text[KMT_UNITS_BYTES];

	put(html, "<div class=\"card\"><h2>How sure</h2><p class=\"big\">");
	kmt_page_textf(html->file, "%s of 1", kmt_words_confidence(text, verdict->confidence));
	(void)fprintf(html->file, "</p><span class=\"meter\"><i style=\"width:%.0f%%\"></i></span>",
		      verdict->confidence * 100);
	if (html->nr_suspects) {
		put_reasons(html, html->suspects[0].judgement, true);
		put_reasons(html, html->suspects[0].judgement, false);
	}
	put(html, "</div>\n");
}

static void put_verdict(struct html *html)
{
	const struct kmt_verdict *verdict = &html->result->verdict;

	(void)fprintf(html->file, "<section class=\"verdict %s\" id=\"verdict\">\n",
		      kmt_leak_name(verdict->leak));
	put_sentence(html);
	put(html, "<p class=\"headline\">");
	kmt_page_raw(html->file, verdict->headline);
	put(html, "</p>\n<div class=\"cards\">\n");
	if (html->nr_suspects) {
		put_what(html);
		put_since(html);
	}
	put_confidence(html);
	put(html, "</div>\n</section>\n");
}

/* --- what may make the numbers wrong --- */

static void put_doubts(struct html *html)
{
	const struct kmt_result *result = html->result;
	char n[KMT_UNITS_BYTES];

	put(html, "<ul class=\"doubts\">\n");
	if (result->lost || result->totals.losses) {
		(void)fprintf(html->file, "<li class=\"loss\">Lost: %s%s events in %" PRIu64,
			      kmt_words_lost(n, result), result->lost ? "" : " of",
			      result->totals.losses);
		(void)fprintf(html->file,
			      " place%s; %s live objects may have been freed there.</li>\n",
			      result->totals.losses == 1 ? "" : "s",
			      kmt_words_count(n, result->totals.uncertain));
	} else {
		put(html, "<li class=\"good\">No event was lost.</li>\n");
	}
	if (!result->is_complete)
		put(html,
		    "<li class=\"loss\">Not complete: the recording did not end in order.</li>\n");
	if (result->sample > 1)
		(void)fprintf(html->file,
			      "<li class=\"loss\">A sample: 1 in %" PRIu64 " addresses.</li>\n",
			      result->sample);
	for (size_t i = 0; i < result->nr_filters; i++) {
		put(html, "<li>Recorded only: ");
		kmt_page_raw(html->file, result->filters[i]);
		put(html, "</li>\n");
	}
	for (size_t i = 0; i < result->nr_notes; i++) {
		put(html, "<li>");
		kmt_page_raw(html->file, result->notes[i]);
		put(html, "</li>\n");
	}
	put(html, "</ul>\n");
}

/* --- the bill --- */

static int64_t largest(const struct kmt_reconciliation *counted)
{
	int64_t most = 1;

	for (size_t i = 0; i < counted->nr_items; i++) {
		int64_t growth = counted->items[i].growth_bytes;

		growth = growth < 0 ? -growth : growth;
		most = growth > most ? growth : most;
	}
	return most;
}

static void put_bar(struct html *html, const char *class, int64_t bytes, int64_t most)
{
	double percent = (double)(bytes < 0 ? -bytes : bytes) * 100 / (double)most;

	(void)fprintf(html->file, "<i class=\"%s%s\" style=\"width:%.1f%%\"></i>", class,
		      bytes < 0 ? " minus" : "", percent > 100 ? 100 : percent);
}

static void put_item(struct html *html, const struct kmt_bill_item *item, int64_t most)
{
	char growth[KMT_UNITS_BYTES], explained[KMT_UNITS_BYTES] = "-";

	if (item->is_explained)
		(void)kmt_words_growth(explained, item->explained_bytes);
	(void)fprintf(html->file,
		      "<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td><td class=\"n\">%s</td>"
		      "<td class=\"bar\"><span class=\"bars\">",
		      item->name, kmt_words_growth(growth, item->growth_bytes), explained);
	put_bar(html, "counted", item->growth_bytes, most);
	if (item->is_explained)
		put_bar(html, "explained", item->explained_bytes, most);
	put(html, "</span></td></tr>\n");
}

static void put_bill(struct html *html)
{
	const struct kmt_reconciliation *counted = &html->result->reconciliation;
	char growth[KMT_UNITS_BYTES], explained[KMT_UNITS_BYTES], live[KMT_UNITS_BYTES];
	int64_t most = largest(counted);

	put(html, "<section id=\"bill\"><h2>Memory bill</h2>\n");
	(void)fprintf(html->file, "<p>%s that was allocated while recording is live at the end. ",
		      kmt_format_size(live, html->result->live_bytes));
	if (counted->nr_snapshots < 2) {
		put(html, "The kernel's own counters are not on this tape.</p></section>\n");
		return;
	}
	(void)fprintf(html->file,
		      "By its own counters the kernel's memory grew by <b>%s</b>; the live objects "
		      "explain <b>%s</b>.</p>\n",
		      kmt_words_growth(growth, counted->kernel_growth_bytes),
		      kmt_words_growth(explained, counted->explained_bytes));
	put(html,
	    "<table class=\"bill\"><thead><tr><th scope=\"col\">counter</th><th scope=\"col\" "
	    "class=\"n\">growth</th><th scope=\"col\" class=\"n\">explained</th><th "
	    "scope=\"col\"><span class=\"key counted\"></span>counted <span class=\"key "
	    "explained\"></span>explained</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < counted->nr_items; i++)
		put_item(html, &counted->items[i], most);
	put(html, "</tbody></table></section>\n");
}

static void put_top(struct html *html)
{
	const struct kmt_result *result = html->result;
	char duration[KMT_UNITS_BYTES], events[KMT_UNITS_BYTES];

	put(html,
	    "<header class=\"top\"><span class=\"brand\">kmemtape</span><span class=\"tape\">");
	kmt_page_raw(html->file, result->path);
	if (result->host) {
		put(html, " &middot; ");
		kmt_page_raw(html->file, result->host);
	}
	put(html, " &middot; Linux ");
	kmt_page_raw(html->file, result->kernel);
	put(html, " ");
	kmt_page_raw(html->file, result->arch);
	kmt_page_textf(html->file, ", %zu CPU%s, %s, ", result->nr_cpus,
		       result->nr_cpus == 1 ? "" : "s",
		       kmt_format_time(duration, result->duration_ns));
	if (*result->started_at)
		kmt_page_textf(html->file, "from %s, ", result->started_at);
	(void)fprintf(html->file, "%s events</span></header>\n",
		      kmt_words_count(events, result->totals.allocs + result->totals.frees));
}

int kmt_report_html(const struct kmt_result *result, const struct kmt_report_options *options,
		    FILE *file, struct kmt_err *err)
{
	struct html html = { .result = result, .file = file };
	char title[KMT_NAME_BYTES];
	int r;

	if (result->verdict.leak != KMT_LEAK_NONE)
		html.nr_suspects = kmt_suspects_find(result, html.suspects);
	kmt_page_begin(file, kmt_escape(title, sizeof(title), result->verdict.headline));
	put_top(&html);
	put(&html, "<main>\n<div id=\"overview\">\n");
	put_verdict(&html);
	put_doubts(&html);
	put_bill(&html);
	put(&html, "<section id=\"time\" class=\"script\"></section>\n"
		   "<section id=\"flame\" class=\"script\"></section>\n");
	kmt_html_table_print(result, options->top, file);
	put(&html, "</div>\n<section id=\"site\" class=\"script\" tabindex=\"-1\"></section>\n"
		   "<noscript><p>With JavaScript there are charts, a flame graph and all rows "
		   "here.</p></noscript>\n</main>\n");
	r = kmt_html_data_print(result, options->top, file);
	kmt_page_end(file);
	return r < 0 ? kmt_fail(err, r, "out of memory") : 0;
}
