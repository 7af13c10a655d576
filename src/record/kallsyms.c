// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kallsyms.h"
#include "kmemtape/chunk.h"
#include "kmemtape/cleanup.h"
#include "module-list.h"

#define PIECE_BYTES 65536
#define LINE_BYTES  1024 /* names are at most 512: b8a94bfb3395 (v6.1), KSYM_NAME_LEN */

/* What was seen of it. */
struct copying {
	struct kmt_chunk_writer *writer;
	bool has_address;
	bool has_module;       /* a line of any module was seen */
	uint64_t kernel_bytes; /* of the lines before it */
};

static int copy_line(void *context, const char *line, size_t bytes, struct kmt_err *err)
{
	struct copying *copying = context;

	if (bytes > 1 && line[bytes - 2] == ']')
		copying->has_module = true;
	if (!copying->has_module)
		copying->kernel_bytes += bytes;
	if (!copying->has_address)
		copying->has_address = strspn(line, "0") < strcspn(line, " ");
	return kmt_chunk_writer_text(copying->writer, line, bytes, err);
}

/* Whole lines of @text go to @take, with their newlines. Return: bytes used, or negative errno. */
static ssize_t take_lines(const char *text, size_t bytes,
			  int (*take)(void *context, const char *line, size_t bytes,
				      struct kmt_err *err),
			  void *context, struct kmt_err *err)
{
	const char *line = text, *end;
	int r;

	while ((end = memchr(line, '\n', bytes - (size_t)(line - text)))) {
		r = take(context, line, (size_t)(end + 1 - line), err);
		if (r < 0)
			return r;
		line = end + 1;
	}
	return line - text;
}

static int read_lines(int fd, const char *path,
		      int (*take)(void *context, const char *line, size_t bytes,
				  struct kmt_err *err),
		      void *context, struct kmt_err *err)
{
	char text[PIECE_BYTES];
	size_t used = 0;

	for (;;) {
		ssize_t n = read(fd, text + used, sizeof(text) - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			return 0;
		used += (size_t)n;
		n = take_lines(text, used, take, context, err);
		if (n < 0)
			return (int)n;
		used -= (size_t)n;
		if (used > LINE_BYTES)
			return kmt_fail(err, -EBADMSG, "%s: a line longer than %d bytes", path,
					LINE_BYTES);
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
			 enum kmt_symbols_state *ret_state, struct kmt_chunk_writer **ret_writer,
			 struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	struct copying copying = { .has_address = false };
	int r;

	if (fd < 0) {
		*ret_state = KMT_SYMBOLS_NONE; /* an answer: CONFIG_KALLSYMS is off */
		*ret_writer = NULL;
		return 0;
	}
	r = kmt_chunk_writer_new(tape_fd, path, 0, 1, &writer, err);
	if (r < 0)
		return r;
	copying.writer = writer;
	r = read_lines(fd, "/proc/kallsyms", copy_line, &copying, err);
	if (r < 0)
		return r;
	r = kmt_chunk_writer_finish(writer, 0, err);
	if (r < 0)
		return r;
	/* A line made ahead would be a module's that was there then. */
	if (copying.kernel_bytes > 2 * LINE_BYTES)
		waiter->position = copying.kernel_bytes - 2 * LINE_BYTES;
	*ret_state = copying.has_address ? KMT_SYMBOLS_GOOD : KMT_SYMBOLS_HIDDEN;
	*ret_writer = KMT_STEAL(writer);
	return 0;
}

struct selecting {
	struct kmt_symbol_text *text;
	bool (*is_wanted)(const void *context, const char *module);
	const void *context;
	char module[KMT_MODULE_NAME_BYTES]; /* of the last line; "": none */
	bool takes;			    /* its lines */
};

/* "\t[NAME]\n" at its end, as a copy. Return: false if it is no module's. */
static bool module_of(const char *line, size_t bytes, char module[KMT_MODULE_NAME_BYTES])
{
	const char *tab = memrchr(line, '\t', bytes);
	size_t used = tab ? bytes - (size_t)(tab - line) : 0; /* with the tab, brackets, newline */

	if (used <= strlen("\t[]\n") || used >= strlen("\t[]\n") + KMT_MODULE_NAME_BYTES ||
	    tab[1] != '[' || line[bytes - 2] != ']')
		return false;
	used -= strlen("\t[]\n");
	memcpy(module, tab + 2, used);
	module[used] = '\0';
	return true;
}

/* Programs of others, and trampolines, are listed like modules behind them. They come and go. */
static bool is_module(const char *name)
{
	return strcmp(name, "bpf") != 0 && strncmp(name, "__builtin__", 11) != 0;
}

static int select_line(void *context, const char *line, size_t bytes, struct kmt_err *err)
{
	struct selecting *selecting = context;
	char module[KMT_MODULE_NAME_BYTES];
	bool is_first;

	(void)err;
	if (!module_of(line, bytes, module))
		return 0;
	is_first = strcmp(module, selecting->module) != 0;
	if (is_first) {
		memcpy(selecting->module, module, sizeof(module));
		selecting->takes =
			is_module(module) && selecting->is_wanted(selecting->context, module);
	}
	if (selecting->takes) /* else there may be room for those of another one */
		selecting->takes = kmt_symbol_text_add(selecting->text, line, bytes, is_first);
	return 0;
}

int kmt_kallsyms_read_modules(struct kmt_kallsyms_waiter *waiter,
			      bool (*is_wanted)(const void *context, const char *module),
			      const void *context, struct kmt_symbol_text *text,
			      struct kmt_err *err)
{
	struct selecting selecting = { .text = text, .is_wanted = is_wanted, .context = context };
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	kmt_symbol_text_clear(text);
	while (kmt_kallsyms_go(waiter))
		;
	fd = KMT_STEAL_FD(waiter->fd);
	if (fd < 0)
		fd = open(waiter->path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? 0 : read_lines(fd, waiter->path, select_line, &selecting, err);
}
