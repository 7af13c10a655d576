// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/chunk.h"
#include "kmemtape/track.h"

#include "books.h"

/* Written once, read many times, and sent around. */
#define ZSTD_LEVEL 19

static const char too_much[] =
	"%s: its %s are too many to distill: send the whole tape, or a part of its time";

/* --- accounts, with the stacks that they use --- */

static int copy_account(const struct kmt_account *from, struct kmt_account *to)
{
	*to = *from;
	to->track = NULL;
	return kmt_track_copy(from->track, &to->track);
}

/* Return: -E2BIG if they are too many. */
static int copy_accounts(const struct kmt_books_source *source, struct kmt_books *books)
{
	size_t nr;
	const struct kmt_account *accounts = kmt_ledger_accounts(source->ledger, &nr);

	if (nr > KMT_BOOKS_ACCOUNTS_MAX)
		return -E2BIG;
	books->accounts = calloc(nr + 1, sizeof(*books->accounts));
	if (!books->accounts)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		if (copy_account(&accounts[i], &books->accounts[i]) < 0)
			return -ENOMEM;
		books->nr_accounts++;
	}
	return 0;
}

static size_t highest_stack(const struct kmt_books *books)
{
	size_t highest = 0;

	for (size_t i = 0; i < books->nr_accounts; i++)
		if (books->accounts[i].key.stack > highest)
			highest = books->accounts[i].key.stack;
	return highest;
}

static int add_stack(struct kmt_distilled *distilled, const uint64_t *frames, size_t nr,
		     size_t *room)
{
	if (distilled->nr_frames + nr > *room) {
		size_t grown_room = (*room + nr) * 2;
		uint64_t *grown = reallocarray(distilled->frames, grown_room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		distilled->frames = grown;
		*room = grown_room;
	}
	memcpy(distilled->frames + distilled->nr_frames, frames, nr * sizeof(*frames));
	distilled->stacks[distilled->nr_stacks++] =
		(struct kmt_stack_range){ (uint32_t)distilled->nr_frames, (uint32_t)nr };
	distilled->nr_frames += nr;
	return 0;
}

/* Numbers of stacks depend on which thread came first; here they are in the order of their use. */
static int copy_stacks(const struct kmt_books_source *source, struct kmt_distilled *distilled)
{
	struct kmt_books *books = &distilled->books;
	KMT_CLEANUP(kmt_freep)
	uint32_t *numbers = calloc(highest_stack(books) + 1, sizeof(*numbers));
	size_t room = 0;

	distilled->stacks = calloc(books->nr_accounts + 1, sizeof(*distilled->stacks));
	if (!numbers || !distilled->stacks)
		return -ENOMEM;
	for (size_t i = 0; i < books->nr_accounts; i++) {
		uint32_t *stack = &books->accounts[i].key.stack;
		const uint64_t *frames;
		size_t nr;

		if (!numbers[*stack] && *stack != KMT_STACK_NONE) {
			frames = kmt_stacks_frames(source->stacks, *stack, &nr);
			if (add_stack(distilled, frames, nr, &room) < 0)
				return -ENOMEM;
			numbers[*stack] = (uint32_t)distilled->nr_stacks;
		}
		*stack = numbers[*stack];
	}
	return 0;
}

static int copy_unknown_frees(const struct kmt_books_source *source, struct kmt_books *books)
{
	size_t nr;
	const struct kmt_cache_frees *frees = kmt_ledger_unknown_frees(source->ledger, &nr);

	books->unknown_frees = calloc(nr + 1, sizeof(*frees));
	if (!books->unknown_frees)
		return -ENOMEM;
	memcpy(books->unknown_frees, frees, nr * sizeof(*frees));
	books->nr_unknown_frees = nr;
	return 0;
}

/* --- the rest --- */

/* @tape is somewhere else then: the path in front of what is in it goes. */
static int copy_notes(const struct kmt_books_source *source, struct kmt_distilled *distilled)
{
	const char *path = source->tape->path;
	size_t bytes = strlen(path);

	distilled->notes = calloc(source->nr_notes + 1, sizeof(*distilled->notes));
	if (!distilled->notes)
		return -ENOMEM;
	for (size_t i = 0; i < source->nr_notes; i++) {
		const char *note = source->result->notes[i];

		if (strncmp(note, path, bytes) == 0 && note[bytes] == KMT_NOTE_OF_TAPE)
			note += bytes;
		distilled->notes[i] = strdup(note);
		if (!distilled->notes[i])
			return -ENOMEM;
		distilled->nr_notes++;
	}
	return 0;
}

/* All that is told of a cluster is which objects share it: a number says so, in their order. */
static void number_clusters(struct kmt_sample_cell *cells, size_t nr)
{
	uint64_t number = 0, last = 0;

	for (size_t i = 0; i < nr; i++) {
		bool is_new =
			i && (cells[i].cluster != last || cells[i].is_page != cells[i - 1].is_page);

		last = cells[i].cluster;
		number += is_new;
		cells[i].cluster = number;
	}
}

static int take_cells(const struct kmt_books_source *source, struct kmt_distilled *distilled)
{
	struct kmt_samples samples;
	int r = kmt_samples_init(&samples, source->ledger, source->context, source->result->end_ns,
				 0);

	if (r < 0)
		return r;
	distilled->cells = samples.cells;
	distilled->nr_cells = samples.nr;
	number_clusters(distilled->cells, distilled->nr_cells);
	return samples.nr > KMT_BOOKS_CELLS_MAX ? -E2BIG : 0;
}

static int take_all(const struct kmt_books_source *source, struct kmt_distilled *distilled,
		    struct kmt_err *err)
{
	struct kmt_books *books = &distilled->books;
	int r;

	books->totals = *kmt_ledger_totals(source->ledger);
	books->grid = *kmt_ledger_grid(source->ledger);
	books->end_ns = source->result->end_ns;
	r = copy_accounts(source, books);
	if (r == -E2BIG)
		return kmt_fail(err, -ENOTSUP, too_much, source->tape->path, "call stacks");
	if (distilled->nr_modules > KMT_BOOKS_MODULES_MAX)
		return kmt_fail(err, -ENOTSUP, too_much, source->tape->path, "modules");
	(void)(r < 0 || (r = copy_stacks(source, distilled)) < 0 ||
	       (r = copy_unknown_frees(source, books)) < 0 ||
	       (r = copy_notes(source, distilled)) < 0 || (r = take_cells(source, distilled)) < 0);
	if (r == -E2BIG)
		return kmt_fail(err, -ENOTSUP, too_much, source->tape->path, "live objects");
	return r < 0 ? kmt_fail(err, r, "out of memory") : 0;
}

/* --- what symbols have to tell --- */

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static size_t list_addresses(const struct kmt_distilled *distilled, uint64_t *to)
{
	size_t nr = 0;

	for (size_t i = 0; i < distilled->books.nr_accounts; i++)
		to[nr++] = distilled->books.accounts[i].key.call_site;
	for (size_t i = 0; i < distilled->nr_frames; i++)
		to[nr++] = distilled->frames[i];
	for (size_t i = 0; i < distilled->nr_dossiers; i++)
		for (size_t k = 0; k < distilled->dossiers[i].nr_freers; k++)
			to[nr++] = distilled->dossiers[i].freers[k].call_site;
	return nr;
}

static int find_addresses(const struct kmt_distilled *distilled, struct kmt_distillate *distillate)
{
	size_t nr = distilled->books.nr_accounts + distilled->nr_frames, kept = 0;
	uint64_t *all;

	for (size_t i = 0; i < distilled->nr_dossiers; i++)
		nr += distilled->dossiers[i].nr_freers;
	all = calloc(nr + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	nr = list_addresses(distilled, all);
	if (nr)
		qsort(all, nr, sizeof(*all), compare);
	for (size_t i = 0; i < nr; i++)
		if (all[i] && (!kept || all[kept - 1] != all[i]))
			all[kept++] = all[i];
	distillate->addresses = all;
	distillate->nr_addresses = kept;
	return 0;
}

static int write_text(int dirfd, const char *text, size_t bytes, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	int r;

	r = kmt_chunk_writer_new(dirfd, KMT_BOOKS_PATH, 0, 1, &writer, err);
	if (r < 0)
		return r;
	kmt_chunk_writer_set_level(writer, ZSTD_LEVEL);
	r = kmt_chunk_writer_text(writer, text, bytes, err);
	return r < 0 ? r : kmt_chunk_writer_finish(writer, 0, err);
}

/* @series: the reconciler's, borrowed for the time being */
static int write_books(const struct kmt_books_source *source, struct kmt_distilled *distilled,
		       int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int r;

	distilled->series = *kmt_reconciler_series(source->reconciler);
	r = kmt_distilled_format(distilled, &text, &bytes);
	kmt_vmalloc_series_init(&distilled->series);
	if (r < 0)
		return kmt_fail(err, r, "out of memory");
	if (bytes > KMT_BOOKS_BYTES_MAX)
		return kmt_fail(err, -ENOTSUP, too_much, source->tape->path, "call sites");
	return write_text(dirfd, text, bytes, err);
}

int kmt_books_write(const struct kmt_books_source *source, struct kmt_distilled *distilled,
		    int dirfd, struct kmt_distillate *ret_distillate, struct kmt_err *err)
{
	const struct kmt_vmalloc_series *series = kmt_reconciler_series(source->reconciler);
	struct kmt_distillate distillate = { .nr_addresses = 0 };
	int r = take_all(source, distilled, err);

	if (r == 0)
		r = write_books(source, distilled, dirfd, err);
	if (r < 0)
		return r;
	if (series->nr) {
		distillate.first_snapshot_ns = series->times_ns[0];
		distillate.last_snapshot_ns = series->times_ns[series->nr - 1];
	}
	r = find_addresses(distilled, &distillate);
	if (r < 0)
		return kmt_fail(err, r, "out of memory");
	*ret_distillate = distillate;
	return 0;
}
