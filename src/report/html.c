// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "kmemtape/units.h"

#include "html-data.h"
#include "html-table.h"
#include "html-verdict.h"
#include "html.h"
#include "page.h"
#include "words.h"

/* What the page says without a script: the verdict, what makes it doubtful, the bill, the first
 * rows. */
struct html {
	const struct kmt_result *result;
	FILE *file;
};

static void put(struct html *html, const char *markup)
{
	(void)fputs(markup, html->file);
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
	char growth[KMT_UNITS_BYTES], explained[KMT_UNITS_BYTES];

	(void)fprintf(html->file,
		      "<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td><td class=\"n\">%s</td>"
		      "<td class=\"bar\"><span class=\"bars\">",
		      item->name, kmt_words_growth(growth, item->growth_bytes),
		      item->is_explained ? kmt_words_growth(explained, item->explained_bytes)
					 : "-");
	put_bar(html, "counted", item->growth_bytes, most);
	if (item->is_explained)
		put_bar(html, "explained", item->explained_bytes, most);
	put(html, "</span></td></tr>\n");
}

static void put_bill(struct html *html)
{
	const struct kmt_reconciliation *counted = &html->result->reconciliation;
	char growth[KMT_UNITS_BYTES], explained[KMT_UNITS_BYTES], live[KMT_UNITS_BYTES];
	char estimate[KMT_NAME_BYTES];
	int64_t most = largest(counted);

	put(html, "<section id=\"bill\"><h2>Memory bill</h2>\n");
	put(html, "<p>");
	if (html->result->is_estimated)
		kmt_page_textf(html->file, "By the sample, %s",
			       kmt_words_estimate(estimate, html->result->estimate.bytes,
						  html->result->estimate.bytes_low,
						  html->result->estimate.bytes_high));
	else
		put(html, kmt_format_size(live, html->result->live_bytes));
	put(html, " that was allocated while recording is live at the end. ");
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
	if (result->host && *result->host) {
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

	kmt_page_begin(file, kmt_escape(title, sizeof(title), result->verdict.headline));
	put_top(&html);
	put(&html, "<main>\n<div id=\"overview\">\n");
	kmt_html_verdict_print(result, file);
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
