// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>
#include <stdlib.h>

#include "kmemtape/report.h"
#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "chart.h"
#include "detail.h"
#include "keys.h"
#include "page-text.h"

#define NAMES_WIDTH 25

/* A stream into memory. */
struct text {
	FILE *file;
	char *bytes;
	size_t nr;
};

static bool begin(struct text *text)
{
	*text = (struct text){ .file = NULL };
	text->file = open_memstream(&text->bytes, &text->nr);
	return text->file != NULL;
}

static char *end(struct text *text)
{
	bool has_failed = ferror(text->file);

	if (fclose(text->file) != 0 || has_failed) {
		free(text->bytes);
		return NULL;
	}
	return text->bytes;
}

char *kmt_page_detail(const struct kmt_result *result, const struct kmt_item *item,
		      const struct kmt_result *dossier, const char *why, int width, bool is_utf8)
{
	struct kmt_report_options options = { .is_utf8 = is_utf8 };
	struct kmt_site asked = item->row ? kmt_row_site(item->row) : (struct kmt_site){ 0 };
	const struct kmt_row *site = dossier ? kmt_result_site(dossier, &asked) : NULL;
	char words[KMT_NAME_BYTES];
	struct text text;

	if (!begin(&text))
		return NULL;
	if (site) {
		kmt_words_name(words, KMT_BY_SITE, site);
		fprintf(text.file, "%s\n\n", words);
		kmt_chart_print(dossier, site, width, is_utf8, text.file);
		fputc('\n', text.file);
		kmt_report_explain(dossier, &options, text.file);
	} else {
		kmt_detail_print(result, item, width, is_utf8, text.file);
	}
	if (!site && why && *why)
		fprintf(text.file, "\nNo more is known: %s\n",
			kmt_escape(words, sizeof(words), why));
	return end(&text);
}

char *kmt_page_report(const struct kmt_result *result, bool is_utf8)
{
	struct kmt_report_options options = { .top = 10,
					      .hides_healthy = true,
					      .is_utf8 = is_utf8 };
	struct text text;

	if (!begin(&text))
		return NULL;
	kmt_report_text(result, &options, text.file);
	return end(&text);
}

char *kmt_page_help(void)
{
	struct text text;

	if (!begin(&text))
		return NULL;
	for (const struct kmt_keys *keys = kmt_keys; keys->names; keys++)
		fprintf(text.file, "%-*s %s\n", NAMES_WIDTH, keys->names, keys->help);
	fprintf(text.file,
		"\nLIVE, OBJECTS: what is live at the end, by size and number\n"
		"RATE, TREND: how it grows, and what was live over the recording\n"
		"CLASS, SURE: what it is, and the confidence in that:\n"
		"  leak       allocated to the end, and what grew old was never freed\n"
		"  growth     rising, and nothing more is proven\n"
		"  uncertain  lost events or the kernel's own counters speak against it\n"
		"  untraced   frees without an event: what looks live is an upper bound\n"
		"  cache      given back when memory gets tight, or stopped growing\n"
		"  transient  comes and goes\n"
		"  none       nothing that is older than the grace period\n"
		"OLDEST: age of the oldest live object. FREED: of all that was allocated\n");
	return end(&text);
}
