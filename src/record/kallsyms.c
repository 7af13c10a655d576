// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kallsyms.h"
#include "kmemtape/chunk.h"
#include "kmemtape/cleanup.h"

#define PIECE_BYTES 65536
#define LINE_BYTES  1024 /* names are at most 512: b8a94bfb3395 (v6.1), KSYM_NAME_LEN */

struct filter {
	char tail[64]; /* "\t[module]" at the end of a line; "" for all */
	bool has_address;
	bool has_module;       /* a line of any module was seen */
	uint64_t kernel_bytes; /* of the lines before it */
};

static void filter_init(struct filter *filter, const char *module)
{
	*filter = (struct filter){ .has_address = false };
	if (module)
		(void)snprintf(filter->tail, sizeof(filter->tail), "\t[%s]", module);
}

static bool is_wanted(const struct filter *filter, const char *line, size_t bytes)
{
	size_t tail = strlen(filter->tail);

	return bytes > tail && memcmp(line + bytes - tail, filter->tail, tail) == 0;
}

/* Whole lines of @text go to the writer. Return: bytes used, or negative errno. */
static ssize_t copy_lines(struct filter *filter, const char *text, size_t bytes,
			  struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	const char *line = text, *end;
	int r;

	while ((end = memchr(line, '\n', bytes - (size_t)(line - text)))) {
		size_t length = (size_t)(end - line);

		if (!filter->has_module && length && line[length - 1] == ']')
			filter->has_module = true;
		if (!filter->has_module)
			filter->kernel_bytes += length + 1;
		if (is_wanted(filter, line, length)) {
			if (!filter->has_address)
				filter->has_address = strspn(line, "0") < strcspn(line, " ");
			r = kmt_chunk_writer_text(writer, line, length + 1, err);
			if (r < 0)
				return r;
		}
		line = end + 1;
	}
	return line - text;
}

static int copy_all(int fd, struct filter *filter, struct kmt_chunk_writer *writer,
		    struct kmt_err *err)
{
	char text[PIECE_BYTES];
	size_t used = 0;

	for (;;) {
		ssize_t n = read(fd, text + used, sizeof(text) - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kmt_fail(err, -errno, "/proc/kallsyms: %s", strerror(errno));
		if (n == 0)
			return 0;
		used += (size_t)n;
		n = copy_lines(filter, text, used, writer, err);
		if (n < 0)
			return (int)n;
		used -= (size_t)n;
		if (used > LINE_BYTES)
			return kmt_fail(err, -EBADMSG,
					"/proc/kallsyms: a line longer than %d bytes", LINE_BYTES);
		memmove(text, text + n, used);
	}
}

bool kmt_kallsyms_go(struct kmt_kallsyms_waiter *waiter)
{
	char text[PIECE_BYTES];
	ssize_t n;

	if (!waiter->position || (waiter->fd >= 0 && !waiter->left))
		return false;
	if (waiter->fd < 0) {
		waiter->fd = open(waiter->path, O_RDONLY | O_CLOEXEC);
		waiter->left = waiter->position;
	}
	/* The kernel makes lines until there are as many bytes as are asked for: not much further
	 * than we want. */
	n = read(waiter->fd, text, waiter->left < sizeof(text) ? waiter->left : sizeof(text));
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		kmt_close_fd(&waiter->fd);
		waiter->position = 0; /* it won't be better the next time */
		return false;
	}
	waiter->left -= (uint64_t)n;
	return waiter->left > 0;
}

int kmt_kallsyms_capture(int tape_fd, const char *path, struct kmt_kallsyms_waiter *waiter,
			 enum kmt_symbols_state *ret_state, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	struct filter filter;
	int r;

	if (fd < 0) {
		*ret_state = KMT_SYMBOLS_NONE; /* an answer: CONFIG_KALLSYMS is off */
		return 0;
	}
	r = kmt_chunk_writer_new(tape_fd, path, 0, 1, &writer, err);
	if (r < 0)
		return r;
	filter_init(&filter, NULL);
	r = copy_all(fd, &filter, writer, err);
	if (r < 0)
		return r;
	r = kmt_chunk_writer_finish(writer, 0, err);
	if (r < 0)
		return r;
	/* A line made ahead would be a module's that was there then. */
	if (filter.kernel_bytes > 2 * LINE_BYTES)
		waiter->position = filter.kernel_bytes - 2 * LINE_BYTES;
	*ret_state = filter.has_address ? KMT_SYMBOLS_GOOD : KMT_SYMBOLS_HIDDEN;
	return 0;
}

int kmt_kallsyms_read_modules(struct kmt_kallsyms_waiter *waiter, char **ret_text,
			      size_t *ret_bytes, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = -1;
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t used = 0, room = 0;

	while (kmt_kallsyms_go(waiter))
		;
	fd = KMT_STEAL_FD(waiter->fd);
	if (fd < 0)
		fd = open(waiter->path, O_RDONLY | O_CLOEXEC);
	for (;;) {
		ssize_t n;

		if (room - used < PIECE_BYTES) {
			char *grown = realloc(text, room = room ? 2 * room : 4 * PIECE_BYTES);

			if (!grown)
				return kmt_fail(err, -ENOMEM, "%s: out of memory", waiter->path);
			text = grown;
		}
		n = fd < 0 ? 0 : read(fd, text + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kmt_fail(err, -errno, "%s: %s", waiter->path, strerror(errno));
		if (n == 0)
			break;
		used += (size_t)n;
	}
	*ret_text = KMT_STEAL(text);
	*ret_bytes = used;
	return 0;
}

struct lines {
	struct line {
		const char *start;
		size_t bytes;
	} * all;
	size_t nr;
};

static int compare_lines(const void *a, const void *b)
{
	const struct line *left = a, *right = b;

	if (left->bytes != right->bytes)
		return left->bytes < right->bytes ? -1 : 1;
	return memcmp(left->start, right->start, left->bytes);
}

/* Whole lines, with what ends them. */
static struct line next_line(const char *at, const char *end)
{
	const char *newline = at == end ? NULL : memchr(at, '\n', (size_t)(end - at));

	return (struct line){ at, newline ? (size_t)(newline + 1 - at) : 0 };
}

static int sort_lines(struct lines *lines, const char *text, size_t bytes)
{
	const char *end = text + bytes;
	struct line line;
	size_t room = 0;

	for (const char *at = text; (line = next_line(at, end)).bytes; at += line.bytes)
		room++;
	lines->nr = 0;
	lines->all = reallocarray(NULL, room + 1, sizeof(lines->all[0]));
	if (!lines->all)
		return -ENOMEM;
	for (const char *at = text; (line = next_line(at, end)).bytes; at += line.bytes)
		lines->all[lines->nr++] = line;
	qsort(lines->all, lines->nr, sizeof(lines->all[0]), compare_lines);
	return 0;
}

int kmt_kallsyms_merge(char **text, size_t *bytes, const char *more, size_t more_bytes)
{
	KMT_CLEANUP(kmt_freep) char *merged = malloc(*bytes + more_bytes + 1);
	struct lines lines;
	struct line line;
	size_t used = *bytes;
	int nr_added = 0;

	if (!merged || sort_lines(&lines, *text, *bytes) < 0)
		return -ENOMEM;
	if (*bytes)
		memcpy(merged, *text, *bytes);
	for (const char *at = more; (line = next_line(at, more + more_bytes)).bytes;
	     at += line.bytes) {
		if (bsearch(&line, lines.all, lines.nr, sizeof(line), compare_lines))
			continue;
		memcpy(merged + used, line.start, line.bytes);
		used += line.bytes;
		nr_added++;
	}
	free(lines.all);
	free(*text);
	*text = KMT_STEAL(merged);
	*bytes = used;
	return nr_added;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
uint64_t kmt_kallsyms_hash(const char *text, size_t bytes, const char *module)
{
	const char *end = text + bytes;
	struct filter filter;
	struct line line;
	uint64_t hash = 0;

	filter_init(&filter, module);
	for (const char *at = text; (line = next_line(at, end)).bytes; at += line.bytes) {
		if (!is_wanted(&filter, line.start, line.bytes - 1))
			continue;
		hash = hash ? hash : UINT64_C(0xcbf29ce484222325);
		for (size_t i = 0; i < line.bytes; i++)
			hash = (hash ^ (unsigned char)line.start[i]) * UINT64_C(0x100000001b3);
	}
	return hash;
}

int kmt_kallsyms_write_module(int tape_fd, const char *path, const char *module, const char *text,
			      size_t bytes, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	struct filter filter;
	ssize_t n;
	int r;

	r = kmt_chunk_writer_new(tape_fd, path, 0, 1, &writer, err);
	if (r < 0)
		return r;
	filter_init(&filter, module);
	n = copy_lines(&filter, text, bytes, writer, err);
	return n < 0 ? (int)n : kmt_chunk_writer_finish(writer, 0, err);
}
