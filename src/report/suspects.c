// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "kmemtape/units.h"

#include "suspects.h"
#include "words.h"

/* The strongest; JSON has them all. Of the second and third suspect, which are often the first
 * one's company, fewer will do. */
#define REASONS_FOR	    3
#define REASONS_AGAINST	    2
#define FEW_REASONS_FOR	    2
#define FEW_REASONS_AGAINST 1
#define WORTH_REASONS	    0.5 /* below, it makes no verdict, and needs no defence */
#define WORD_INDENT	    7	/* behind "  why: " */

/* Takes it if it is of that class, unless it is suppressed or was taken before. Return: how many.
 */
static size_t take(struct kmt_suspect *suspects, size_t nr, struct kmt_suspect suspect,
		   enum kmt_class class, bool is_suppressed)
{
	bool is_taken = nr && suspects[0].judgement == suspect.judgement;

	if (nr == KMT_SUSPECTS_SHOWN || is_suppressed || is_taken ||
	    suspect.judgement->class != class)
		return nr;
	if (class != KMT_CLASS_LEAK && suspect.judgement->confidence < WORTH_REASONS)
		return nr;
	suspects[nr] = suspect;
	return nr + 1;
}

/* Each in the order of the result, which is by suspicion or as the user wanted. */
static size_t find_class(const struct kmt_result *result, enum kmt_class class,
			 struct kmt_suspect *suspects, size_t nr)
{
	const struct kmt_reconciliation *counted = &result->reconciliation;

	for (size_t i = 0; i < result->nr_rows; i++) {
		const struct kmt_row *row = &result->rows[i];

		nr = take(suspects, nr, (struct kmt_suspect){ row, NULL, &row->judgement }, class,
			  row->is_suppressed);
	}
	for (size_t i = 0; i < counted->nr_vmallocs; i++) {
		const struct kmt_vmalloc_row *row = &counted->vmallocs[i];

		nr = take(suspects, nr, (struct kmt_suspect){ NULL, row, &row->judgement }, class,
			  row->is_suppressed || row->is_seen_by_events);
	}
	return nr;
}

/* Whom the first line blames goes first. By another group than sites it may be nobody. */
static size_t find_blamed(const struct kmt_result *result, struct kmt_suspect *suspects)
{
	const struct kmt_reconciliation *counted = &result->reconciliation;
	const struct kmt_verdict *verdict = &result->verdict;

	for (size_t i = 0; verdict->call_site && i < result->nr_rows; i++) {
		const struct kmt_row *row = &result->rows[i];

		if (kmt_result_blames(result, row)) {
			suspects[0] = (struct kmt_suspect){ row, NULL, &row->judgement };
			return 1;
		}
	}
	for (size_t i = 0; verdict->caller && i < counted->nr_vmallocs; i++) {
		const struct kmt_vmalloc_row *row = &counted->vmallocs[i];

		if (row->caller == verdict->caller) {
			suspects[0] = (struct kmt_suspect){ NULL, row, &row->judgement };
			return 1;
		}
	}
	return 0;
}

size_t kmt_suspects_find(const struct kmt_result *result, struct kmt_suspect *suspects)
{
	size_t nr;

	nr = find_blamed(result, suspects);
	nr = find_class(result, KMT_CLASS_LEAK, suspects, nr);
	nr = find_class(result, KMT_CLASS_GROWTH, suspects, nr);
	return find_class(result, KMT_CLASS_UNCERTAIN, suspects, nr);
}

static void name_suspect(char *name, const struct kmt_result *result,
			 const struct kmt_suspect *suspect)
{
	char caller[KMT_ESCAPED_BYTES];
	const char *taint;

	if (suspect->row) {
		kmt_words_name(name, result->group, suspect->row);
		if (kmt_row_judged_owner(suspect->row))
			(void)snprintf(name + strlen(name), KMT_NAME_BYTES - strlen(name),
				       ", for %s",
				       kmt_escape(caller, sizeof(caller), suspect->row->owner));
		return;
	}
	taint = suspect->vmalloc->taint;
	(void)snprintf(name, KMT_NAME_BYTES, "vmalloc by %s%s",
		       kmt_escape(caller, sizeof(caller), suspect->vmalloc->caller),
		       taint && strchr(taint, 'O') ? " (out of tree)" : "");
}

/* Return: how many there were. */
static size_t print_reasons(const struct kmt_judgement *judgement, bool is_for, size_t max,
			    FILE *file)
{
	size_t nr = 0;

	for (size_t i = 0; i < judgement->nr_reasons; i++) {
		const struct kmt_reason *reason = &judgement->reasons[i];

		if (reason->is_for == is_for && nr++ < max)
			kmt_words_wrap(file, is_for ? "  why: " : "  but: ", WORD_INDENT,
				       reason->text);
	}
	return nr;
}

static void scale(struct kmt_trend *trend, double factor)
{
	trend->bytes_per_s *= factor;
	trend->low *= factor;
	trend->high *= factor;
}

/* Rates as the judgement has them; of pairs they are of objects. */
static void print_rate(const struct kmt_result *result, const struct kmt_suspect *suspect,
		       FILE *file)
{
	const char *(*words)(char *, double) = suspect->row && !kmt_row_has_size(suspect->row)
						       ? kmt_words_count_rate
						       : kmt_words_rate;
	struct kmt_trend seen = suspect->judgement->trend, *trend = &seen;
	char rate[KMT_UNITS_BYTES], low[KMT_UNITS_BYTES], high[KMT_UNITS_BYTES];
	char since[KMT_UNITS_BYTES], when[64] = "", sentence[256];

	if (suspect->row)
		scale(trend, kmt_row_scale(suspect->row));
	if (trend->shape == KMT_SHAPE_NONE || !(trend->bytes_per_s > 0))
		return;
	if (trend->since_ns && trend->since_ns >= result->start_ns)
		(void)snprintf(when, sizeof(when), ", since %s after the start",
			       kmt_format_time(since, trend->since_ns - result->start_ns));
	(void)snprintf(sentence, sizeof(sentence), "%s (95 %%: %s to %s)%s",
		       words(rate, trend->bytes_per_s), words(low, trend->low),
		       words(high, trend->high), when);
	kmt_words_wrap(file, "  rate: ", 8, sentence);
}

static size_t beyond(size_t nr, size_t max)
{
	return nr > max ? nr - max : 0;
}

static void print_suspect(const struct kmt_result *result, const struct kmt_suspect *suspect,
			  bool is_first, FILE *file)
{
	size_t max_for = is_first ? REASONS_FOR : FEW_REASONS_FOR;
	size_t max_against = is_first ? REASONS_AGAINST : FEW_REASONS_AGAINST;
	const struct kmt_judgement *judgement = suspect->judgement;
	char name[KMT_NAME_BYTES], confidence[KMT_UNITS_BYTES];
	size_t more;

	name_suspect(name, result, suspect);
	fprintf(file, "%s %s: %s\n", kmt_class_name(judgement->class),
		kmt_words_confidence(confidence, judgement->confidence), name);
	more = beyond(print_reasons(judgement, true, max_for, file), max_for);
	more += beyond(print_reasons(judgement, false, max_against, file), max_against);
	if (more)
		fprintf(file, "  (and %zu more reason%s)\n", more, more == 1 ? "" : "s");
	if (is_first)
		print_rate(result, suspect, file);
}

void kmt_suspects_print(const struct kmt_result *result, const struct kmt_suspect *suspects,
			size_t nr, FILE *file)
{
	for (size_t i = 0; i < nr; i++) {
		fprintf(file, "\n");
		print_suspect(result, &suspects[i], i == 0, file);
	}
}
