// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kallsyms.h"
#include "kmemtape/chunk.h"
#include "kmemtape/cleanup.h"

#define PIECE_BYTES 65536
#define LINE_BYTES  1024 /* names are at most 512: b8a94bfb3395 (v6.1), KSYM_NAME_LEN */

struct filter {
	char tail[64]; /* "\t[module]" at the end of a line; "" for all */
	bool has_address;
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

int kmt_kallsyms_capture(int tape_fd, const char *path, const char *module,
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
	filter_init(&filter, module);
	r = copy_all(fd, &filter, writer, err);
	if (r < 0)
		return r;
	r = kmt_chunk_writer_finish(writer, 0, err);
	if (r < 0)
		return r;
	*ret_state = filter.has_address ? KMT_SYMBOLS_GOOD : KMT_SYMBOLS_HIDDEN;
	return 0;
}
