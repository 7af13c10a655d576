// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/diff.h"
#include "kmemtape/units.h"

#include "diff-judge.h"
#include "naming.h"

/* A row of either tape, by what it is found. */
struct entry {
	char *key;
	const struct kmt_summary_row *row;
	int side;
	bool is_exact;
};

static bool is_text_same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Offsets within a function are the same in the same build only. */
static bool is_build_same(const struct kmt_summary *a, const struct kmt_summary *b,
			  const char *module)
{
	return is_text_same(kmt_summary_build_id(a, module), kmt_summary_build_id(b, module));
}

static int by_key(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int r = strcmp(a->key, b->key);

	/* Rows of a report are in an order of their own: the more bytes, the sooner. */
	if (r == 0)
		r = a->side - b->side;
	return r ? r : (a->row > b->row) - (a->row < b->row);
}

static int make_entries(const struct kmt_diff *diff, int side, struct entry *entries,
			size_t *ret_nr, struct kmt_err *err)
{
	const struct kmt_summary *tape = diff->tapes[side];
	char key[KMT_KEY_BYTES];

	for (size_t i = 0; i < tape->nr_rows; i++) {
		const struct kmt_summary_row *row = &tape->rows[i];
		struct entry *entry = &entries[*ret_nr];

		entry->row = row;
		entry->side = side;
		entry->is_exact = tape->group == KMT_BY_SITE && !row->is_unknown &&
				  is_build_same(diff->tapes[0], diff->tapes[1], row->module);
		kmt_row_key(key, tape->group, row,
			    KMT_KEY_CACHE | (entry->is_exact ? KMT_KEY_OFFSET : 0));
		entry->key = strdup(key);
		if (!entry->key)
			return kmt_fail(err, -ENOMEM, "out of memory");
		(*ret_nr)++;
	}
	return 0;
}

static bool says_more(const struct kmt_summary_row *row, const struct kmt_summary_row *other)
{
	bool is_suspect = kmt_row_is_suspect(row);

	if (!other)
		return true;
	if (is_suspect != kmt_row_is_suspect(other))
		return is_suspect;
	if (row->class != other->class)
		return row->class > other->class;
	return row->mature_bytes > other->mature_bytes;
}

/* Intervals are added up at their ends, which is more than wide enough. */
static void add_row(struct kmt_diff_side *side, const struct kmt_summary_row *row)
{
	side->nr_rows++;
	side->allocs = kmt_sum(side->allocs, row->allocs);
	side->frees = kmt_sum(side->frees, row->frees);
	side->live_objects = kmt_sum(side->live_objects, row->live_objects);
	side->live_bytes = kmt_sum(side->live_bytes, row->live_bytes);
	side->mature_objects = kmt_sum(side->mature_objects, row->mature_objects);
	side->mature_bytes = kmt_sum(side->mature_bytes, row->mature_bytes);
	side->calls += (double)row->allocs * row->scale;
	side->live += (double)(row->space < KMT_SPACE_PAIR ? row->live_bytes : row->live_objects) *
		      row->scale;
	side->objects += (double)row->mature_objects * row->scale;
	side->bytes += (double)row->mature_bytes * row->scale;
	side->per_s += row->per_s * row->scale;
	side->per_s_low += row->per_s_low * row->scale;
	side->per_s_high += row->per_s_high * row->scale;
	side->is_suspect |= kmt_row_is_suspect(row);
	side->is_suppressed |= row->is_suppressed;
	if (says_more(row, side->row)) {
		side->row = row;
		side->class = row->class;
		side->confidence = row->confidence;
	}
}

static void name_item(struct kmt_diff_item *item)
{
	const struct kmt_summary_row *a = item->sides[0].row, *b = item->sides[1].row;

	item->row = !a || (b && says_more(b, a)) ? b : a;
	if (a && b && kmt_row_has_other_owner(a, b) && item->sides[0].is_suspect)
		item->row = a; /* the one that the first sentence is of */
	item->has_size = item->row->space < KMT_SPACE_PAIR;
}

static enum kmt_match match_of(const struct kmt_diff *diff, const struct entry *entry)
{
	if (diff->tapes[0]->group != KMT_BY_SITE)
		return KMT_MATCH_GROUP;
	return entry->is_exact ? KMT_MATCH_EXACT : KMT_MATCH_FUNCTION;
}

/* Entries of one key, or of one key and owner, make an item. Takes the first one's key. */
static struct kmt_diff_item *make_item(struct kmt_diff *diff, struct entry *entries, size_t nr)
{
	struct kmt_diff_item *item = &diff->items[diff->nr_items++];

	item->match = match_of(diff, &entries[0]);
	item->key = KMT_STEAL(entries[0].key);
	for (size_t i = 0; i < nr; i++)
		add_row(&item->sides[entries[i].side], entries[i].row);
	return item;
}

static int by_owner(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int r = kmt_row_compare_owners(a->row, b->row);

	return r ? r : by_key(left, right);
}

/* Is it known for whom each is, and not the same for all of both tapes? */
static bool is_of_owners(const struct entry *entries, size_t nr)
{
	bool is_of_several = false;

	if (entries[0].side == entries[nr - 1].side)
		return false;
	for (size_t i = 0; i < nr; i++) {
		if (!kmt_row_owner(entries[i].row))
			return false;
		is_of_several |= kmt_row_compare_owners(entries[0].row, entries[i].row) != 0;
	}
	return is_of_several;
}

static bool is_side_for_many(const struct entry *entries, size_t nr, int side)
{
	for (size_t i = 0; i < nr; i++)
		if (entries[i].side == side && entries[i].row->is_for_many)
			return true;
	return false;
}

/* What a helper allocates for one is not what it allocates for another. */
static void make_items_of_owners(struct kmt_diff *diff, struct entry *entries, size_t nr)
{
	bool is_for_many[2] = { is_side_for_many(entries, nr, 0),
				is_side_for_many(entries, nr, 1) };
	size_t next;

	qsort(entries, nr, sizeof(*entries), by_owner);
	for (size_t i = 0; i < nr; i = next) {
		struct kmt_diff_item *item;

		for (next = i + 1;
		     next < nr && kmt_row_compare_owners(entries[i].row, entries[next].row) == 0;)
			next++;
		item = make_item(diff, entries + i, next - i);
		item->is_for_others = !item->sides[0].row != !item->sides[1].row;
		item->is_for_many = item->is_for_others && is_for_many[item->sides[0].row ? 1 : 0];
	}
}

/* Entries with the same key are neighbours. */
static void make_items(struct kmt_diff *diff, struct entry *entries, size_t nr)
{
	size_t next;

	for (size_t i = 0; i < nr; i = next) {
		for (next = i + 1; next < nr && strcmp(entries[i].key, entries[next].key) == 0;)
			next++;
		if (is_of_owners(entries + i, next - i))
			make_items_of_owners(diff, entries + i, next - i);
		else
			(void)make_item(diff, entries + i, next - i);
	}
}

static bool is_in_one(const struct kmt_diff_item *item)
{
	return !item->sides[0].row != !item->sides[1].row;
}

/* Of what only one tape has, by all but the cache: a structure that grew is in another one. */
static int key_by_name(struct kmt_diff *diff, struct kmt_err *err)
{
	char key[KMT_KEY_BYTES];

	for (size_t i = 0; i < diff->nr_items; i++) {
		struct kmt_diff_item *item = &diff->items[i];
		const struct kmt_summary_row *row =
			item->sides[0].row ? item->sides[0].row : item->sides[1].row;
		char *copy;

		if (!is_in_one(item))
			continue;
		kmt_row_key(key, KMT_BY_SITE, row,
			    item->match == KMT_MATCH_EXACT ? KMT_KEY_OFFSET : 0);
		copy = strdup(key);
		if (!copy)
			return kmt_fail(err, -ENOMEM, "out of memory");
		free(item->key);
		item->key = copy;
	}
	return 0;
}

static int by_item_key(const void *left, const void *right)
{
	const struct kmt_diff_item *a = left, *b = right;
	int r = is_in_one(b) - is_in_one(a);

	r = r ? r : strcmp(a->key, b->key);
	return r ? r : !a->sides[0].row - !b->sides[0].row;
}

/* @a is of A: they are in this order. */
static bool may_be_joined(const struct kmt_diff_item *a, const struct kmt_diff_item *b)
{
	return a->sides[0].row && b->sides[1].row &&
	       !kmt_row_has_other_owner(a->sides[0].row, b->sides[1].row);
}

static void join(struct kmt_diff_item *to, struct kmt_diff_item *from)
{
	for (int side = 0; side < 2; side++)
		if (from->sides[side].row)
			to->sides[side] = from->sides[side];
	to->match = KMT_MATCH_NAME;
	free(from->key);
	from->key = NULL;
}

/*
 * Two that are alone, each in its tape, and have the same name, are the same. More than two are
 * not told apart: they stay as they are.
 */
static void join_by_name(struct kmt_diff *diff)
{
	struct kmt_diff_item *items = diff->items;
	size_t to = 0, next;

	for (size_t i = 0; i < diff->nr_items; i = next) {
		for (next = i + 1; next < diff->nr_items && is_in_one(&items[i]) &&
				   is_in_one(&items[next]) &&
				   strcmp(items[i].key, items[next].key) == 0;)
			next++;
		if (next == i + 2 && may_be_joined(&items[i], &items[i + 1])) {
			join(&items[i], &items[i + 1]);
			items[to++] = items[i];
			continue;
		}
		for (size_t j = i; j < next; j++)
			items[to++] = items[j];
	}
	diff->nr_items = to;
}

static double bytes_of(const struct kmt_diff_item *item)
{
	double a = item->sides[0].bytes, b = item->sides[1].bytes;

	return a > b ? a : b;
}

static int by_change(const void *left, const void *right)
{
	const struct kmt_diff_item *a = left, *b = right;
	double x = bytes_of(a), y = bytes_of(b);

	if (a->change != b->change)
		return a->change < b->change ? -1 : 1;
	if (x < y || x > y)
		return x < y ? 1 : -1;
	return strcmp(a->key, b->key);
}

static int match(struct kmt_diff *diff, struct kmt_err *err)
{
	size_t room = diff->tapes[0]->nr_rows + diff->tapes[1]->nr_rows, nr = 0;
	struct entry *entries = calloc(room + 1, sizeof(*entries));
	int r = entries ? 0 : kmt_fail(err, -ENOMEM, "out of memory");

	diff->items = calloc(room + 1, sizeof(*diff->items));
	if (!diff->items && r == 0)
		r = kmt_fail(err, -ENOMEM, "out of memory");
	for (int side = 0; side < 2 && r == 0; side++)
		r = make_entries(diff, side, entries, &nr, err);
	if (r == 0) {
		qsort(entries, nr, sizeof(*entries), by_key);
		make_items(diff, entries, nr);
	}
	for (size_t i = 0; i < nr; i++)
		free(entries[i].key);
	free(entries);
	return r;
}

static void note_suspects(struct kmt_diff *diff, const struct kmt_diff_item *item)
{
	const struct kmt_diff_side *a = &item->sides[0], *b = &item->sides[1];

	diff->has_suspect[0] |= a->is_suspect;
	diff->has_suspect[1] |= b->is_suspect;
	if (!a->is_suspect || b->row)
		return;
	if (diff->nr_vanished < KMT_DIFF_VANISHED_MAX)
		diff->vanished[diff->nr_vanished] = a->row;
	diff->nr_vanished++;
}

int kmt_diff_new(const struct kmt_summary *a, const struct kmt_summary *b,
		 struct kmt_diff **ret_diff, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_diff_freep) struct kmt_diff *diff = NULL;
	int r;

	if (a->group != b->group)
		return kmt_fail(err, -EINVAL,
				"one report is by site, module or cache, and the other by another");
	diff = calloc(1, sizeof(*diff));
	if (!diff)
		return kmt_fail(err, -ENOMEM, "out of memory");
	diff->tapes[0] = a;
	diff->tapes[1] = b;
	diff->is_same_kernel = is_build_same(a, b, NULL);
	diff->is_same_recording = kmt_summary_is_same_recording(a, b);
	r = match(diff, err);
	if (r == 0 && a->group == KMT_BY_SITE) {
		r = key_by_name(diff, err);
		if (r == 0) {
			qsort(diff->items, diff->nr_items, sizeof(*diff->items), by_item_key);
			join_by_name(diff);
		}
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < diff->nr_items; i++)
		note_suspects(diff, &diff->items[i]);
	for (size_t i = 0; i < diff->nr_items; i++) {
		name_item(&diff->items[i]);
		kmt_diff_judge(diff, &diff->items[i]);
		diff->nr_by_change[diff->items[i].change]++;
	}
	qsort(diff->items, diff->nr_items, sizeof(*diff->items), by_change);
	kmt_diff_answer(diff);
	*ret_diff = KMT_STEAL(diff);
	return 0;
}

struct kmt_diff *kmt_diff_free(struct kmt_diff *diff)
{
	if (!diff)
		return NULL;
	for (size_t i = 0; i < diff->nr_items; i++)
		free(diff->items[i].key);
	free(diff->items);
	free(diff);
	return NULL;
}
