// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/units.h"

#include "stack-tree.h"
#include "words.h"

#define BRANCHES_MAX 5	    /* at each point, unless all are wanted */
#define LINES_MAX    60u    /* likewise, in all */
#define ALL_MAX	     20000u /* when all are wanted: what nobody reads any more */
#define LEVELS_MAX   8	    /* of branches: beyond, too little of a line is left */
#define NUMBERS	     28	    /* columns in front of the tree */
#define HEAD_BYTES   128

/* Stacks that are the same so far. */
struct branch {
	const struct kmt_stack_row **rows;
	size_t nr;
	uint64_t allocs, live_objects, live_bytes;
};

struct tree {
	FILE *file;
	bool is_utf8;
	size_t branches_max;
	uint64_t lines_left;
	struct branch all;
	bool was_cut;
};

static int by_text(const char *a, const char *b)
{
	if (!a || !b)
		return !b - !a;
	return strcmp(a, b);
}

/* 0: the same code */
static int compare_frames(const struct kmt_frame *a, const struct kmt_frame *b)
{
	int r = (a->address > b->address) - (a->address < b->address);

	(void)(r || (r = by_text(a->module, b->module)) || (r = by_text(a->function, b->function)));
	return r;
}

static int compare_rows(const void *left, const void *right)
{
	const struct kmt_stack_row *a = *(const struct kmt_stack_row *const *)left;
	const struct kmt_stack_row *b = *(const struct kmt_stack_row *const *)right;
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->nr_frames && i < b->nr_frames; i++)
		r = compare_frames(&a->frames[i], &b->frames[i]);
	return r ? r : (a->nr_frames > b->nr_frames) - (a->nr_frames < b->nr_frames);
}

static int largest_first(const void *left, const void *right)
{
	const struct branch *a = left, *b = right;

	if (a->live_bytes != b->live_bytes)
		return a->live_bytes > b->live_bytes ? -1 : 1;
	if (a->allocs != b->allocs)
		return a->allocs > b->allocs ? -1 : 1;
	return compare_rows(a->rows, b->rows);
}

static void add_row(struct branch *branch, const struct kmt_stack_row *row)
{
	branch->nr++;
	branch->allocs += row->allocs;
	branch->live_objects += row->live_objects;
	branch->live_bytes += row->live_bytes;
}

static bool ends_at(const struct kmt_stack_row *row, size_t depth)
{
	return row->nr_frames <= depth;
}

static bool is_same(const struct kmt_stack_row *a, const struct kmt_stack_row *b, size_t depth)
{
	if (ends_at(a, depth) || ends_at(b, depth))
		return ends_at(a, depth) && ends_at(b, depth);
	return compare_frames(&a->frames[depth], &b->frames[depth]) == 0;
}

/* What @branch divides into at @depth, on the heap; NULL: out of memory. */
static struct branch *divide(const struct branch *branch, size_t depth, size_t *ret_nr)
{
	struct branch *parts = calloc(branch->nr, sizeof(*parts));
	size_t nr = 0;

	for (size_t i = 0; parts && i < branch->nr; i++) {
		if (i == 0 || !is_same(branch->rows[i - 1], branch->rows[i], depth))
			parts[nr++].rows = &branch->rows[i];
		add_row(&parts[nr - 1], branch->rows[i]);
	}
	if (parts)
		qsort(parts, nr, sizeof(*parts), largest_first);
	*ret_nr = nr;
	return parts;
}

static bool take_line(struct tree *tree)
{
	if (tree->lines_left == 0) {
		tree->was_cut = true;
		return false;
	}
	tree->lines_left--;
	return true;
}

/* @branch: NULL: the numbers are those of the line before */
static void begin_line(struct tree *tree, struct kmt_line *line, const struct branch *branch,
		       const char *head, const char *mark)
{
	char text[NUMBERS + 2 * HEAD_BYTES] = "", share[KMT_UNITS_BYTES], live[KMT_UNITS_BYTES],
				objects[KMT_UNITS_BYTES];
	const struct branch *all = &tree->all;

	if (branch)
		(void)snprintf(text, sizeof(text), "%7s %9s %8s  %s%s",
			       kmt_words_percent(
				       share, all->live_bytes ? branch->live_bytes : branch->allocs,
				       all->live_bytes ? all->live_bytes : all->allocs),
			       kmt_format_size(live, branch->live_bytes),
			       kmt_words_count(objects, branch->live_objects), head, mark);
	else
		(void)snprintf(text, sizeof(text), "%*s%s%s", NUMBERS, "", head, mark);
	kmt_line_begin(line, tree->file, text, NUMBERS, 2);
}

/* Without the size where there is no room for it. */
static void add_frame(struct kmt_line *line, const struct kmt_frame *frame)
{
	char name[KMT_NAME_BYTES], *size, *rest;

	kmt_words_frame(name, frame);
	size = frame->function ? strrchr(name, '/') : NULL;
	if (size && line->used + kmt_words_columns(name) > KMT_COLUMNS) {
		rest = size + strcspn(size, " ");
		memmove(size, rest, strlen(rest) + 1);
	}
	kmt_line_add(line, name);
	kmt_line_add_sources(line, frame->lines);
	kmt_line_end(line);
}

static int print_branches(struct tree *tree, const struct branch *parts, size_t nr, size_t depth,
			  const char *head, unsigned int level);

/* A branch to where it divides again. @own: in front of its first line; @head: of the others */
static int print_branch(struct tree *tree, const struct branch *branch, size_t depth,
			const char *head, const char *mark, const char *below, unsigned int level)
{
	char next[HEAD_BYTES];
	struct kmt_line line;
	int r = 0;

	(void)snprintf(next, sizeof(next), "%s%s", head, below);
	for (bool is_first = true;; is_first = false, depth++) {
		KMT_CLEANUP(kmt_freep) struct branch *parts = NULL;
		size_t nr;

		parts = divide(branch, depth, &nr);
		if (!parts)
			return -ENOMEM;
		if (nr > 1)
			return print_branches(tree, parts, nr, depth, next, level);
		if (ends_at(branch->rows[0], depth) || !take_line(tree))
			return r;
		begin_line(tree, &line, is_first ? branch : NULL, is_first ? head : next,
			   is_first ? mark : "");
		add_frame(&line, &branch->rows[0]->frames[depth]);
	}
}

/* Of what is cut. */
static void print_rest(struct tree *tree, const struct branch *parts, size_t from, size_t nr,
		       const char *head)
{
	char live[KMT_UNITS_BYTES];
	struct kmt_line line;
	uint64_t bytes = 0;
	size_t nr_stacks = 0;

	for (size_t i = from; i < nr; i++) {
		bytes += parts[i].live_bytes;
		nr_stacks += parts[i].nr;
	}
	begin_line(tree, &line, NULL, head, "");
	kmt_line_addf(&line, "and %zu more stack%s with %s", nr_stacks, nr_stacks == 1 ? "" : "s",
		      kmt_format_size(live, bytes));
	kmt_line_end(&line);
}

static int print_branches(struct tree *tree, const struct branch *parts, size_t nr, size_t depth,
			  const char *head, unsigned int level)
{
	const char *middle = tree->is_utf8 ? "\u251c " : "+ ";
	const char *last = tree->is_utf8 ? "\u2514 " : "` ";
	const char *below = tree->is_utf8 ? "\u2502 " : "| ";
	size_t shown = nr < tree->branches_max ? nr : tree->branches_max;
	struct kmt_line line;
	int r = 0;

	if (level == LEVELS_MAX)
		shown = 0;
	for (size_t i = 0; r == 0 && i < shown; i++) {
		bool is_last = i + 1 == nr;

		if (tree->lines_left == 0) {
			tree->was_cut = true;
			return 0;
		}
		if (ends_at(parts[i].rows[0], depth)) {
			tree->lines_left--;
			begin_line(tree, &line, &parts[i], head, is_last ? last : middle);
			kmt_line_add(&line, "(the stack ends here)");
			kmt_line_end(&line);
			continue;
		}
		r = print_branch(tree, &parts[i], depth, head, is_last ? last : middle,
				 is_last ? "  " : below, level + 1);
	}
	if (r == 0 && shown < nr)
		print_rest(tree, parts, shown, nr, head);
	return r;
}

static const struct kmt_stack_row **collect(const struct kmt_result *result,
					    const struct kmt_site *site, struct tree *tree,
					    struct branch *without)
{
	const struct kmt_stack_row **rows = calloc(result->nr_stacks, sizeof(*rows));
	struct branch *all = &tree->all;

	for (size_t i = 0; rows && i < result->nr_stacks; i++) {
		const struct kmt_stack_row *row = &result->stacks[i];

		if (!kmt_site_is(&row->site, site))
			continue;
		if (row->nr_frames)
			rows[all->nr] = row;
		add_row(row->nr_frames ? all : without, row);
	}
	all->rows = rows;
	if (all->nr)
		qsort(rows, all->nr, sizeof(*rows), compare_rows);
	return rows;
}

int kmt_stack_tree_print(const struct kmt_result *result, const struct kmt_site *site, uint64_t top,
			 bool is_utf8, FILE *file)
{
	KMT_CLEANUP(kmt_freep) const struct kmt_stack_row **rows = NULL;
	struct tree tree = {
		.file = file,
		.is_utf8 = is_utf8,
		.branches_max = top ? BRANCHES_MAX : SIZE_MAX,
		.lines_left = top ? LINES_MAX : ALL_MAX,
	};
	struct branch without = { 0 };
	int r;

	if (!result->nr_stacks)
		return 0;
	rows = collect(result, site, &tree, &without);
	if (!rows)
		return -ENOMEM;
	if (!tree.all.nr)
		return 0;
	fprintf(file, "\n%7s %9s %8s  CALLED BY, OUTWARD FROM THE CALL SITE\n", "SHARE", "LIVE",
		"OBJECTS");
	r = print_branch(&tree, &tree.all, 0, "", "", "", 0);
	if (tree.was_cut)
		fprintf(file, "  and more%s\n", top ? " (--top 0 shows all)" : "");
	if (without.allocs)
		fprintf(file, "  and %" PRIu64 " allocations without a stack, %" PRIu64 " live\n",
			without.allocs, without.live_objects);
	return r;
}
