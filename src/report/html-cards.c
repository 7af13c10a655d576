// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>
#include <time.h>

#include "kmemtape/units.h"

#include "html-screen.h"
#include "page.h"
#include "walk.h"

#define NS_PER_S     INT64_C(1000000000)
#define CURVE_WIDTH  240.0
#define CURVE_HEIGHT 44.0
#define CALLERS_MAX  5 /* the site's own page has all of them */

void kmt_screen_put(struct kmt_screen *screen, const char *markup)
{
	(void)fputs(markup, screen->file);
}

const char *kmt_screen_clock(const struct kmt_screen *screen, uint64_t time_ns, char buf[32])
{
	struct tm tm;
	int64_t wall_ns;
	time_t seconds;

	*buf = '\0';
	if (!kmt_walk_wall_time(screen->result, time_ns, &wall_ns))
		return buf;
	seconds = (time_t)(wall_ns / NS_PER_S);
	if (gmtime_r(&seconds, &tm))
		(void)strftime(buf, 32, "%H:%M:%S UTC", &tm);
	return buf;
}

void kmt_screen_after(struct kmt_screen *screen, uint64_t time_ns)
{
	uint64_t start_ns = screen->result->start_ns;
	char after[KMT_UNITS_BYTES];

	if (time_ns <= start_ns)
		kmt_screen_put(screen, "the start of the recording");
	else
		kmt_page_textf(screen->file, "%s after the start",
			       kmt_format_time(after, time_ns - start_ns));
}

static const struct kmt_trend *trend_of(const struct kmt_suspect *suspect)
{
	return &suspect->judgement->trend;
}

const char *kmt_suspect_rate(char *buf, const struct kmt_suspect *suspect, double rate)
{
	double scale = suspect->row ? kmt_row_scale(suspect->row) : 1;

	return suspect->row && !kmt_row_has_size(suspect->row)
		       ? kmt_words_count_rate(buf, rate * scale)
		       : kmt_words_rate(buf, rate * scale);
}

bool kmt_suspect_is_rising(const struct kmt_suspect *suspect)
{
	return trend_of(suspect)->shape != KMT_SHAPE_NONE && trend_of(suspect)->bytes_per_s > 0;
}

uint64_t kmt_suspect_since(const struct kmt_suspect *suspect)
{
	return kmt_suspect_is_rising(suspect) ? trend_of(suspect)->since_ns : 0;
}

void kmt_screen_size(struct kmt_screen *screen, const struct kmt_row *row)
{
	char bytes[KMT_UNITS_BYTES], objects[KMT_UNITS_BYTES];

	kmt_words_count(objects, kmt_row_scaled(row, row->live_objects));
	if (kmt_row_has_size(row))
		kmt_page_textf(screen->file, "%s in %s object%s",
			       kmt_format_size(bytes, kmt_row_scaled(row, row->live_bytes)),
			       objects, strcmp(objects, "1") == 0 ? "" : "s");
	else
		kmt_page_textf(screen->file, "%s objects", objects);
}

/* --- three cards: what, since when, how sure --- */

static void put_row_facts(struct kmt_screen *screen, const struct kmt_row *row)
{
	char allocs[KMT_UNITS_BYTES], frees[KMT_UNITS_BYTES], estimate[KMT_NAME_BYTES];

	kmt_screen_put(screen, "<p>live at the end");
	if (row->cache) {
		kmt_screen_put(screen, ", cache <code>");
		kmt_page_raw(screen->file, row->cache);
		kmt_screen_put(screen, "</code>");
	}
	kmt_screen_put(screen, "</p>");
	if (row->is_estimated && kmt_row_scale(row) > 1 && kmt_row_has_size(row))
		(void)fprintf(screen->file, "<p>by the sample: %s</p>",
			      kmt_words_estimate(estimate, row->estimate.bytes,
						 row->estimate.bytes_low,
						 row->estimate.bytes_high));
	if (kmt_row_judged_owner(row)) {
		kmt_screen_put(screen, "<p>on behalf of <code>");
		kmt_page_raw(screen->file, row->owner);
		kmt_screen_put(screen, "</code></p>");
	}
	if (row->allocs)
		(void)fprintf(screen->file, "<p>of %s allocated%s, %s were freed</p>",
			      kmt_words_count(allocs, row->allocs),
			      screen->result->sample > 1 ? " in the sample" : "",
			      kmt_words_count(frees, row->frees));
	if (row->mature_objects < row->live_objects)
		(void)fprintf(screen->file, "<p>%s older than %s: only these are judged</p>",
			      kmt_words_count(allocs, kmt_row_scaled(row, row->mature_objects)),
			      kmt_format_time(frees, screen->result->grace_ns));
}

/* Of the stack that holds most, outward from the call site, which is its first frame. */
static void put_callers(struct kmt_screen *screen, const struct kmt_row *row)
{
	char name[KMT_NAME_BYTES];

	if (row->nr_frames < 2 || screen->result->group != KMT_BY_SITE)
		return;
	kmt_screen_put(screen, "<p>called by</p><ol class=\"callers\">");
	for (size_t i = 1; i < row->nr_frames && i <= CALLERS_MAX; i++) {
		kmt_words_frame(name, &row->frames[i]);
		kmt_screen_put(screen, "<li><code>");
		kmt_page_text(screen->file, name);
		kmt_screen_put(screen, "</code></li>");
	}
	if (row->nr_frames > CALLERS_MAX + 1)
		(void)fprintf(screen->file, "<li>and %zu more</li>",
			      row->nr_frames - CALLERS_MAX - 1);
	kmt_screen_put(screen, "</ol>");
}

static void put_what(struct kmt_screen *screen)
{
	const struct kmt_suspect *suspect = &screen->suspects[0];
	char bytes[KMT_UNITS_BYTES], areas[KMT_UNITS_BYTES];

	kmt_screen_put(screen, "<div class=\"card\"><h2>What</h2><p class=\"big\">");
	if (suspect->row) {
		kmt_screen_size(screen, suspect->row);
		kmt_screen_put(screen, "</p>");
		put_row_facts(screen, suspect->row);
		put_callers(screen, suspect->row);
	} else {
		kmt_page_textf(screen->file, "%s in %s areas of vmalloc",
			       kmt_format_size(bytes, suspect->vmalloc->bytes),
			       kmt_words_count(areas, suspect->vmalloc->areas));
		kmt_screen_put(screen, "</p><p>live at the end</p>");
	}
	kmt_screen_put(screen, "</div>\n");
}

/* From where on only frees were recorded the curve can't rise. */
static void put_off(struct kmt_screen *screen, uint64_t until_ns)
{
	const struct kmt_grid *grid = &screen->result->grid;
	double x = (double)(until_ns - grid->start_ns) / (double)grid->width_ns * CURVE_WIDTH /
		   (double)(grid->nr - 1);
	bool is_off = until_ns > grid->start_ns && x < CURVE_WIDTH - 1;

	if (is_off)
		(void)fprintf(
			screen->file,
			"<rect class=\"off\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"%.0f\"/>",
			x, CURVE_WIDTH - x, CURVE_HEIGHT);
	kmt_screen_put(screen, is_off ? "</svg><p>grey: only frees were recorded</p>" : "</svg>");
}

/* The curve of what is live, as the chart below has it. */
static void put_curve(struct kmt_screen *screen, const struct kmt_suspect *suspect)
{
	const struct kmt_row *row = suspect->row;
	const struct kmt_grid *grid = &screen->result->grid;
	double step = CURVE_WIDTH / (double)(grid->nr > 1 ? grid->nr - 1 : 1);
	struct kmt_history history;
	const uint64_t *points;
	uint64_t most = 1;

	if (!row->history || grid->nr < 2)
		return;
	kmt_history_unpack(row->history, &history);
	points = kmt_row_has_size(row) ? history.live_bytes : history.live;
	for (size_t i = 0; i < grid->nr; i++)
		most = points[i] > most ? points[i] : most;
	(void)fprintf(screen->file,
		      "<svg class=\"curve\" viewBox=\"0 0 %.0f %.0f\" preserveAspectRatio=\"none\" "
		      "role=\"img\" aria-label=\"live over the whole recording\"><path d=\"M0,%.0f",
		      CURVE_WIDTH, CURVE_HEIGHT, CURVE_HEIGHT);
	for (size_t i = 0; i < grid->nr; i++)
		(void)fprintf(screen->file, "L%.1f,%.1f", (double)i * step,
			      (CURVE_HEIGHT - 2) * (1 - (double)points[i] / (double)most) + 2);
	(void)fprintf(screen->file, "L%.0f,%.0fZ\"/>", CURVE_WIDTH, CURVE_HEIGHT);
	put_off(screen, trend_of(suspect)->until_ns);
}

static void put_since(struct kmt_screen *screen)
{
	const struct kmt_suspect *suspect = &screen->suspects[0];
	char rate[KMT_UNITS_BYTES], low[KMT_UNITS_BYTES], high[KMT_UNITS_BYTES], at[32];
	const struct kmt_trend *trend = trend_of(suspect);

	kmt_screen_put(screen, "<div class=\"card\"><h2>Since when</h2><p class=\"big\">");
	if (!kmt_suspect_since(suspect)) {
		kmt_screen_put(screen, "not known</p>");
	} else {
		kmt_screen_after(screen, kmt_suspect_since(suspect));
		kmt_screen_put(screen, "</p>");
		if (*kmt_screen_clock(screen, kmt_suspect_since(suspect), at))
			(void)fprintf(screen->file, "<p>%s</p>", at);
	}
	if (suspect->row)
		put_curve(screen, suspect);
	if (kmt_suspect_is_rising(suspect))
		(void)fprintf(screen->file, "<p>%s, %s growth</p><p>95 %%: %s to %s</p>",
			      kmt_suspect_rate(rate, suspect, trend->bytes_per_s),
			      kmt_shape_name(trend->shape),
			      kmt_suspect_rate(low, suspect, trend->low),
			      kmt_suspect_rate(high, suspect, trend->high));
	if (suspect->row && suspect->row->live_objects)
		(void)fprintf(screen->file, "<p>oldest live object: %s old</p>",
			      kmt_format_time(rate, suspect->row->oldest_age_ns));
	kmt_screen_put(screen, "</div>\n");
}

static void put_reasons(struct kmt_screen *screen, const struct kmt_judgement *judgement,
			bool is_for)
{
	bool is_any = false;

	for (size_t i = 0; i < judgement->nr_reasons; i++) {
		if (judgement->reasons[i].is_for != is_for)
			continue;
		kmt_screen_put(screen, is_any	? "<li>"
				       : is_for ? "<p>for it</p><ul class=\"for\"><li>"
						: "<p>against it</p><ul class=\"against\"><li>");
		kmt_page_raw(screen->file, judgement->reasons[i].text);
		kmt_screen_put(screen, "</li>");
		is_any = true;
	}
	if (is_any)
		kmt_screen_put(screen, "</ul>");
}

static void put_confidence(struct kmt_screen *screen)
{
	const struct kmt_verdict *verdict = &screen->result->verdict;
	char text[KMT_UNITS_BYTES];

	kmt_screen_put(screen, "<div class=\"card\"><h2>How sure</h2><p class=\"big\">");
	kmt_page_textf(screen->file, "%s of 1", kmt_words_confidence(text, verdict->confidence));
	(void)fprintf(screen->file,
		      "</p><span class=\"meter\"><i style=\"width:%.0f%%\"></i></span>",
		      verdict->confidence * 100);
	if (screen->nr_suspects) {
		put_reasons(screen, screen->suspects[0].judgement, true);
		put_reasons(screen, screen->suspects[0].judgement, false);
	}
	kmt_screen_put(screen, "</div>\n");
}

/* What can be said all the same. */
static void put_growth(struct kmt_screen *screen)
{
	const struct kmt_result *result = screen->result;
	const struct kmt_reconciliation *counted = &result->reconciliation;
	char text[KMT_UNITS_BYTES];

	kmt_screen_put(screen, "<div class=\"card\"><h2>Growth</h2><p class=\"big\">");
	if (counted->nr_snapshots < 2) {
		kmt_screen_put(screen, "not on this tape</p></div>\n");
		return;
	}
	kmt_page_textf(screen->file, "%s", kmt_words_growth(text, counted->kernel_growth_bytes));
	kmt_page_textf(screen->file, " in %s", kmt_format_time(text, result->duration_ns));
	(void)fprintf(screen->file,
		      "</p><p>of the kernel's memory, by its own counters; %s of it are live "
		      "objects of this tape</p></div>\n",
		      kmt_words_growth(text, counted->explained_bytes));
}

void kmt_screen_cards(struct kmt_screen *screen)
{
	kmt_screen_put(screen, "<div class=\"cards\">\n");
	if (screen->nr_suspects) {
		put_what(screen);
		put_since(screen);
	}
	if (kmt_verdict_is_untold(&screen->result->verdict))
		put_growth(screen);
	else
		put_confidence(screen);
	kmt_screen_put(screen, "</div>\n");
}
