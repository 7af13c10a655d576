// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "kmemtape/units.h"

#include "advice.h"
#include "html-screen.h"
#include "html-verdict.h"
#include "page.h"
#include "words.h"

#define ADVICE_BYTES 2400
#define REMARKS_MAX  40 /* a damaged tape may have one for each CPU */

static void put_name(struct kmt_screen *screen, const struct kmt_suspect *suspect)
{
	char name[KMT_NAME_BYTES];

	kmt_screen_put(screen, "<b class=\"who\">");
	if (suspect->row) {
		kmt_words_blamed(name, screen->result->group, suspect->row);
		kmt_page_text(screen->file, name);
	} else {
		kmt_page_raw(screen->file, suspect->vmalloc->caller);
	}
	kmt_screen_put(screen, "</b>");
}

/* --- one sentence --- */

static const char *tone_of(const struct kmt_verdict *verdict)
{
	return kmt_verdict_is_untold(verdict) ? "untold" : kmt_leak_name(verdict->leak);
}

static const char *label_of(const struct kmt_verdict *verdict)
{
	switch (verdict->leak) {
	case KMT_LEAK_LIKELY:
		return "Leak likely";
	case KMT_LEAK_POSSIBLE:
		return "Possible leak";
	default:
		return kmt_verdict_is_untold(verdict) ? "Cannot tell" : "No leak";
	}
}

static void put_suspicion(struct kmt_screen *screen)
{
	const struct kmt_suspect *suspect = &screen->suspects[0];
	char text[KMT_UNITS_BYTES], at[32];

	put_name(screen, suspect);
	kmt_screen_put(screen, screen->result->verdict.leak == KMT_LEAK_LIKELY
				       ? "<span class=\"how\"> leaks"
				       : "<span class=\"how\"> may leak");
	if (kmt_suspect_is_rising(suspect))
		kmt_page_textf(
			screen->file, " %s",
			kmt_suspect_rate(text, suspect, suspect->judgement->trend.bytes_per_s));
	if (!kmt_suspect_since(suspect))
		return;
	kmt_screen_put(screen, " since ");
	kmt_screen_after(screen, kmt_suspect_since(suspect));
	if (*kmt_screen_clock(screen, kmt_suspect_since(suspect), at))
		kmt_page_textf(screen->file, " (%s)", at);
}

/* What leaks, since when, and how sure that is. */
static void put_sentence(struct kmt_screen *screen)
{
	const struct kmt_verdict *verdict = &screen->result->verdict;
	char text[KMT_UNITS_BYTES];

	(void)fprintf(screen->file, "<p class=\"label\">%s</p>\n<h1>", label_of(verdict));
	if (screen->nr_suspects)
		put_suspicion(screen);
	else if (verdict->leak != KMT_LEAK_NONE)
		kmt_screen_put(screen, "Something may leak");
	else if (kmt_verdict_is_untold(verdict))
		kmt_screen_put(screen, "This tape cannot tell whether something leaks");
	else
		kmt_screen_put(screen, "Nothing seems to leak");
	if (!kmt_verdict_is_untold(verdict)) /* of nothing said, nobody is sure */
		kmt_page_textf(screen->file, "; confidence %s of 1",
			       kmt_words_confidence(text, verdict->confidence));
	kmt_screen_put(screen, screen->nr_suspects ? ".</span>" : ".");
	kmt_screen_put(screen, "</h1>\n<p class=\"headline\">");
	kmt_page_raw(screen->file, verdict->headline);
	kmt_screen_put(screen, "</p>\n");
}

/* --- what may make the numbers wrong --- */

static void put_remarks(struct kmt_screen *screen, const char *head, char *const *texts, size_t nr)
{
	for (size_t i = 0; i < nr && i < REMARKS_MAX; i++) {
		(void)fprintf(screen->file, "<li>%s", head);
		kmt_page_raw(screen->file, texts[i]);
		kmt_screen_put(screen, "</li>\n");
	}
	if (nr > REMARKS_MAX)
		(void)fprintf(screen->file, "<li>and %zu more, that --format text has</li>\n",
			      nr - REMARKS_MAX);
}

static void put_doubts(struct kmt_screen *screen)
{
	const struct kmt_result *result = screen->result;
	char n[KMT_UNITS_BYTES];

	kmt_screen_put(screen, "<ul class=\"doubts\">\n");
	if (result->lost || result->totals.losses) {
		(void)fprintf(screen->file, "<li class=\"loss\">Lost: %s%s events in %" PRIu64,
			      kmt_words_lost(n, result), result->lost ? "" : " of",
			      result->totals.losses);
		(void)fprintf(screen->file,
			      " place%s; %s live objects may have been freed there.</li>\n",
			      result->totals.losses == 1 ? "" : "s",
			      kmt_words_count(n, result->totals.uncertain));
	} else {
		kmt_screen_put(screen, "<li class=\"good\">No event was lost.</li>\n");
	}
	if (!result->is_complete)
		kmt_screen_put(
			screen,
			"<li class=\"loss\">Not complete: the recording did not end in order.</li>\n");
	if (result->sample > 1)
		(void)fprintf(screen->file,
			      "<li class=\"loss\">A sample, 1 in %" PRIu64
			      " addresses: what is live or grows is an estimate of all, other "
			      "numbers are as recorded.</li>\n",
			      result->sample);
	put_remarks(screen, "Recorded only: ", result->filters, result->nr_filters);
	put_remarks(screen, "", result->notes, result->nr_notes);
	kmt_screen_put(screen, "</ul>\n");
}

/* --- who else, and what next --- */

static void put_others(struct kmt_screen *screen)
{
	char rate[KMT_UNITS_BYTES];

	if (screen->nr_suspects < 2)
		return;
	kmt_screen_put(screen, "<div><h2>Also suspected</h2>\n<ul class=\"also\">\n");
	for (size_t i = 1; i < screen->nr_suspects; i++) {
		const struct kmt_suspect *suspect = &screen->suspects[i];

		(void)fprintf(screen->file, "<li><span class=\"class %s\">%s</span> ",
			      kmt_class_name(suspect->judgement->class),
			      kmt_class_name(suspect->judgement->class));
		if (suspect->row) /* html/page.js leads there */
			(void)fprintf(screen->file, "<a data-row=\"%zu\">",
				      (size_t)(suspect->row - screen->result->rows));
		put_name(screen, suspect);
		kmt_screen_put(screen, suspect->row ? "</a><div>" : "<div>");
		if (suspect->row)
			kmt_screen_size(screen, suspect->row);
		if (kmt_suspect_is_rising(suspect))
			kmt_page_textf(screen->file, ", %s",
				       kmt_suspect_rate(rate, suspect,
							suspect->judgement->trend.bytes_per_s));
		(void)fprintf(screen->file, ", confidence %s</div></li>\n",
			      kmt_words_confidence(rate, suspect->judgement->confidence));
	}
	kmt_screen_put(screen, "</ul></div>\n");
}

/* A command is the end of the sentence that it is in. */
static void put_advice(void *context, const char *sentence)
{
	struct kmt_screen *screen = context;
	char safe[ADVICE_BYTES], *command;

	kmt_screen_put(screen, "<li>");
	command = strstr(kmt_escape(safe, sizeof(safe), sentence), "kmemtape ");
	if (command) {
		kmt_page_textf(screen->file, "%.*s", (int)(command - safe), safe);
		kmt_screen_put(screen, "<code>");
		kmt_page_text(screen->file, command);
		kmt_screen_put(screen, "</code>");
	} else {
		kmt_page_text(screen->file, safe);
	}
	kmt_screen_put(screen, "</li>\n");
}

void kmt_html_verdict_print(const struct kmt_result *result, FILE *file)
{
	struct kmt_screen screen = { .result = result, .file = file };

	if (result->verdict.leak != KMT_LEAK_NONE)
		screen.nr_suspects = kmt_suspects_find(result, screen.suspects);
	(void)fprintf(file, "<section class=\"verdict %s\" id=\"verdict\">\n",
		      tone_of(&result->verdict));
	put_sentence(&screen);
	put_doubts(&screen);
	kmt_screen_cards(&screen);
	kmt_screen_put(&screen, "<div class=\"further\">\n");
	put_others(&screen);
	kmt_screen_put(&screen, "<div><h2>Next</h2>\n<ul class=\"next\">\n");
	kmt_advice_list(result, screen.suspects, screen.nr_suspects, put_advice, &screen);
	kmt_screen_put(&screen, "</ul></div>\n</div>\n</section>\n");
}
