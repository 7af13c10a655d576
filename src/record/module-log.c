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
#include "tracefs-dir.h"

#define TOUCH_STEP	1024 /* no page is smaller */
#define MODULES_MAX	4096 /* a distribution kernel with everything loaded has about 1000 */
/* Of symbols: two that agree, and more if a table is swapped or modules come one after the other.
 */
#define READS_MAX	5
#define INIT_TEXT_BYTES 64 /* of a number */

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
	bool is_passed_over; /* they are known: not to be read */
};

struct place {
	uint64_t address, init_bytes;
};

/* Made and touched before events are on. */
struct texts {
	struct kmt_symbol_text symbols; /* that were found so far */
	struct kmt_symbol_text read;	/* what the last read found */
	struct kmt_symbol_index index;
};

struct kmt_module_log {
	int fd; /* symbols/modules */
	int tape_fd;
	struct kmt_syncer *syncer; /* NULL: none */
	const struct kmt_module_sources *sources;
	nlink_t nr_links; /* of the directory, at the last look */
	uint64_t time_ns; /* of this look */
	struct kmt_kallsyms_waiter waiter;
	struct kmt_chunk_writer *writer; /* of symbols; NULL: there are none */
	struct texts *texts;		 /* NULL: a kernel without modules */
	bool is_collecting;		 /* symbols, as far as they are still needed */
	uint64_t last_hash; /* of those that the read before this one found; 0: there was none */
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

/* Return: NULL if out of memory */
static struct texts *make_texts(void)
{
	struct texts *texts = malloc(sizeof(*texts));
	volatile char *bytes = (char *)texts; /* or calloc() is made of it, which touches none */

	if (!texts)
		return NULL;
	for (size_t i = 0; i < sizeof(*texts); i += TOUCH_STEP)
		bytes[i] = 0;
	kmt_symbol_text_clear(&texts->symbols);
	kmt_symbol_text_clear(&texts->read);
	return texts;
}

int kmt_module_log_new(int tape_fd, const struct kmt_module_sources *sources,
		       uint64_t kallsyms_position, struct kmt_chunk_writer *writer,
		       struct kmt_module_log **ret_log, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = calloc(1, sizeof(*log));
	bool has_modules = access(sources->list, F_OK) == 0;

	if (!log)
		return kmt_fail(err, -ENOMEM, "symbols/modules: out of memory");
	log->tape_fd = tape_fd;
	log->sources = sources;
	log->waiter = (struct kmt_kallsyms_waiter){
		.path = sources->kallsyms, .fd = -1, .position = has_modules ? kallsyms_position : 0
	};
	log->fd = openat(tape_fd, "symbols/modules",
			 O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (log->fd < 0)
		return kmt_fail(err, -errno, "symbols/modules: %s", strerror(errno));
	log->texts = has_modules ? make_texts() : NULL;
	if (has_modules && !log->texts)
		return kmt_fail(err, -ENOMEM, "symbols of modules: out of memory");
	log->writer = has_modules ? writer : kmt_chunk_writer_free(writer); /* taken */
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

	if (!log->writer)
		return 0;
	remove_symbols(log, module); /* of an earlier read */
	(void)snprintf(path, sizeof(path), "symbols/%04u.zst", module->line);
	r = kmt_chunk_writer_reopen(log->writer, log->tape_fd, path, 0, err);
	if (r == 0)
		r = kmt_symbol_text_write(&log->texts->symbols, module->name, log->writer, err);
	if (r == 0)
		r = kmt_chunk_writer_finish(log->writer, 0, err);
	if (r < 0 || !log->syncer)
		return r;
	fd = openat(log->tape_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		kmt_syncer_add_whole(log->syncer, fd, path);
	return 0;
}

static void forget_symbols(struct kmt_module_log *log)
{
	log->is_collecting = false;
	log->last_hash = 0;
	kmt_symbol_text_clear(&log->texts->symbols);
	for (size_t i = 0; i < log->nr; i++)
		log->modules[i].is_whole = false;
}

static bool has_symbols(const struct kmt_module_log *log, const struct module *module)
{
	return kmt_symbol_text_hash(&log->texts->symbols, module->name) != 0;
}

/*
 * No more reads. Should there have been more symbols than there is room for, it was those of some
 * modules: the others have their turn, as long as that gets us on.
 */
static void end_collecting(struct kmt_module_log *log)
{
	bool was_cut = log->texts->read.is_cut;
	size_t nr_left = 0, nr_done = 0;

	for (size_t i = 0; i < log->nr; i++) {
		struct module *module = &log->modules[i];

		if (!module->is_unsure)
			continue;
		module->is_unsure = was_cut && !has_symbols(log, module);
		if (module->is_unsure)
			nr_left++;
		else
			nr_done++;
	}
	forget_symbols(log);
	if (nr_left && nr_done) {
		log->is_collecting = true;
		log->nr_reads = 0;
		return;
	}
	for (size_t i = 0; i < log->nr; i++)
		log->modules[i].is_unsure = false;
}

/*
 * How much memory init code has: none as soon as the table of symbols is that of what remains.
 * do_init_module() of Linux kernel/module takes both away at once, some time after it called the
 * module live and announced it. Where sysfs doesn't tell, its being live must do.
 */
static uint64_t init_bytes(const struct kmt_module_log *log, const char *name, bool is_live)
{
	char path[PATH_MAX], text[INIT_TEXT_BYTES];

	(void)snprintf(path, sizeof(path), "%s/%s/initsize", log->sources->directory, name);
	if (kmt_tracefs_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return !is_live;
	return strtoull(text, NULL, 10);
}

static bool is_known(const struct module *module)
{
	return !module->is_unsure && !module->is_coming;
}

/* Of those whose symbols are still to be known. */
static int note_before(void *context, const struct kmt_module_entry *entry, struct kmt_err *err)
{
	struct kmt_module_log *log = context;
	struct module *module = find(log, entry);

	(void)err;
	if (module && is_known(module))
		module->is_passed_over = true; /* not what may have its name, and another address */
	else if (log->nr_before < MODULES_MAX)
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
static void judge_read(const struct kmt_module_log *log, struct module *module)
{
	uint64_t hash = kmt_symbol_text_hash(&log->texts->read, module->name);

	module->is_whole |= hash && (hash == module->hash || was_there_before(log, module));
	module->hash = hash;
}

static bool is_to_be_read(const void *context, const char *name)
{
	const struct kmt_module_log *log = context;

	for (size_t i = 0; i < log->nr; i++)
		if (log->modules[i].is_passed_over && strcmp(log->modules[i].name, name) == 0)
			return false;
	return true;
}

static int read_symbols(struct kmt_module_log *log, struct kmt_err *err)
{
	return kmt_kallsyms_read_modules(&log->waiter, is_to_be_read, log, &log->texts->read, err);
}

/* What was read comes to the others. Return: are there new lines? */
static bool add_symbols(struct kmt_module_log *log)
{
	struct texts *texts = log->texts;
	int r = kmt_symbol_text_merge(&texts->symbols, &texts->read, &texts->index);

	log->is_collecting = true;
	for (size_t i = 0; i < log->nr; i++)
		if (log->modules[i].is_unsure)
			judge_read(log, &log->modules[i]);
	return r > 0; /* without room, only what two reads agree on will do */
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
	for (size_t i = 0; i < log->nr && !log->texts->read.is_cut; i++)
		if (log->modules[i].is_unsure && !has_symbols(log, &log->modules[i]))
			return true;
	return false;
}

static void note_last(struct kmt_module_log *log)
{
	log->last_hash = kmt_symbol_text_hash(&log->texts->read, NULL);
	log->last_bytes = log->texts->read.used;
}

static int look_with_symbols(struct kmt_module_log *log, uint64_t time_ns, struct kmt_err *err)
{
	bool has_more;
	int r;

	log->nr_before = 0;
	for (size_t i = 0; i < log->nr; i++)
		log->modules[i].is_passed_over = false;
	r = kmt_module_list_read(log->sources->list, note_before, log, err);
	/* Who loads a module for a moment may unload it while we look: this can't wait. */
	if (r == 0)
		r = read_symbols(log, err);
	if (r < 0)
		return r;
	r = look(log, time_ns, err);
	if (log->has_come)
		log->nr_reads = 1;
	if (log->has_come || log->has_unloaded)
		forget_symbols(log); /* init code is gone; it may come back elsewhere */
	has_more = add_symbols(log);
	log->nr_before = 0;
	if (r == 0)
		r = write_all(log, has_more, err);
	if (r < 0 || !has_unsure(log))
		end_collecting(log);
	else
		note_last(log);
	return r;
}

int kmt_module_log_look(struct kmt_module_log *log, uint64_t time_ns, struct kmt_err *err)
{
	int r;

	if (!log->texts)
		return look(log, time_ns, err); /* nothing to wait for */
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
	memcpy(&log->texts->symbols, &log->texts->read, sizeof(log->texts->read));
	return write_all(log, true, err);
}

static bool is_as_before(const struct kmt_module_log *log)
{
	return log->last_hash && log->last_bytes == log->texts->read.used &&
	       log->last_hash == kmt_symbol_text_hash(&log->texts->read, NULL);
}

/* Until two reads agree; else all that any of them had must do. */
static int read_again(struct kmt_module_log *log, struct kmt_err *err)
{
	bool is_settled = false, has_more;
	int r;

	for (size_t i = 0; i < log->nr; i++)
		log->modules[i].is_passed_over = is_known(&log->modules[i]);
	r = read_symbols(log, err);
	if (r == 0) {
		has_more = add_symbols(log);
		is_settled = is_as_before(log) && !lacks_symbols(log);
		r = is_settled ? settle(log, err) : write_all(log, has_more, err);
	}
	note_last(log);
	if (r < 0 || is_settled || ++log->nr_reads >= READS_MAX)
		end_collecting(log);
	return r;
}

int kmt_module_log_go_on(struct kmt_module_log *log, struct kmt_err *err)
{
	if (kmt_kallsyms_go(&log->waiter) || !log->is_collecting)
		return 0;
	return read_again(log, err);
}

bool kmt_module_log_is_unsure(const struct kmt_module_log *log)
{
	return log->is_collecting;
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
	log->writer = kmt_chunk_writer_free(log->writer);
	free(log->texts);
	free(log);
	return NULL;
}
