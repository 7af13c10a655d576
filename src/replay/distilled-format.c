// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/track.h"

#include "distilled-columns.h"
#include "distilled.h"

/* One text in the making. */
struct writer {
	const struct kmt_distilled *distilled;
	FILE *file;
	struct kmt_text_list list;
	uint64_t *row; /* of as many numbers as there are of anything */
};

static int list_series_text(struct writer *writer)
{
	const struct kmt_distilled *distilled = writer->distilled;
	int r = 0;

	for (size_t i = 0; r == 0 && i < distilled->nr_modules; i++)
		r = kmt_text_list_add(&writer->list, distilled->modules[i].name);
	for (size_t i = 0; r == 0 && i < distilled->books.nr_unknown_frees; i++)
		r = kmt_text_list_add(&writer->list, distilled->books.unknown_frees[i].cache);
	for (size_t i = 0; r == 0 && i < distilled->nr_dossiers; i++)
		r = kmt_distilled_list_texts(&distilled->dossiers[i], &writer->list);
	return r;
}

static int list_texts(struct writer *writer)
{
	const struct kmt_books *books = &writer->distilled->books;
	int r = list_series_text(writer);

	for (size_t i = 0; r == 0 && i < books->nr_accounts; i++) {
		const struct kmt_account *account = &books->accounts[i];

		(void)((r = kmt_text_list_add(&writer->list, account->key.cache)) < 0 ||
		       (r = kmt_text_list_add(&writer->list, account->key.comm)) < 0 ||
		       (r = kmt_text_list_add(&writer->list, account->freed_cache)) < 0);
	}
	kmt_text_list_sort(&writer->list);
	return r;
}

static void put_head(const struct writer *writer)
{
	const struct kmt_distilled *distilled = writer->distilled;

	(void)fprintf(writer->file,
		      "kmemtape-books 2\nend %" PRIu64 " grace %" PRIu64 " complete %d "
		      "free_probes %d other_events %" PRIu64 "\n",
		      distilled->books.end_ns, distilled->grace_ns, distilled->is_complete,
		      distilled->has_free_probes, distilled->other_events);
	(void)fprintf(writer->file, "notes %zu\n", distilled->nr_notes);
	for (size_t i = 0; i < distilled->nr_notes; i++) {
		kmt_books_put_text(writer->file, distilled->notes[i]);
		(void)putc('\n', writer->file);
	}
	(void)fprintf(writer->file, "names %zu\n", writer->list.nr);
	for (size_t i = 0; i < writer->list.nr; i++) {
		kmt_books_put_text(writer->file, writer->list.texts[i]);
		(void)putc('\n', writer->file);
	}
}

static void put_modules(const struct writer *writer)
{
	const struct kmt_distilled *distilled = writer->distilled;

	(void)fprintf(writer->file, "modules %zu\n", distilled->nr_modules);
	for (size_t i = 0; i < distilled->nr_modules; i++) {
		const struct kmt_module_event *event = &distilled->modules[i];

		(void)fprintf(writer->file, "%s %" PRIu64 " %" PRIu32 " %" PRIu64 "\n",
			      event->is_load ? "load" : "unload", event->time_ns,
			      (uint32_t)event->pid, kmt_text_list_find(&writer->list, event->name));
	}
}

static void put_stacks(const struct writer *writer)
{
	const struct kmt_distilled *distilled = writer->distilled;

	(void)fprintf(writer->file, "frames %zu\n", distilled->nr_frames);
	kmt_books_put_row(writer->file, distilled->frames, distilled->nr_frames, KMT_ROW_HEX);
	(void)fprintf(writer->file, "\nstacks %zu\n", distilled->nr_stacks);
	for (size_t i = 0; i < distilled->nr_stacks; i++)
		writer->row[i] = distilled->stacks[i].nr;
	kmt_books_put_row(writer->file, writer->row, distilled->nr_stacks, KMT_ROW_PLAIN);
	(void)putc('\n', writer->file);
}

static void put_totals(const struct writer *writer)
{
	const struct kmt_totals *totals = &writer->distilled->books.totals;

	for (size_t i = 0; i < KMT_TOTAL_COLUMNS; i++)
		(void)fprintf(
			writer->file, "%s %" PRIu64 "\n", kmt_total_columns[i].name,
			*(const uint64_t *)((const char *)totals + kmt_total_columns[i].offset));
	(void)fprintf(writer->file, "events %d\n", KMT_EVENT_KINDS);
	kmt_books_put_row(writer->file, totals->by_kind, KMT_EVENT_KINDS, KMT_ROW_PLAIN);
	(void)putc('\n', writer->file);
}

static void put_grid(const struct writer *writer)
{
	const struct kmt_grid *grid = &writer->distilled->books.grid;

	(void)fprintf(writer->file, "grid %" PRIu64 " %" PRIu64 " %zu\n", grid->start_ns,
		      grid->width_ns, grid->nr);
	kmt_books_put_row(writer->file, grid->allocs, grid->nr, KMT_ROW_DELTA);
	(void)putc('\n', writer->file);
}

static void put_unknown_frees(const struct writer *writer)
{
	const struct kmt_books *books = &writer->distilled->books;

	(void)fprintf(writer->file, "unknown_frees %zu\n", books->nr_unknown_frees);
	for (size_t i = 0; i < books->nr_unknown_frees; i++) {
		const struct kmt_cache_frees *frees = &books->unknown_frees[i];

		(void)fprintf(writer->file, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			      kmt_text_list_find(&writer->list, frees->cache), frees->frees,
			      frees->first_marked, frees->last_marked);
	}
}

static uint64_t cell_of(const struct writer *writer, const struct kmt_account *account,
			const struct kmt_column *column)
{
	const char *field = (const char *)account + column->offset;

	switch (column->type) {
	case KMT_COLUMN_U32:
		return *(const uint32_t *)field;
	case KMT_COLUMN_TEXT:
		return kmt_text_list_find(&writer->list, *(const char *const *)field);
	case KMT_COLUMN_I64:
	case KMT_COLUMN_U64:
		break;
	}
	return *(const uint64_t *)field;
}

static void put_track(const struct writer *writer, size_t number, const struct kmt_track *track)
{
	uint64_t row[KMT_HISTORY_POINTS];
	struct kmt_counts counts;

	kmt_track_read(track, &counts);
	(void)fprintf(writer->file, "%zu", number);
	for (size_t i = 0; i < KMT_TRACK_ROWS; i++) {
		const uint32_t *from =
			(const uint32_t *)((const char *)&counts + kmt_track_rows[i].offset);

		for (size_t k = 0; k < kmt_track_rows[i].nr; k++)
			row[k] = from[k];
		kmt_books_put_row(writer->file, row, kmt_track_rows[i].nr, kmt_track_rows[i].style);
	}
	(void)putc('\n', writer->file);
}

/* By column: what is alike is next to each other, and compresses well. */
static void put_accounts(const struct writer *writer)
{
	const struct kmt_books *books = &writer->distilled->books;
	size_t nr_tracks = 0;

	(void)fprintf(writer->file, "accounts %zu\n", books->nr_accounts);
	for (size_t i = 0; i < KMT_ACCOUNT_COLUMNS; i++) {
		for (size_t k = 0; k < books->nr_accounts; k++)
			writer->row[k] =
				cell_of(writer, &books->accounts[k], &kmt_account_columns[i]);
		(void)fprintf(writer->file, "%s", kmt_account_columns[i].name);
		kmt_books_put_row(writer->file, writer->row, books->nr_accounts,
				  kmt_account_columns[i].style);
		(void)putc('\n', writer->file);
	}
	for (size_t i = 0; i < books->nr_accounts; i++)
		nr_tracks += books->accounts[i].track != NULL;
	(void)fprintf(writer->file, "tracks %zu\n", nr_tracks);
	for (size_t i = 0; i < books->nr_accounts; i++)
		if (books->accounts[i].track)
			put_track(writer, i, books->accounts[i].track);
}

static void put_caller(void *context, const struct kmt_vmalloc_history *history)
{
	const struct writer *writer = context;
	size_t nr = writer->distilled->series.nr;

	kmt_books_put_text(writer->file, history->text);
	(void)fprintf(writer->file, " %d %zu %" PRIu64 " %" PRIu64, history->is_unloaded,
		      history->last_at, history->first_pages, history->last_pages);
	kmt_books_put_row(writer->file, history->areas, nr, KMT_ROW_DELTA);
	kmt_books_put_row(writer->file, history->bytes, nr, KMT_ROW_DELTA);
	(void)putc('\n', writer->file);
}

static void put_series(struct writer *writer)
{
	const struct kmt_vmalloc_series *series = &writer->distilled->series;

	(void)fprintf(writer->file, "snapshots %zu\n", series->nr);
	kmt_books_put_row(writer->file, series->times_ns, series->nr, KMT_ROW_DELTA);
	(void)fprintf(writer->file, "\nvmalloc %zu\n", series->nr_callers);
	kmt_vmalloc_series_walk(series, put_caller, writer);
}

static uint64_t cell_number(const struct kmt_sample_cell *cell, int column)
{
	uint32_t bits;

	memcpy(&bits, &cell->weight, sizeof(bits));
	return column == 0   ? cell->is_page
	       : column == 1 ? cell->cluster
	       : column == 2 ? cell->account
			     : bits;
}

static void put_cells(const struct writer *writer)
{
	static const enum kmt_row_style styles[] = { KMT_ROW_PLAIN, KMT_ROW_DELTA, KMT_ROW_DELTA,
						     KMT_ROW_PLAIN };
	const struct kmt_distilled *distilled = writer->distilled;

	(void)fprintf(writer->file, "sample %zu\n", distilled->nr_cells);
	for (int column = 0; column < 4; column++) {
		for (size_t i = 0; i < distilled->nr_cells; i++)
			writer->row[i] = cell_number(&distilled->cells[i], column);
		kmt_books_put_row(writer->file, writer->row, distilled->nr_cells, styles[column]);
		(void)putc('\n', writer->file);
	}
}

static size_t longest_row(const struct kmt_distilled *distilled)
{
	size_t nr = distilled->books.nr_accounts;

	nr = distilled->nr_stacks > nr ? distilled->nr_stacks : nr;
	return distilled->nr_cells > nr ? distilled->nr_cells : nr;
}

static void put_all(struct writer *writer)
{
	const struct kmt_distilled *distilled = writer->distilled;

	put_head(writer);
	put_modules(writer);
	put_stacks(writer);
	put_totals(writer);
	put_grid(writer);
	put_unknown_frees(writer);
	put_accounts(writer);
	put_series(writer);
	put_cells(writer);
	(void)fprintf(writer->file, "dossiers %zu\n", distilled->nr_dossiers);
	for (size_t i = 0; i < distilled->nr_dossiers; i++)
		kmt_distilled_put_dossier(writer->file, &distilled->dossiers[i], &writer->list);
	(void)fprintf(writer->file, "end\n");
}

int kmt_distilled_format(const struct kmt_distilled *distilled, char **ret_text, size_t *ret_bytes)
{
	struct writer writer = { .distilled = distilled };
	bool is_bad;

	*ret_text = NULL;
	writer.row = calloc(longest_row(distilled) + 1, sizeof(*writer.row));
	writer.file = open_memstream(ret_text, ret_bytes);
	is_bad = !writer.row || !writer.file || list_texts(&writer) < 0;
	if (!is_bad)
		put_all(&writer);
	if (writer.file) {
		is_bad |= ferror(writer.file) != 0;
		is_bad |= fclose(writer.file) != 0;
	}
	free(writer.row);
	kmt_text_list_deinit(&writer.list);
	if (!is_bad)
		return 0;
	free(*ret_text);
	*ret_text = NULL;
	return -ENOMEM;
}
