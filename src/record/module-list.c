// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/cleanup.h"
#include "module-list.h"

#define PIECE_BYTES 16384

/* Return: false for what is no line of the list. */
static bool parse_line(const char *line, struct kmt_module_entry *ret_entry)
{
	struct kmt_module_entry entry = { .taint = "-" };
	char taint[16] = "", state[16];

	if (sscanf(line, "%63s %llu %*s %*s %15s %llx (%14[^)])", entry.name, &entry.size, state,
		   &entry.address, taint) < 4)
		return false;
	entry.is_live = strcmp(state, "Live") == 0;
	taint[strcspn(taint, "+-")] = '\0'; /* it is just coming, or going */
	if (*taint)
		memcpy(entry.taint, taint, sizeof(entry.taint));
	*ret_entry = entry;
	return true;
}

/* Whole lines of @text go to @note; the rest comes to its start. */
static int take_lines(char *text, size_t *used,
		      int (*note)(void *, const struct kmt_module_entry *, struct kmt_err *),
		      void *context, struct kmt_err *err)
{
	char *line = text, *end;
	struct kmt_module_entry entry;

	while ((end = memchr(line, '\n', *used - (size_t)(line - text)))) {
		*end = '\0';
		if (parse_line(line, &entry)) {
			int r = note(context, &entry, err);

			if (r < 0)
				return r;
		}
		line = end + 1;
	}
	*used -= (size_t)(line - text);
	memmove(text, line, *used);
	return 0;
}

int kmt_module_list_read(const char *path,
			 int (*note)(void *context, const struct kmt_module_entry *entry,
				     struct kmt_err *err),
			 void *context, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[PIECE_BYTES];
	size_t used = 0;
	int r;

	if (fd < 0)
		return 0; /* a kernel without modules */
	while (used < sizeof(text)) {
		ssize_t n = read(fd, text + used, sizeof(text) - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			return 0;
		used += (size_t)n;
		r = take_lines(text, &used, note, context, err);
		if (r < 0)
			return r;
	}
	return kmt_fail(err, -EBADMSG, "%s: a line longer than %zu bytes", path, sizeof(text));
}
