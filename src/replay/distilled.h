/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_DISTILLED_H
#define KMT_REPLAY_DISTILLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/dossier.h"
#include "kmemtape/err.h"
#include "kmemtape/ledger.h"
#include "kmemtape/names.h"

#include "books-text.h"
#include "samples.h"
#include "vmalloc-series.h"

/*
 * What a replay knows behind the last event: a distilled tape has this, in books.zst, instead of
 * the events. Texts are interned, and borrowed.
 */
#define KMT_BOOKS_PATH	       "books.zst"
#define KMT_BOOKS_BYTES_MAX    (32u << 20) /* of text */
#define KMT_BOOKS_ACCOUNTS_MAX (1u << 17)
#define KMT_BOOKS_CELLS_MAX    (1u << 20)
#define KMT_BOOKS_NOTES_MAX    (1u << 15) /* some for each CPU */
#define KMT_BOOKS_NAMES_MAX    (1u << 18)
#define KMT_BOOKS_MODULES_MAX  (1u << 20)

/* A module that came or went, by an event. */
struct kmt_module_event {
	bool is_load;
	uint64_t time_ns;
	int32_t pid; /* that loads it */
	const char *name;
};

struct kmt_stack_range {
	uint32_t from, nr; /* of all frames */
};

struct kmt_distilled {
	struct kmt_books books; /* key.stack: number of a stack below + 1; 0 none */
	uint64_t grace_ns;
	uint64_t other_events; /* records that are none of the ledger's */
	bool is_complete, has_free_probes;
	char **notes; /* of the whole tape; those that begin with KMT_NOTE_OF_TAPE go on with a path
			 in it */
	size_t nr_notes;
	struct kmt_module_event *modules; /* in their order */
	size_t nr_modules, room_modules;
	uint64_t *frames;
	size_t nr_frames;
	struct kmt_stack_range *stacks;
	size_t nr_stacks;
	struct kmt_vmalloc_series series;
	struct kmt_sample_cell *cells;
	size_t nr_cells;
	struct kmt_dossier *dossiers; /* of suspected sites */
	size_t nr_dossiers;
	bool has_dossier_spaces; /* since version 2 */
};

#define KMT_NOTE_OF_TAPE '/'

void kmt_distilled_init(struct kmt_distilled *distilled);
void kmt_distilled_deinit(struct kmt_distilled *distilled);

/* More than KMT_BOOKS_MODULES_MAX are not written: then one more is kept. Return: 0 or -ENOMEM. */
int kmt_distilled_note_module(struct kmt_distilled *distilled,
			      const struct kmt_module_event *event);

/**
 * kmt_distilled_format() - as text of books.zst
 * @ret_text: on the heap
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_distilled_format(const struct kmt_distilled *distilled, char **ret_text, size_t *ret_bytes);

/**
 * kmt_distilled_parse() - the other way
 * @text: @bytes and a zero byte; changed
 * @names: intern the texts
 * @distilled: initialised; to be deinitialised in any case
 *
 * All numbers that stand for something else are in range, and numbers that may be summed up are
 * small enough for that; whether they are of any ledger is kmt_ledger_restore()'s to say.
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int kmt_distilled_parse(struct kmt_distilled *distilled, char *text, size_t bytes,
			struct kmt_names *names, struct kmt_err *err);

/* Texts by number, the first has 1; 0 is NULL. */
struct kmt_text_list {
	const char **texts; /* to be written: sorted, each once */
	size_t nr, room;
};

void kmt_text_list_deinit(struct kmt_text_list *list);
int kmt_text_list_add(struct kmt_text_list *list, const char *text); /* NULL is fine */
void kmt_text_list_sort(struct kmt_text_list *list);
uint64_t kmt_text_list_find(const struct kmt_text_list *list, const char *text);
/* Of a number that was read; NULL for 0. */
const char *kmt_text_list_get(const struct kmt_text_list *list, struct kmt_books_scan *scan);

/* distilled-dossiers.c */
int kmt_distilled_list_texts(const struct kmt_dossier *dossier, struct kmt_text_list *list);
void kmt_distilled_put_dossier(FILE *file, const struct kmt_dossier *dossier,
			       const struct kmt_text_list *list);
/* @has_space: it says of which space it is. Return: 0 or -ENOMEM. */
int kmt_distilled_get_dossier(struct kmt_books_scan *scan, const struct kmt_text_list *list,
			      bool has_space, struct kmt_dossier *dossier);

#endif
