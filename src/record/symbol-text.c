// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "symbol-text.h"

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME  UINT64_C(0x100000001b3)

struct line {
	const char *start;
	size_t bytes; /* with the newline; 0: there is none */
};

struct tail {
	char text[72]; /* "\t[module]\n" at the end of a line; "" for all */
	size_t bytes;
};

static struct line next_line(const struct kmt_symbol_text *text, const char *at)
{
	const char *end = text->bytes + text->used;
	const char *newline = at == end ? NULL : memchr(at, '\n', (size_t)(end - at));

	return (struct line){ at, newline ? (size_t)(newline + 1 - at) : 0 };
}

#define FOR_LINES(line, text)                                                 \
	for (struct line line = next_line(text, (text)->bytes); (line).bytes; \
	     (line) = next_line(text, (line).start + (line).bytes))

static uint64_t hash_more(uint64_t hash, struct line line)
{
	for (size_t i = 0; i < line.bytes; i++)
		hash = (hash ^ (unsigned char)line.start[i]) * FNV_PRIME;
	return hash;
}

static struct tail tail_of(const char *module)
{
	struct tail tail = { "", 0 };

	if (module)
		tail.bytes = (size_t)snprintf(tail.text, sizeof(tail.text), "\t[%s]\n", module);
	return tail;
}

static bool has_tail(struct line line, const struct tail *tail)
{
	return line.bytes > tail->bytes &&
	       memcmp(line.start + line.bytes - tail->bytes, tail->text, tail->bytes) == 0;
}

void kmt_symbol_text_clear(struct kmt_symbol_text *text)
{
	text->used = text->nr_lines = text->first = text->nr_before = 0;
	text->is_cut = false;
}

static bool append(struct kmt_symbol_text *text, const char *line, size_t bytes)
{
	if (sizeof(text->bytes) - text->used < bytes || text->nr_lines == KMT_SYMBOL_LINES_MAX)
		return false;
	memcpy(text->bytes + text->used, line, bytes);
	text->used += bytes;
	text->nr_lines++;
	return true;
}

bool kmt_symbol_text_add(struct kmt_symbol_text *text, const char *line, size_t bytes,
			 bool is_first)
{
	if (is_first) {
		text->first = text->used;
		text->nr_before = text->nr_lines;
	}
	if (append(text, line, bytes))
		return true;
	/* What lies behind a symbol would be taken for a part of it. */
	text->used = text->first;
	text->nr_lines = text->nr_before;
	text->is_cut = true;
	return false;
}

/* Where it is, or where it would go. There is always room: see KMT_SYMBOL_LINES_MAX. */
static uint32_t *slot_of(const struct kmt_symbol_text *text, struct kmt_symbol_index *index,
			 struct line line)
{
	uint64_t at = hash_more(FNV_OFFSET, line);

	for (;; at++) {
		uint32_t *slot = &index->slots[at % KMT_SYMBOL_SLOTS];
		size_t there = *slot - 1;

		if (!*slot || (text->used - there >= line.bytes &&
			       memcmp(text->bytes + there, line.start, line.bytes) == 0))
			return slot;
	}
}

int kmt_symbol_text_merge(struct kmt_symbol_text *text, const struct kmt_symbol_text *more,
			  struct kmt_symbol_index *index)
{
	int nr_added = 0;

	memset(index, 0, sizeof(*index));
	FOR_LINES(line, text)
	*slot_of(text, index, line) = (uint32_t)(line.start - text->bytes) + 1;
	FOR_LINES(line, more)
	{
		uint32_t *slot = slot_of(text, index, line);
		uint32_t place = (uint32_t)text->used + 1;

		if (*slot)
			continue;
		if (!append(text, line.start, line.bytes)) {
			kmt_symbol_text_clear(text);
			return -ENOSPC;
		}
		*slot = place;
		nr_added++;
	}
	return nr_added;
}

uint64_t kmt_symbol_text_hash(const struct kmt_symbol_text *text, const char *module)
{
	struct tail tail = tail_of(module);
	uint64_t hash = 0;

	FOR_LINES(line, text)
	if (has_tail(line, &tail))
		hash = hash_more(hash ? hash : FNV_OFFSET, line);
	return hash;
}

int kmt_symbol_text_write(const struct kmt_symbol_text *text, const char *module,
			  struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	struct tail tail = tail_of(module);

	FOR_LINES(line, text)
	{
		int r = 0;

		if (has_tail(line, &tail))
			r = kmt_chunk_writer_text(writer, line.start, line.bytes, err);
		if (r < 0)
			return r;
	}
	return 0;
}
