// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "kmemtape/diagnosis.h"
#include "kmemtape/units.h"

#define ROWS		8 /* the largest of each kind; JSON has more */
#define LINE_COLUMNS	80
#define NAME_COLUMNS	32 /* "vmalloc" callers are cut in the middle: both ends tell something */
#define ESCAPED_BYTES	(4 * KMT_DIAGNOSIS_TEXT_BYTES)
#define ABILITY_COLUMNS 19 /* "  yes  slab events  " */

const char *kmt_suspicion_name(enum kmt_suspicion suspicion)
{
	static const char *const names[] = {
		[KMT_SUSPICION_NONE] = "none",
		[KMT_SUSPICION_UNKNOWN] = "unknown",
		[KMT_SUSPICION_WATCH] = "watch",
		[KMT_SUSPICION_GROWING] = "growing",
	};

	return names[suspicion];
}

/* Words, broken at @columns, later lines behind @indent blanks. The first begins at column @at. */
static void print_words(FILE *file, const char *text, int at, int indent)
{
	char safe[ESCAPED_BYTES];
	const char *word = kmt_escape(safe, sizeof(safe), text);

	for (bool is_first = true; *word; is_first = false) {
		int length = (int)strcspn(word, " ");

		if (!is_first && at + 1 + length > LINE_COLUMNS) {
			fprintf(file, "\n%*s", indent, "");
			at = indent;
		} else if (!is_first) {
			fputc(' ', file);
			at++;
		}
		fprintf(file, "%.*s", length, word);
		at += length;
		word += length;
		word += strspn(word, " ");
	}
	fputc('\n', file);
}

static void print_name(FILE *file, const char *name)
{
	char safe[4 * KMT_DIAGNOSIS_NAME_BYTES];
	int length = (int)strlen(kmt_escape(safe, sizeof(safe), name));

	if (length <= NAME_COLUMNS)
		fprintf(file, "  %-*s", NAME_COLUMNS, safe);
	else
		fprintf(file, "  %.*s..%s", NAME_COLUMNS - 16, safe, safe + length - 14);
}

static const char *format_growth(char *buf, int64_t bytes)
{
	char size[KMT_UNITS_BYTES];

	if (bytes == 0)
		return "";
	(void)snprintf(buf, KMT_UNITS_BYTES, "%c%.*s", bytes < 0 ? '-' : '+', KMT_UNITS_BYTES - 2,
		       kmt_format_size(size, bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes));
	return buf;
}

static const char *remark(const struct kmt_diagnosis_item *item)
{
	return item->is_growing ? "  grows" : item->is_reclaimable ? "  reclaimable" : "";
}

static void print_head(const struct kmt_diagnosis *diagnosis, FILE *file, const char *name,
		       const char *count)
{
	char time[KMT_UNITS_BYTES], text[KMT_UNITS_BYTES + 8] = "";

	if (diagnosis->watched_ns)
		(void)snprintf(text, sizeof(text), "in %s",
			       kmt_format_time(time, diagnosis->watched_ns));
	fprintf(file, "%-*s%10s%9s%s%s\n", NAME_COLUMNS + 2, name, "now", count,
		*text ? "    " : "", text);
}

static void print_item(const struct kmt_diagnosis *diagnosis, FILE *file,
		       const struct kmt_diagnosis_item *item, const char *count)
{
	char bytes[KMT_UNITS_BYTES], growth[KMT_UNITS_BYTES];

	print_name(file, item->name);
	fprintf(file, "%10s%9s", kmt_format_size(bytes, item->bytes), count);
	if (diagnosis->watched_ns && (item->grown_bytes || *remark(item)))
		fprintf(file, "%12s", format_growth(growth, item->grown_bytes));
	fprintf(file, "%s\n", remark(item));
}

static void print_memory(const struct kmt_diagnosis *diagnosis, FILE *file)
{
	char share[KMT_UNITS_BYTES];

	print_head(diagnosis, file, "memory of the kernel", "share");
	for (size_t i = 0; i < diagnosis->nr_memory; i++) {
		(void)snprintf(share, sizeof(share), "%.1f %%",
			       diagnosis->total_bytes ? 100.0 * (double)diagnosis->memory[i].bytes /
								(double)diagnosis->total_bytes
						      : 0);
		print_item(diagnosis, file, &diagnosis->memory[i], share);
	}
}

static void print_table(const struct kmt_diagnosis *diagnosis, FILE *file, const char *name,
			const char *count_name, const struct kmt_diagnosis_item *items, size_t nr)
{
	char count[KMT_UNITS_BYTES];

	print_head(diagnosis, file, name, count_name);
	for (size_t i = 0; i < nr && i < ROWS; i++)
		print_item(diagnosis, file, &items[i], kmt_format_count(count, items[i].count));
}

static void print_modules(const struct kmt_diagnosis *diagnosis, FILE *file)
{
	char bytes[KMT_UNITS_BYTES];
	size_t nr_out = 0;

	if (!diagnosis->has_modules || !diagnosis->nr_all_modules) {
		fprintf(file, "modules: none\n");
		return;
	}
	for (size_t i = 0; i < diagnosis->nr_modules; i++)
		nr_out += strpbrk(diagnosis->modules[i].taint, "OP") != NULL;
	if (!nr_out) {
		fprintf(file, "modules: %zu, none from outside of the kernel's tree\n",
			diagnosis->nr_all_modules);
		return;
	}
	fprintf(file, "modules: %zu, from outside of the kernel's tree, so the first to suspect:\n",
		diagnosis->nr_all_modules);
	for (size_t i = 0; i < nr_out && i < ROWS; i++) {
		print_name(file, diagnosis->modules[i].name);
		fprintf(file, "%10s%9s\n", kmt_format_size(bytes, diagnosis->modules[i].bytes),
			diagnosis->modules[i].taint);
	}
	if (nr_out > ROWS)
		fprintf(file, "  and %zu more\n", nr_out - ROWS);
}

static void print_abilities(const struct kmt_diagnosis *diagnosis, FILE *file)
{
	static const char *const words[] = {
		[KMT_ANSWER_NO] = "no",
		[KMT_ANSWER_YES] = "yes",
		[KMT_ANSWER_UNKNOWN] = "?",
	};

	fprintf(file, "what this host can record\n");
	for (size_t i = 0; i < diagnosis->nr_abilities; i++) {
		const struct kmt_diagnosis_ability *ability = &diagnosis->abilities[i];

		fprintf(file, "  %-4s %-12s", words[ability->answer], ability->name);
		print_words(file, ability->text, ABILITY_COLUMNS, ABILITY_COLUMNS);
	}
}

void kmt_diagnosis_text(const struct kmt_diagnosis *diagnosis, FILE *file)
{
	print_words(file, diagnosis->headline, 0, 0);
	for (size_t i = 0; i < diagnosis->nr_findings; i++) {
		/* the headline is made of the first, unless that says nothing */
		if (i == 0 && diagnosis->findings[0].suspicion >= KMT_SUSPICION_WATCH)
			continue;
		fprintf(file, "- ");
		print_words(file, diagnosis->findings[i].text, 2, 2);
	}
	fprintf(file, "\n");
	print_memory(diagnosis, file);
	if (diagnosis->has_caches)
		print_table(diagnosis, file, "largest slab caches", "objects", diagnosis->caches,
			    diagnosis->nr_caches);
	if (diagnosis->has_callers)
		print_table(diagnosis, file, "largest callers of vmalloc", "areas",
			    diagnosis->callers, diagnosis->nr_callers);
	print_modules(diagnosis, file);
	fprintf(file, "\n");
	print_abilities(diagnosis, file);
	fprintf(file, "\nnext:  %s\n       kmemtape replay leak.tape\n", diagnosis->command);
}
