/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_SYMBOL_TEXT_H
#define KMT_RECORD_SYMBOL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtape/chunk.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * Lines of /proc/kallsyms, of modules: "ADDRESS TYPE NAME\t[MODULE]\n". In memory that is there, and was
 * written to, before events are on.
 */
#define KMT_SYMBOL_TEXT_BYTES (3u << 20) /* 50000 symbols; modules have 100 to some 10000 */
#define KMT_SYMBOL_SLOTS      (1u << 17)
#define KMT_SYMBOL_LINES_MAX  (KMT_SYMBOL_SLOTS / 4 * 3)

struct kmt_symbol_text {
	size_t used;
	size_t nr_lines;
	size_t first, nr_before; /* of the module that was added last: used, nr_lines in front of it */
	bool is_cut;		 /* of some modules there was no room for all: these have none */
	char bytes[KMT_SYMBOL_TEXT_BYTES];
};

/* Which lines there are; only while kmt_symbol_text_merge() runs. */
struct kmt_symbol_index {
	uint32_t slots[KMT_SYMBOL_SLOTS]; /* where in the text a line is, and 1; 0: none */
};

/* No lines. */
void kmt_symbol_text_clear(struct kmt_symbol_text *text);

/**
 * kmt_symbol_text_add() - one more line
 * @bytes: of it, with the newline
 * @is_first: of its module
 *
 * Return: true; false if there is no room: those of its module are gone, too.
 */
bool kmt_symbol_text_add(struct kmt_symbol_text *text, const char *line, size_t bytes, bool is_first);

/**
 * kmt_symbol_text_merge() - add the lines of another read
 *
 * When a module has initialized itself, the kernel swaps its table of symbols for a shorter one
 * (do_init_module()), and who reads just then misses some. They are in what was read before or after.
 *
 * Return: the number of lines that were not in @text; -ENOSPC if there is no room for all: then @text
 * has none any more.
 */
int kmt_symbol_text_merge(struct kmt_symbol_text *text, const struct kmt_symbol_text *more,
			  struct kmt_symbol_index *index);

/* Of the lines of @module, or of all if that is NULL: equal lines have equal numbers. 0: there are none. */
uint64_t kmt_symbol_text_hash(const struct kmt_symbol_text *text, const char *module);

/* The lines of @module go to @writer. Return: 0 or negative errno. */
int kmt_symbol_text_write(const struct kmt_symbol_text *text, const char *module,
			  struct kmt_chunk_writer *writer, struct kmt_err *err);

#endif
