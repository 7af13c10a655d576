// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/stacks.h"
#include "kmemtape/track.h"

#include "distilled-columns.h"
#include "distilled.h"

#define VERSION	   2
#define COUNT_MAX  (UINT64_C(1) << 40)
#define AREAS_MAX  (UINT64_C(1) << 48) /* of one caller: see decode/counters.c */
#define WEIGHT_MAX 0x1p33f
#define FRAMES_MAX (UINT64_C(1) << 22)

/* One text being read. */
struct reader {
	struct kmt_books_scan scan;
	struct kmt_distilled *distilled;
	struct kmt_names *names;
	struct kmt_text_list list;
	uint64_t *row;
};

/* Return: 0 or -ENOMEM. */
static int reserve_row(struct reader *reader, size_t nr)
{
	free(reader->row);
	reader->row = calloc(nr + 1, sizeof(*reader->row));
	return reader->row ? 0 : -ENOMEM;
}

static uint64_t get_named(struct reader *reader, const char *name, uint64_t max)
{
	kmt_books_expect(&reader->scan, name);
	return kmt_books_get(&reader->scan, max);
}

static int get_notes(struct reader *reader)
{
	struct kmt_distilled *distilled = reader->distilled;
	size_t nr;

	kmt_books_expect(&reader->scan, "notes");
	nr = kmt_books_get_nr(&reader->scan, KMT_BOOKS_NOTES_MAX, 2);
	distilled->notes = calloc(nr + 1, sizeof(*distilled->notes));
	if (!distilled->notes)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		distilled->notes[i] = strdup(kmt_books_get_text(&reader->scan));
		if (!distilled->notes[i])
			return -ENOMEM;
		distilled->nr_notes++;
	}
	return 0;
}

static int get_names(struct reader *reader)
{
	size_t nr;
	int r = 0;

	kmt_books_expect(&reader->scan, "names");
	nr = kmt_books_get_nr(&reader->scan, KMT_BOOKS_NAMES_MAX, 2);
	for (size_t i = 0; r == 0 && i < nr; i++) {
		const char *text = kmt_books_get_text(&reader->scan);
		const char *name = kmt_names_intern(reader->names, text, strlen(text));

		r = name ? kmt_text_list_add(&reader->list, name) : -ENOMEM;
	}
	return r;
}

static int get_head(struct reader *reader)
{
	struct kmt_distilled *distilled = reader->distilled;
	uint64_t version;
	int r;

	kmt_books_expect(&reader->scan, "kmemtape-books");
	version = kmt_books_get(&reader->scan, VERSION);
	if (version == 0)
		kmt_books_wrong(&reader->scan, "a version that there never was");
	distilled->has_dossier_spaces = version >= 2;
	distilled->books.end_ns = get_named(reader, "end", UINT64_MAX);
	distilled->grace_ns = get_named(reader, "grace", UINT64_MAX);
	distilled->is_complete = get_named(reader, "complete", 1);
	distilled->has_free_probes = get_named(reader, "free_probes", 1);
	distilled->other_events = get_named(reader, "other_events", UINT64_MAX);
	r = get_notes(reader);
	return r < 0 ? r : get_names(reader);
}

static int get_modules(struct reader *reader)
{
	struct kmt_books_scan *scan = &reader->scan;
	size_t nr;
	int r = 0;

	kmt_books_expect(scan, "modules");
	nr = kmt_books_get_nr(scan, KMT_BOOKS_MODULES_MAX, 8);
	for (size_t i = 0; r == 0 && !scan->wrong && i < nr; i++) {
		const char *what = kmt_books_get_word(scan);
		struct kmt_module_event event = { .is_load = what && strcmp(what, "load") == 0 };

		if (what && !event.is_load && strcmp(what, "unload") != 0)
			kmt_books_wrong(scan, "neither load nor unload");
		event.time_ns = kmt_books_get(scan, UINT64_MAX);
		event.pid = (int32_t)(uint32_t)kmt_books_get(scan, UINT32_MAX);
		event.name = kmt_text_list_get(&reader->list, scan);
		if (!event.name)
			kmt_books_wrong(scan, "a module without a name");
		else
			r = kmt_distilled_note_module(reader->distilled, &event);
	}
	return r;
}

static int get_stacks(struct reader *reader)
{
	struct kmt_distilled *distilled = reader->distilled;
	struct kmt_books_scan *scan = &reader->scan;
	size_t at = 0;

	kmt_books_expect(scan, "frames");
	distilled->nr_frames = kmt_books_get_nr(scan, FRAMES_MAX, 1);
	distilled->frames = calloc(distilled->nr_frames + 1, sizeof(*distilled->frames));
	if (!distilled->frames)
		return -ENOMEM;
	kmt_books_get_row(scan, distilled->frames, distilled->nr_frames, KMT_ROW_HEX, UINT64_MAX);
	kmt_books_expect(scan, "stacks");
	distilled->nr_stacks = kmt_books_get_nr(scan, KMT_BOOKS_ACCOUNTS_MAX, 0);
	distilled->stacks = calloc(distilled->nr_stacks + 1, sizeof(*distilled->stacks));
	if (!distilled->stacks || reserve_row(reader, distilled->nr_stacks) < 0)
		return -ENOMEM;
	kmt_books_get_row(scan, reader->row, distilled->nr_stacks, KMT_ROW_PLAIN,
			  KMT_STACK_FRAMES_MAX);
	for (size_t i = 0; i < distilled->nr_stacks; i++) {
		uint32_t nr = (uint32_t)reader->row[i];

		if (nr == 0 || nr > distilled->nr_frames - at) {
			kmt_books_wrong(scan, "a stack of frames that aren't there");
			nr = 0;
		}
		distilled->stacks[i] = (struct kmt_stack_range){ (uint32_t)at, nr };
		at += nr;
	}
	if (at != distilled->nr_frames)
		kmt_books_wrong(scan, "frames of no stack");
	return 0;
}

static void get_totals(struct reader *reader)
{
	struct kmt_totals *totals = &reader->distilled->books.totals;

	for (size_t i = 0; i < KMT_TOTAL_COLUMNS; i++)
		*(uint64_t *)((char *)totals + kmt_total_columns[i].offset) =
			get_named(reader, kmt_total_columns[i].name, kmt_total_columns[i].max);
	if (get_named(reader, "events", UINT32_MAX) != KMT_EVENT_KINDS)
		kmt_books_wrong(&reader->scan, "another number of kinds of events");
	kmt_books_get_row(&reader->scan, totals->by_kind, KMT_EVENT_KINDS, KMT_ROW_PLAIN,
			  COUNT_MAX);
}

static void get_grid(struct reader *reader)
{
	struct kmt_grid *grid = &reader->distilled->books.grid;

	kmt_books_expect(&reader->scan, "grid");
	grid->start_ns = kmt_books_get(&reader->scan, UINT64_MAX);
	grid->width_ns = kmt_books_get(&reader->scan, UINT64_MAX);
	grid->nr = (size_t)kmt_books_get(&reader->scan, KMT_HISTORY_POINTS);
	kmt_books_get_row(&reader->scan, grid->allocs, grid->nr, KMT_ROW_DELTA, COUNT_MAX);
}

static int get_unknown_frees(struct reader *reader)
{
	struct kmt_books *books = &reader->distilled->books;
	struct kmt_books_scan *scan = &reader->scan;
	size_t nr;

	kmt_books_expect(scan, "unknown_frees");
	nr = kmt_books_get_nr(scan, KMT_BOOKS_NAMES_MAX, 8);
	books->unknown_frees = calloc(nr + 1, sizeof(*books->unknown_frees));
	if (!books->unknown_frees)
		return -ENOMEM;
	books->nr_unknown_frees = nr;
	for (size_t i = 0; i < nr; i++) {
		struct kmt_cache_frees *frees = &books->unknown_frees[i];

		frees->cache = kmt_text_list_get(&reader->list, scan);
		frees->frees = kmt_books_get(scan, COUNT_MAX);
		frees->first_marked = kmt_books_get(scan, COUNT_MAX);
		frees->last_marked = kmt_books_get(scan, COUNT_MAX);
	}
	return 0;
}

static void set_cell(struct reader *reader, struct kmt_account *account,
		     const struct kmt_column *column, uint64_t number)
{
	char *field = (char *)account + column->offset;

	switch (column->type) {
	case KMT_COLUMN_U32:
		*(uint32_t *)field = (uint32_t)number;
		break;
	case KMT_COLUMN_TEXT:
		if (number > reader->list.nr)
			kmt_books_wrong(&reader->scan, "a name that isn't there");
		else if (number)
			*(const char **)field = reader->list.texts[number - 1];
		break;
	case KMT_COLUMN_I64:
	case KMT_COLUMN_U64:
		*(uint64_t *)field = number;
		break;
	}
}

static int get_track(struct reader *reader, struct kmt_track **track)
{
	uint64_t row[KMT_HISTORY_POINTS];
	struct kmt_counts counts;

	for (size_t i = 0; i < KMT_TRACK_ROWS; i++) {
		uint32_t *to = (uint32_t *)((char *)&counts + kmt_track_rows[i].offset);

		kmt_books_get_row(&reader->scan, row, kmt_track_rows[i].nr, kmt_track_rows[i].style,
				  UINT32_MAX);
		for (size_t k = 0; k < kmt_track_rows[i].nr; k++)
			to[k] = (uint32_t)row[k];
	}
	return kmt_track_write(track, &counts);
}

static int get_tracks(struct reader *reader)
{
	struct kmt_books *books = &reader->distilled->books;
	struct kmt_books_scan *scan = &reader->scan;
	size_t nr;

	kmt_books_expect(scan, "tracks");
	nr = kmt_books_get_nr(scan, books->nr_accounts, 12);
	for (size_t i = 0; !scan->wrong && i < nr; i++) {
		size_t number = (size_t)kmt_books_get(scan, books->nr_accounts - 1);
		struct kmt_account *account = &books->accounts[number];

		if (account->track) {
			kmt_books_wrong(scan, "a second track of an account");
			break;
		}
		if (get_track(reader, &account->track) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int get_accounts(struct reader *reader)
{
	struct kmt_books *books = &reader->distilled->books;
	struct kmt_books_scan *scan = &reader->scan;
	size_t nr;

	kmt_books_expect(scan, "accounts");
	nr = kmt_books_get_nr(scan, KMT_BOOKS_ACCOUNTS_MAX, 0);
	books->accounts = calloc(nr + 1, sizeof(*books->accounts));
	if (!books->accounts || reserve_row(reader, nr) < 0)
		return -ENOMEM;
	books->nr_accounts = nr;
	for (size_t i = 0; i < KMT_ACCOUNT_COLUMNS; i++) {
		const struct kmt_column *column = &kmt_account_columns[i];

		kmt_books_expect(scan, column->name);
		kmt_books_get_row(scan, reader->row, nr, column->style, column->max);
		for (size_t k = 0; k < nr; k++)
			set_cell(reader, &books->accounts[k], column, reader->row[k]);
	}
	for (size_t i = 0; i < nr; i++)
		if (books->accounts[i].key.stack > reader->distilled->nr_stacks)
			kmt_books_wrong(scan, "a stack that isn't there");
	return get_tracks(reader);
}

static int get_caller(struct reader *reader)
{
	struct kmt_vmalloc_series *series = &reader->distilled->series;
	struct kmt_books_scan *scan = &reader->scan;
	struct kmt_vmalloc_history history = { .is_unloaded = false };
	char text[KMT_VMALLOC_TEXT_BYTES];

	(void)snprintf(text, sizeof(text), "%s", kmt_books_get_text(scan));
	history.text = text;
	history.is_unloaded = kmt_books_get(scan, 1);
	history.last_at = (size_t)kmt_books_get(scan, KMT_VMALLOC_POINTS_MAX);
	history.first_pages = kmt_books_get(scan, AREAS_MAX);
	history.last_pages = kmt_books_get(scan, AREAS_MAX);
	kmt_books_get_row(scan, history.areas, series->nr, KMT_ROW_DELTA, AREAS_MAX);
	kmt_books_get_row(scan, history.bytes, series->nr, KMT_ROW_DELTA, AREAS_MAX);
	return scan->wrong ? 0 : kmt_vmalloc_series_restore(series, &history);
}

static int get_series(struct reader *reader)
{
	struct kmt_vmalloc_series *series = &reader->distilled->series;
	struct kmt_books_scan *scan = &reader->scan;
	size_t nr;
	int r = 0;

	kmt_books_expect(scan, "snapshots");
	series->nr = (size_t)kmt_books_get(scan, KMT_VMALLOC_POINTS_MAX);
	kmt_books_get_row(scan, series->times_ns, series->nr, KMT_ROW_DELTA, UINT64_MAX);
	for (size_t i = 1; i < series->nr; i++)
		if (series->times_ns[i] <= series->times_ns[i - 1])
			kmt_books_wrong(scan, "snapshots that are not in order");
	kmt_books_expect(scan, "vmalloc");
	nr = kmt_books_get_nr(scan, KMT_COUNTERS_CALLERS_MAX, 10);
	for (size_t i = 0; r == 0 && !scan->wrong && i < nr; i++)
		r = get_caller(reader);
	if (r == -EEXIST)
		kmt_books_wrong(scan, "a caller of vmalloc twice");
	return r == -ENOMEM ? r : 0;
}

static void set_cell_number(struct kmt_sample_cell *cell, int column, uint64_t number)
{
	uint32_t bits = (uint32_t)number;

	if (column == 0)
		cell->is_page = number;
	else if (column == 1)
		cell->cluster = number;
	else if (column == 2)
		cell->account = bits;
	else
		memcpy(&cell->weight, &bits, sizeof(bits));
}

/* In order, as sums over a cluster rely on it. */
static bool is_cell(const struct kmt_distilled *distilled, size_t i)
{
	const struct kmt_sample_cell *cell = &distilled->cells[i], *before = cell - 1;

	if (cell->account >= distilled->books.nr_accounts || !(cell->weight >= 1) ||
	    cell->weight > WEIGHT_MAX)
		return false;
	return i == 0 || before->is_page < cell->is_page ||
	       (before->is_page == cell->is_page && before->cluster <= cell->cluster);
}

static int get_cells(struct reader *reader)
{
	static const enum kmt_row_style styles[] = { KMT_ROW_PLAIN, KMT_ROW_DELTA, KMT_ROW_DELTA,
						     KMT_ROW_PLAIN };
	static const uint64_t most[] = { 1, UINT32_MAX, UINT32_MAX, UINT32_MAX };
	struct kmt_distilled *distilled = reader->distilled;
	struct kmt_books_scan *scan = &reader->scan;

	kmt_books_expect(scan, "sample");
	distilled->nr_cells = kmt_books_get_nr(scan, KMT_BOOKS_CELLS_MAX, 0);
	distilled->cells = calloc(distilled->nr_cells + 1, sizeof(*distilled->cells));
	if (!distilled->cells || reserve_row(reader, distilled->nr_cells) < 0)
		return -ENOMEM;
	for (int column = 0; column < 4; column++) {
		kmt_books_get_row(scan, reader->row, distilled->nr_cells, styles[column],
				  most[column]);
		for (size_t i = 0; i < distilled->nr_cells; i++)
			set_cell_number(&distilled->cells[i], column, reader->row[i]);
	}
	for (size_t i = 0; !scan->wrong && i < distilled->nr_cells; i++)
		if (!is_cell(distilled, i))
			kmt_books_wrong(scan, "an object of a sample that can be none");
	return 0;
}

static int get_dossiers(struct reader *reader)
{
	struct kmt_distilled *distilled = reader->distilled;
	struct kmt_books_scan *scan = &reader->scan;
	size_t nr;
	int r = 0;

	kmt_books_expect(scan, "dossiers");
	nr = kmt_books_get_nr(scan, KMT_DOSSIERS_MAX, 1);
	distilled->dossiers = calloc(nr + 1, sizeof(*distilled->dossiers));
	if (!distilled->dossiers)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && !scan->wrong && i < nr; i++) {
		distilled->nr_dossiers++;
		r = kmt_distilled_get_dossier(scan, &reader->list, distilled->has_dossier_spaces,
					      &distilled->dossiers[i]);
	}
	kmt_books_expect(scan, "end");
	return r;
}

static int get_all(struct reader *reader)
{
	int r;

	(void)((r = get_head(reader)) < 0 || (r = get_modules(reader)) < 0 ||
	       (r = get_stacks(reader)) < 0);
	if (r < 0)
		return r;
	get_totals(reader);
	get_grid(reader);
	(void)((r = get_unknown_frees(reader)) < 0 || (r = get_accounts(reader)) < 0 ||
	       (r = get_series(reader)) < 0 || (r = get_cells(reader)) < 0 ||
	       (r = get_dossiers(reader)) < 0);
	return r;
}

int kmt_distilled_parse(struct kmt_distilled *distilled, char *text, size_t bytes,
			struct kmt_names *names, struct kmt_err *err)
{
	struct reader reader = { .distilled = distilled, .names = names };
	int r;

	kmt_books_scan_begin(&reader.scan, text, bytes);
	r = get_all(&reader);
	free(reader.row);
	kmt_text_list_deinit(&reader.list);
	if (r < 0)
		return kmt_fail(err, r, "out of memory");
	if (reader.scan.wrong)
		return kmt_fail(err, -EBADMSG, "%s: line %u: %s", KMT_BOOKS_PATH, reader.scan.line,
				reader.scan.wrong);
	return 0;
}
