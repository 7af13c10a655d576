// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "kmemtape/units.h"

#include "advice.h"
#include "words.h"

#define NS_PER_S       UINT64_C(1000000000)
#define SENTENCE_BYTES 2048
#define WORD_INDENT    6 /* behind "next: " */
#define GOOD_GRACES    6 /* so long that growth can be told from filling */

struct advisor {
	void (*add)(void *context, const char *sentence);
	void *context;
};

static void say(const struct advisor *to, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Each piece of advice is a sentence with what to type in it. */
static void say(const struct advisor *to, const char *fmt, ...)
{
	char sentence[SENTENCE_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	to->add(to->context, sentence);
}

static void advise_explain(const struct kmt_result *result, const struct kmt_row *row,
			   const struct advisor *to)
{
	if (row->function)
		say(to, "kmemtape replay --explain %s+0x%" PRIx64 " %s", row->function, row->offset,
		    result->path);
	else
		say(to, "kmemtape replay --explain 0x%" PRIx64 " %s", row->call_site, result->path);
}

static void advise_report(const struct kmt_result *result, const struct kmt_suspect *suspect,
			  const struct advisor *to)
{
	const struct kmt_verdict *verdict = &result->verdict;
	const struct kmt_row *row = suspect->row;
	bool has_owner = row && verdict->owner;
	const char *module = has_owner ? verdict->owner_module
			     : row     ? row->module
				       : suspect->vmalloc->module;
	const char *taint = has_owner ? row->owner_taint
			    : row     ? row->taint
				      : suspect->vmalloc->taint;
	char whom[KMT_ESCAPED_BYTES];

	if (!module)
		(void)snprintf(whom, sizeof(whom),
			       "the maintainers of its source file "
			       "(scripts/get_maintainer.pl in the kernel's)");
	else
		(void)snprintf(whom, sizeof(whom), "%s module %.200s",
			       taint && strchr(taint, 'O') ? "those who made the out-of-tree"
							   : "the maintainers of",
			       module);
	say(to,
	    "report it to %s, with this text and the tape: kmemtape pack --redact -o public.tar %s",
	    whom, result->path);
}

/* What would make the next recording tell more than this one. */
static void advise_recording(const struct kmt_result *result, const struct advisor *to)
{
	char time[KMT_UNITS_BYTES];
	uint64_t grace_s = result->grace_ns / NS_PER_S, lasted_s = result->duration_ns / NS_PER_S;
	uint64_t good_s =
		grace_s * GOOD_GRACES > 2 * lasted_s ? grace_s * GOOD_GRACES : 2 * lasted_s;

	if (result->nr_disturbances)
		say(to, "record again, while nobody else touches what record has set (see above)");
	else if (result->lost || result->totals.losses)
		say(to, "record again with a larger --buffer, so that nothing is lost");
	else if (!result->is_complete)
		say(to, "record again, and let it end by itself or with Ctrl-C");
	else if (kmt_verdict_is_untold(&result->verdict))
		say(to, "record for longer: kmemtape record -d %" PRIu64 "s -o longer.tape",
		    good_s ? good_s : 1);
	else if (result->verdict.leak == KMT_LEAK_POSSIBLE)
		say(to,
		    "record for longer than these %s, while memory shrinks: a leak goes on, a cache fills",
		    kmt_format_time(time, result->duration_ns));
	else if (result->spaces[KMT_SPACE_PAGE].is_recorded)
		say(to, "nothing. If memory shrinks all the same: record while it does");
	else
		say(to,
		    "nothing. If memory shrinks all the same: record -e all while it does: pages and per-CPU memory are not in slab events");
}

void kmt_advice_list(const struct kmt_result *result, const struct kmt_suspect *suspects, size_t nr,
		     void (*add)(void *context, const char *sentence), void *context)
{
	const struct advisor to = { add, context };
	bool is_sure = result->verdict.leak == KMT_LEAK_LIKELY;

	if (!is_sure)
		advise_recording(result, &to);
	if (result->verdict.leak == KMT_LEAK_NONE || nr == 0)
		return;
	if (suspects[0].row && result->group != KMT_BY_SITE) {
		say(&to, "for the call sites that are behind it: kmemtape replay %s", result->path);
		return;
	}
	if (suspects[0].row)
		advise_explain(result, suspects[0].row, &to);
	if (is_sure)
		advise_report(result, &suspects[0], &to);
}

static void print_sentence(void *context, const char *sentence)
{
	kmt_words_wrap(context, "next: ", WORD_INDENT, sentence);
}

void kmt_advice_print(const struct kmt_result *result, const struct kmt_suspect *suspects,
		      size_t nr, FILE *file)
{
	fprintf(file, "\n");
	kmt_advice_list(result, suspects, nr, print_sentence, file);
}
