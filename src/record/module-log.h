/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_MODULE_LOG_H
#define KMT_RECORD_MODULE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtape/chunk.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * symbols/modules: which modules were loaded when. A look at /proc/modules tells what came and went
 * since the last one; whoever hears of a change calls for the look.
 */
struct kmt_module_log;
struct kmt_syncer;

/* Where the kernel tells of modules; a test has files of its own. */
struct kmt_module_sources {
	const char *list;      /* a kernel without modules has none, and none come later */
	const char *directory; /* with one for each of them */
	const char *kallsyms;
};

#define KMT_MODULE_SOURCES                                                                         \
	{                                                                                          \
		.list = "/proc/modules", .directory = "/sys/module", .kallsyms = "/proc/kallsyms", \
	}

/**
 * kmt_module_log_new() - create the file, and allocate
 * @sources: borrowed
 * @kallsyms_position: where to wait for the symbols of modules, see kallsyms.h
 * @writer: taken on success; its file was finished. NULL: no symbols are to be had
 *
 * Nothing is allocated later.
 */
int kmt_module_log_new(int tape_fd, const struct kmt_module_sources *sources, uint64_t kallsyms_position,
		       struct kmt_chunk_writer *writer, struct kmt_module_log **ret_log,
		       struct kmt_err *err);

/**
 * kmt_module_log_look() - note what changed
 * @time_ns: trace clock, or 0 for those that were there before the recording
 *
 * With a time, the symbols of new modules are copied to the tape too, before rmmod takes them.
 */
int kmt_module_log_look(struct kmt_module_log *log, uint64_t time_ns, struct kmt_err *err);

/**
 * kmt_module_log_has_news() - is there another number of modules than at the last look?
 *
 * The kernel announces a module when its init function has returned. Who unloads it at once takes its symbols before
 * anybody may have read them; one that refuses to load is never announced. But each has a directory before its init
 * function runs, and to count those costs one system call.
 */
bool kmt_module_log_has_news(const struct kmt_module_log *log);

/**
 * kmt_module_log_go_on() - a part of what can wait: reading symbols once more, getting ready for the next module
 *
 * Takes about a millisecond each time.
 *
 * Return: 0 or negative errno.
 */
int kmt_module_log_go_on(struct kmt_module_log *log, struct kmt_err *err);

/* Would it do something? */
bool kmt_module_log_is_busy(const struct kmt_module_log *log);

/* Does it still have to read symbols once more? */
bool kmt_module_log_is_unsure(const struct kmt_module_log *log);

/* kmt_module_log_set_syncer() - who brings what is written onto the disk. Borrowed; default: nobody */
void kmt_module_log_set_syncer(struct kmt_module_log *log, struct kmt_syncer *syncer);

/* Return: NULL */
struct kmt_module_log *kmt_module_log_free(struct kmt_module_log *log);

KMT_DEFINE_FREEP(struct kmt_module_log *, kmt_module_log_free)

#endif
