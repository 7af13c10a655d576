// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "build-id.h"
#include "kallsyms.h"
#include "kmemtape/fs.h"
#include "module-log.h"

#define MODULES_MAX	  4096 /* a distribution kernel with everything loaded has about 1000 */
#define MODULE_NAME_BYTES 64   /* MODULE_NAME_LEN is 64 less a pointer */
#define PIECE_BYTES	  16384
#define READS_MAX \
	4 /* of symbols: two that agree, and two more if modules come one after the other */

struct module {
	char name[MODULE_NAME_BYTES];
	uint64_t address;
	bool is_seen;	   /* in this look */
	unsigned int line; /* in symbols/modules, which names the file of its symbols */
	bool is_new;	   /* its symbols are not on the tape yet */
	bool is_unsure;	   /* they may be not all: kmt_kallsyms_merge() */
};

struct kmt_module_log {
	int fd; /* symbols/modules */
	int tape_fd;
	const char *list_path;
	struct kmt_kallsyms_waiter waiter;
	char *symbols; /* of modules, as far as they are still needed; NULL */
	size_t symbols_bytes;
	int nr_reads;	   /* of them */
	bool has_unloaded; /* this look found that some were gone */
	unsigned int nr_lines;
	size_t nr;
	struct module modules[MODULES_MAX];
};

/* A line of /proc/modules: name size uses users state address (taint) */
struct entry {
	char name[MODULE_NAME_BYTES];
	unsigned long long size, address;
	char taint[16];
	bool is_live; /* its init function has returned */
};

typedef int note_func(struct kmt_module_log *log, const struct entry *entry, uint64_t time_ns,
		      struct kmt_err *err);

int kmt_module_log_new(int tape_fd, const char *list_path, uint64_t kallsyms_position,
		       struct kmt_module_log **ret_log, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = calloc(1, sizeof(*log));

	if (!log)
		return kmt_fail(err, -ENOMEM, "symbols/modules: out of memory");
	log->tape_fd = tape_fd;
	log->list_path = list_path;
	log->waiter = (struct kmt_kallsyms_waiter){ .fd = -1, .position = kallsyms_position };
	log->fd = openat(tape_fd, "symbols/modules",
			 O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (log->fd < 0)
		return kmt_fail(err, -errno, "symbols/modules: %s", strerror(errno));
	*ret_log = KMT_STEAL(log);
	return 0;
}

static int write_line(struct kmt_module_log *log, const char *line, struct kmt_err *err)
{
	int r = kmt_write_all(log->fd, line, strlen(line));

	if (r < 0)
		return kmt_fail(err, r, "symbols/modules: %s", strerror(-r));
	log->nr_lines++;
	return 0;
}

static struct module *find(struct kmt_module_log *log, const struct entry *entry)
{
	for (size_t i = 0; i < log->nr; i++)
		if (log->modules[i].address == entry->address &&
		    strcmp(log->modules[i].name, entry->name) == 0)
			return &log->modules[i];
	return NULL;
}

static int note_load(struct kmt_module_log *log, const struct entry *entry, uint64_t time_ns,
		     struct kmt_err *err)
{
	char line[512], hex[KMT_BUILD_ID_HEX_BYTES];

	if (kmt_build_id_of_module(entry->name, hex) < 0)
		(void)snprintf(hex, sizeof(hex), "-");
	(void)snprintf(line, sizeof(line), "load %" PRIu64 " %s %llu 0x%016llx %s %s\n", time_ns,
		       entry->name, entry->size, entry->address, entry->taint, hex);
	return write_line(log, line, err);
}

static int note_unload(struct kmt_module_log *log, const char *name, uint64_t time_ns,
		       struct kmt_err *err)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "unload %" PRIu64 " %s\n", time_ns, name);
	return write_line(log, line, err);
}

static int note_new(struct kmt_module_log *log, const struct entry *entry, uint64_t time_ns,
		    struct kmt_err *err)
{
	struct module *module;
	int r;

	if (find(log, entry) || log->nr == MODULES_MAX)
		return 0; /* those beyond have symbols in kallsyms.zst, but no line */
	module = &log->modules[log->nr++];
	memcpy(module->name, entry->name, sizeof(module->name));
	module->address = entry->address;
	r = note_load(log, entry, time_ns, err);
	module->line = log->nr_lines;
	module->is_new = time_ns != 0;
	/* Before that, and long after it, the table stays as it is. */
	module->is_unsure = module->is_new && entry->is_live;
	return r;
}

static int note_known(struct kmt_module_log *log, const struct entry *entry, uint64_t time_ns,
		      struct kmt_err *err)
{
	struct module *module = find(log, entry);

	(void)time_ns;
	(void)err;
	if (module)
		module->is_seen = true;
	return 0;
}

/* Return: false for what is no line of /proc/modules. */
static bool parse_line(const char *line, struct entry *ret_entry)
{
	struct entry entry = { .taint = "-" };
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

static int take_lines(struct kmt_module_log *log, char *text, size_t *used, note_func *note,
		      uint64_t time_ns, struct kmt_err *err)
{
	char *line = text, *end;
	struct entry entry;

	while ((end = memchr(line, '\n', *used - (size_t)(line - text)))) {
		*end = '\0';
		if (parse_line(line, &entry)) {
			int r = note(log, &entry, time_ns, err);

			if (r < 0)
				return r;
		}
		line = end + 1;
	}
	*used -= (size_t)(line - text);
	memmove(text, line, *used);
	return 0;
}

static int take_list(struct kmt_module_log *log, note_func *note, uint64_t time_ns,
		     struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open(log->list_path, O_RDONLY | O_CLOEXEC);
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
			return kmt_fail(err, -errno, "%s: %s", log->list_path, strerror(errno));
		if (n == 0)
			return 0;
		used += (size_t)n;
		r = take_lines(log, text, &used, note, time_ns, err);
		if (r < 0)
			return r;
	}
	return kmt_fail(err, -EBADMSG, "%s: a line longer than %zu bytes", log->list_path,
			sizeof(text));
}

static int note_missing(struct kmt_module_log *log, uint64_t time_ns, struct kmt_err *err)
{
	int r;

	for (size_t i = 0; i < log->nr;) {
		if (log->modules[i].is_seen) {
			i++;
			continue;
		}
		r = note_unload(log, log->modules[i].name, time_ns, err);
		if (r < 0)
			return r;
		log->modules[i] = log->modules[--log->nr];
		log->has_unloaded = true;
	}
	return 0;
}

/* Unloads first: the next module may have the same address, or the same name. */
static int look(struct kmt_module_log *log, uint64_t time_ns, struct kmt_err *err)
{
	int r;

	log->has_unloaded = false;
	for (size_t i = 0; i < log->nr; i++)
		log->modules[i].is_seen = false;
	r = take_list(log, note_known, time_ns, err);
	if (r < 0)
		return r;
	r = note_missing(log, time_ns, err);
	if (r < 0)
		return r;
	return take_list(log, note_new, time_ns, err);
}

static int write_symbols(struct kmt_module_log *log, const struct module *module,
			 struct kmt_err *err)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "symbols/%04u.zst", module->line);
	(void)unlinkat(log->tape_fd, path, 0); /* of an earlier read */
	return kmt_kallsyms_write_module(log->tape_fd, path, module->name, log->symbols,
					 log->symbols_bytes, err);
}

static void drop_text(struct kmt_module_log *log)
{
	free(log->symbols);
	log->symbols = NULL;
	log->symbols_bytes = 0;
}

static void drop_symbols(struct kmt_module_log *log)
{
	for (size_t i = 0; i < log->nr; i++)
		log->modules[i].is_unsure = false;
	drop_text(log);
}

/* Return: the number of new lines, or negative errno. */
static int add_symbols(struct kmt_module_log *log, const char *text, size_t bytes,
		       struct kmt_err *err)
{
	int r = kmt_kallsyms_merge(&log->symbols, &log->symbols_bytes, text, bytes);

	return r < 0 ? kmt_fail(err, r, "/proc/kallsyms: out of memory") : r;
}

/* What is read later may have what was missed earlier. */
static int write_all(struct kmt_module_log *log, bool has_more, struct kmt_err *err)
{
	for (size_t i = 0; i < log->nr; i++) {
		struct module *module = &log->modules[i];
		int r = 0;

		if (module->is_new || (module->is_unsure && has_more))
			r = write_symbols(log, module, err);
		if (r < 0)
			return r;
		if (module->is_new && module->is_unsure)
			log->nr_reads = 1;
		module->is_new = false;
	}
	return 0;
}

static bool has_unsure(const struct kmt_module_log *log)
{
	for (size_t i = 0; i < log->nr; i++)
		if (log->modules[i].is_unsure)
			return true;
	return false;
}

static int look_with_symbols(struct kmt_module_log *log, uint64_t time_ns, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int nr_new = 0, r;

	/* First: who loads a module for a moment may unload it while we look. */
	r = kmt_kallsyms_read_modules(&log->waiter, &text, &bytes, err);
	if (r < 0)
		return r;
	r = look(log, time_ns, err);
	if (log->has_unloaded)
		drop_text(log); /* it may come back elsewhere */
	if (r == 0)
		r = nr_new = add_symbols(log, text, bytes, err);
	if (r >= 0)
		r = write_all(log, nr_new > 0, err);
	if (r < 0 || !has_unsure(log))
		drop_symbols(log);
	return r;
}

int kmt_module_log_look(struct kmt_module_log *log, uint64_t time_ns, struct kmt_err *err)
{
	int r;

	if (access(log->list_path, F_OK) < 0)
		return look(log, time_ns, err); /* a kernel without modules: nothing to wait for */
	if (time_ns)
		return look_with_symbols(log, time_ns, err);
	r = look(log, time_ns, err);
	while (kmt_kallsyms_go(&log->waiter))
		; /* there is time before the recording */
	return r;
}

/* Until a read brings nothing new. */
static int read_again(struct kmt_module_log *log, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int nr_new = 0, r;

	r = kmt_kallsyms_read_modules(&log->waiter, &text, &bytes, err);
	if (r == 0)
		r = nr_new = add_symbols(log, text, bytes, err);
	if (nr_new > 0)
		r = write_all(log, true, err);
	if (r < 0 || nr_new == 0 || ++log->nr_reads == READS_MAX)
		drop_symbols(log);
	return r;
}

int kmt_module_log_go_on(struct kmt_module_log *log, struct kmt_err *err)
{
	if (kmt_kallsyms_go(&log->waiter) || !log->symbols)
		return 0;
	return read_again(log, err);
}

bool kmt_module_log_is_unsure(const struct kmt_module_log *log)
{
	return log->symbols;
}

bool kmt_module_log_is_busy(const struct kmt_module_log *log)
{
	const struct kmt_kallsyms_waiter *waiter = &log->waiter;

	return kmt_module_log_is_unsure(log) ||
	       (waiter->position && (waiter->fd < 0 || waiter->left));
}

struct kmt_module_log *kmt_module_log_free(struct kmt_module_log *log)
{
	if (!log)
		return NULL;
	kmt_close_fd(&log->fd);
	kmt_close_fd(&log->waiter.fd);
	free(log->symbols);
	free(log);
	return NULL;
}
