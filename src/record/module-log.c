// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "build-id.h"
#include "kallsyms.h"
#include "kmemtape/fs.h"
#include "module-list.h"
#include "module-log.h"
#include "syncer.h"

#define MODULES_MAX	    4096 /* a distribution kernel with everything loaded has about 1000 */
/* Of symbols: two that agree, and more if a table is swapped or modules come one after the other.
 */
#define READS_MAX	    5
#define INIT_TEXT_BYTES_MAX 64 /* of a number */

struct module {
	char name[KMT_MODULE_NAME_BYTES];
	uint64_t address;
	bool is_seen;	   /* in this look */
	bool is_coming;	   /* its init function was running: some of its symbols are of init code */
	unsigned int line; /* in symbols/modules, which names the file of its symbols */
	bool is_new;	   /* its symbols are not on the tape yet */
	bool is_unsure;	   /* they may be not all: kmt_kallsyms_merge() */
	uint64_t hash;	   /* of those that the last read found; 0: none */
	bool is_whole;	   /* those collected have all of a read that was whole, or of two in turn
			      that found the same */
	bool is_told;	   /* those on the tape, likewise */
};

struct place {
	uint64_t address, init_bytes;
};

struct kmt_module_log {
	int fd; /* symbols/modules */
	int tape_fd;
	struct kmt_syncer *syncer; /* NULL: none */
	const struct kmt_module_sources *sources;
	nlink_t nr_links; /* of the directory, at the last look */
	uint64_t time_ns; /* of this look */
	struct kmt_kallsyms_waiter waiter;
	char *symbols; /* of modules, as far as they are still needed; NULL */
	size_t symbols_bytes;
	char *last; /* as the read before this one found them; NULL */
	size_t last_bytes;
	int nr_reads;	   /* of them */
	bool has_unloaded; /* this look found that some were gone */
	bool has_come;	   /* this look found that init functions of some had returned */
	unsigned int nr_lines;
	size_t nr;
	struct module modules[MODULES_MAX];
	size_t nr_before; /* listed before their symbols were read in this look */
	struct place before[MODULES_MAX];
};

int kmt_module_log_new(int tape_fd, const struct kmt_module_sources *sources,
		       uint64_t kallsyms_position, struct kmt_module_log **ret_log,
		       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = calloc(1, sizeof(*log));

	if (!log)
		return kmt_fail(err, -ENOMEM, "symbols/modules: out of memory");
	log->tape_fd = tape_fd;
	log->sources = sources;
	log->waiter = (struct kmt_kallsyms_waiter){ .path = sources->kallsyms,
						    .fd = -1,
						    .position = kallsyms_position };
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

static struct module *find(struct kmt_module_log *log, const struct kmt_module_entry *entry)
{
	for (size_t i = 0; i < log->nr; i++)
		if (log->modules[i].address == entry->address &&
		    strcmp(log->modules[i].name, entry->name) == 0)
			return &log->modules[i];
	return NULL;
}

static int note_load(struct kmt_module_log *log, const struct kmt_module_entry *entry,
		     uint64_t time_ns, struct kmt_err *err)
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

static int note_new(void *context, const struct kmt_module_entry *entry, struct kmt_err *err)
{
	struct kmt_module_log *log = context;
	struct module *module;
	int r;

	if (find(log, entry) || log->nr == MODULES_MAX)
		return 0; /* those beyond have symbols in kallsyms.zst, but no line */
	module = &log->modules[log->nr++];
	*module = (struct module){ .address = entry->address };
	memcpy(module->name, entry->name, sizeof(module->name));
	r = note_load(log, entry, log->time_ns, err);
	module->line = log->nr_lines;
	/* Before that, and long after it, the table stays as it is. */
	module->is_new = module->is_unsure = log->time_ns != 0;
	module->is_coming = log->time_ns != 0 && !entry->is_live;
	module->is_told = log->time_ns == 0; /* they are in kallsyms.zst */
	return r;
}

static int note_known(void *context, const struct kmt_module_entry *entry, struct kmt_err *err)
{
	struct kmt_module_log *log = context;
	struct module *module = find(log, entry);

	(void)err;
	if (!module)
		return 0;
	module->is_seen = true;
	if (module->is_coming && entry->is_live) {
		module->is_coming = false;
		module->is_unsure = true;
		log->has_come = true;
	}
	return 0;
}

static void remove_symbols(struct kmt_module_log *log, const struct module *module)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "symbols/%04u.zst", module->line);
	(void)unlinkat(log->tape_fd, path, 0);
}

/*
 * A module that comes or goes while its symbols are read leaves some of them, and what lies behind
 * one of these would be taken for a part of it. No name is better than that of an innocent
 * function.
 */
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
		if (!log->modules[i].is_told)
			remove_symbols(log, &log->modules[i]);
		log->modules[i] = log->modules[--log->nr];
		log->has_unloaded = true;
	}
	return 0;
}

static nlink_t count_links(const struct kmt_module_log *log)
{
	struct stat st;

	return stat(log->sources->directory, &st) < 0 ? 0 : st.st_nlink;
}

/* Unloads first: the next module may have the same address, or the same name. */
static int look(struct kmt_module_log *log, uint64_t time_ns, struct kmt_err *err)
{
	const char *list = log->sources->list;
	int r;

	log->nr_links = count_links(log);
	log->time_ns = time_ns;
	log->has_unloaded = log->has_come = false;
	for (size_t i = 0; i < log->nr; i++)
		log->modules[i].is_seen = false;
	r = kmt_module_list_read(list, note_known, log, err);
	if (r < 0)
		return r;
	r = note_missing(log, time_ns, err);
	if (r < 0)
		return r;
	return kmt_module_list_read(list, note_new, log, err);
}

bool kmt_module_log_has_news(const struct kmt_module_log *log)
{
	return count_links(log) != log->nr_links;
}

static int write_symbols(struct kmt_module_log *log, const struct module *module,
			 struct kmt_err *err)
{
	char path[32];
	int r, fd;

	remove_symbols(log, module); /* of an earlier read */
	(void)snprintf(path, sizeof(path), "symbols/%04u.zst", module->line);
	r = kmt_kallsyms_write_module(log->tape_fd, path, module->name, log->symbols,
				      log->symbols_bytes, err);
	if (r < 0 || !log->syncer)
		return r;
	fd = openat(log->tape_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		kmt_syncer_add_whole(log->syncer, fd, path);
	return 0;
}

static void set_last(struct kmt_module_log *log, char *text, size_t bytes)
{
	free(log->last);
	log->last = text;
	log->last_bytes = bytes;
}

static void drop_text(struct kmt_module_log *log)
{
	free(log->symbols);
	log->symbols = NULL;
	log->symbols_bytes = 0;
	set_last(log, NULL, 0);
	for (size_t i = 0; i < log->nr; i++)
		log->modules[i].is_whole = false;
}

static void drop_symbols(struct kmt_module_log *log)
{
	for (size_t i = 0; i < log->nr; i++)
		log->modules[i].is_unsure = false;
	drop_text(log);
}

/*
 * How much memory init code has: none as soon as the table of symbols is that of what remains.
 * do_init_module() of Linux kernel/module takes both away at once, some time after it called the
 * module live and announced it. Where sysfs doesn't tell, its being live must do.
 */
static uint64_t init_bytes(const struct kmt_module_log *log, const char *name, bool is_live)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s/initsize", log->sources->directory, name);
	if (kmt_read_file(AT_FDCWD, path, INIT_TEXT_BYTES_MAX, &text, NULL, NULL) < 0)
		return !is_live;
	return strtoull(text, NULL, 10);
}

/* Only of those whose symbols are still to be known. */
static int note_before(void *context, const struct kmt_module_entry *entry, struct kmt_err *err)
{
	struct kmt_module_log *log = context;
	const struct module *module = find(log, entry);

	(void)err;
	if ((!module || module->is_unsure || module->is_coming) && log->nr_before < MODULES_MAX)
		log->before[log->nr_before++] = (struct place){
			entry->address,
			init_bytes(log, entry->name, entry->is_live),
		};
	return 0;
}

static bool was_there_before(const struct kmt_module_log *log, const struct module *module)
{
	for (size_t i = 0; i < log->nr_before; i++)
		if (log->before[i].address == module->address)
			return log->before[i].init_bytes ==
			       init_bytes(log, module->name, !module->is_coming);
	return false;
}

/* What was listed before and after a read didn't come or go while its symbols were read; nor was
 * its table replaced, if its init code is as it was. */
static void judge_read(const struct kmt_module_log *log, struct module *module, const char *text,
		       size_t bytes)
{
	uint64_t hash = kmt_kallsyms_hash(text, bytes, module->name);

	module->is_whole |= hash && (hash == module->hash || was_there_before(log, module));
	module->hash = hash;
}

/* Return: the number of new lines, or negative errno. */
static int add_symbols(struct kmt_module_log *log, const char *text, size_t bytes,
		       struct kmt_err *err)
{
	int r = kmt_kallsyms_merge(&log->symbols, &log->symbols_bytes, text, bytes);

	for (size_t i = 0; i < log->nr; i++)
		if (log->modules[i].is_unsure)
			judge_read(log, &log->modules[i], text, bytes);
	return r < 0 ? kmt_fail(err, r, "/proc/kallsyms: out of memory") : r;
}

static bool has_symbols(const struct kmt_module_log *log, const struct module *module)
{
	return kmt_kallsyms_hash(log->symbols, log->symbols_bytes, module->name) != 0;
}

/*
 * What is read later may have what was missed earlier. It may also have nothing, of a module that
 * has just gone, or a part: no reason to replace what is known to be all.
 */
static bool is_better(const struct kmt_module_log *log, const struct module *module, bool has_more)
{
	if (!module->is_unsure || !has_symbols(log, module))
		return false;
	return module->is_told ? module->is_whole && has_more : module->is_whole || has_more;
}

static int write_all(struct kmt_module_log *log, bool has_more, struct kmt_err *err)
{
	for (size_t i = 0; i < log->nr; i++) {
		struct module *module = &log->modules[i];
		int r = 0;

		if (module->is_new || is_better(log, module, has_more)) {
			r = write_symbols(log, module, err);
			module->is_told = module->is_whole;
		}
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

/* Listed after they were read: the next read has them. */
static bool lacks_symbols(const struct kmt_module_log *log)
{
	for (size_t i = 0; i < log->nr; i++)
		if (log->modules[i].is_unsure && !has_symbols(log, &log->modules[i]))
			return true;
	return false;
}

static int look_with_symbols(struct kmt_module_log *log, uint64_t time_ns, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int nr_new = 0, r;

	log->nr_before = 0;
	r = kmt_module_list_read(log->sources->list, note_before, log, err);
	/* Who loads a module for a moment may unload it while we look: this can't wait. */
	if (r == 0)
		r = kmt_kallsyms_read_modules(&log->waiter, &text, &bytes, err);
	if (r < 0)
		return r;
	r = look(log, time_ns, err);
	if (log->has_come)
		log->nr_reads = 1;
	if (log->has_come || log->has_unloaded)
		drop_text(log); /* init code is gone; it may come back elsewhere */
	if (r == 0)
		r = nr_new = add_symbols(log, text, bytes, err);
	log->nr_before = 0;
	if (r >= 0)
		r = write_all(log, nr_new > 0, err);
	if (r < 0 || !has_unsure(log))
		drop_symbols(log);
	else
		set_last(log, KMT_STEAL(text), bytes);
	return r;
}

int kmt_module_log_look(struct kmt_module_log *log, uint64_t time_ns, struct kmt_err *err)
{
	int r;

	if (access(log->sources->list, F_OK) < 0)
		return look(log, time_ns, err); /* a kernel without modules: nothing to wait for */
	if (time_ns)
		return look_with_symbols(log, time_ns, err);
	r = look(log, time_ns, err);
	while (kmt_kallsyms_go(&log->waiter))
		; /* there is time before the recording */
	return r;
}

/*
 * What two reads agree on is all there is. Not the symbols of init code, which is gone: others may
 * get its pages. The kernel calls a module live, and announces it, before it takes them away.
 */
static int settle(struct kmt_module_log *log, struct kmt_err *err)
{
	free(log->symbols);
	log->symbols = KMT_STEAL(log->last);
	log->symbols_bytes = log->last_bytes;
	return write_all(log, true, err);
}

/* Until two reads agree; else all that any of them had must do. */
static int read_again(struct kmt_module_log *log, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	bool is_settled;
	size_t bytes;
	int r;

	r = kmt_kallsyms_read_modules(&log->waiter, &text, &bytes, err);
	if (r == 0)
		r = add_symbols(log, text, bytes, err);
	is_settled = r == 0 && log->last && log->last_bytes == bytes &&
		     memcmp(log->last, text, bytes) == 0 && !lacks_symbols(log);
	if (is_settled)
		r = settle(log, err);
	else if (r >= 0)
		r = write_all(log, r > 0, err);
	set_last(log, KMT_STEAL(text), bytes);
	if (r < 0 || is_settled || ++log->nr_reads >= READS_MAX)
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

void kmt_module_log_set_syncer(struct kmt_module_log *log, struct kmt_syncer *syncer)
{
	log->syncer = syncer;
	kmt_syncer_add(syncer, log->fd, "symbols/modules");
}

struct kmt_module_log *kmt_module_log_free(struct kmt_module_log *log)
{
	if (!log)
		return NULL;
	kmt_close_fd(&log->fd);
	kmt_close_fd(&log->waiter.fd);
	drop_text(log);
	free(log);
	return NULL;
}
