/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DAT_DAT_H
#define KMT_DAT_DAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/manifest.h"
#include "kmemtape/progress.h"

#include "cursor.h"
#include "unpack.h"

/*
 * A trace.dat, opened: all but the data of its CPUs in memory. The files are described by
 * trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5). libtracecmd reads them, too, but its public part
 * hands out single records only, not the sub-buffers with their marks of loss, nor the texts of
 * the format files; and it trusts what it reads.
 */

/* Linux include/linux/trace_events.h and trace-cmd: include/private/trace-cmd-private.h */
enum kmt_dat_option {
	KMT_DAT_DONE = 0,
	KMT_DAT_DATE = 1,
	KMT_DAT_CPUSTAT = 2,
	KMT_DAT_BUFFER = 3,
	KMT_DAT_TRACECLOCK = 4,
	KMT_DAT_UNAME = 5,
	KMT_DAT_CPUCOUNT = 8,
	KMT_DAT_VERSION = 9,
	KMT_DAT_HEADER_INFO = 16,
	KMT_DAT_FTRACE_EVENTS = 17,
	KMT_DAT_EVENT_FORMATS = 18,
	KMT_DAT_KALLSYMS = 19,
	KMT_DAT_PRINTK = 20,
	KMT_DAT_CMDLINES = 21,
};

#define KMT_DAT_MAGIC	    "\x17\x08\x44tracing"
#define KMT_DAT_MAGIC_BYTES 10
#define KMT_DAT_UNKNOWN	    "(unknown)" /* in our own files, where there has to be a word */

struct kmt_dat_cpu {
	uint32_t cpu;
	uint64_t offset, bytes;
};

/* The ring buffer of a tracefs instance. */
struct kmt_dat_buffer {
	char *name;			     /* "": the top instance */
	uint64_t offset;		     /* of its section, or in version 6 of its options */
	char clock[KMT_MANIFEST_TEXT_BYTES]; /* "" unknown */
	uint32_t page_bytes;		     /* of its sub-buffers */
	bool is_compressed;
	struct kmt_dat_cpu *cpus;
	size_t nr_cpus;
	struct kmt_cpu_stats *stats;
	size_t nr_stats;
};

struct kmt_dat_format {
	char *name; /* "kmem:kmalloc" */
	char *text;
	size_t bytes;
	uint16_t id;
};

struct kmt_dat {
	char *path;
	int fd;
	uint64_t bytes;
	unsigned int version; /* 6 or 7 */
	bool is_big_endian;
	uint32_t page_bytes; /* of the machine */
	struct kmt_unpacker *unpacker;
	struct kmt_progress *progress;	  /* of the data of CPUs; NULL: nobody looks */
	uint32_t seen_sections;		  /* bit n: of the one with the id n; version 7 */
	char *header_page, *header_event; /* never NULL once it is open, zero-terminated */
	struct kmt_dat_format *formats;
	size_t nr_formats;
	char *kallsyms, *cmdlines; /* NULL: none */
	size_t kallsyms_bytes;
	char recorder[KMT_MANIFEST_TEXT_BYTES];	 /* "3.1.6": its version; "" unknown */
	char uname[2 * KMT_MANIFEST_TEXT_BYTES]; /* "Linux HOST RELEASE MACHINE" */
	int64_t wall_offset_ns;			 /* 0 unknown */
	struct kmt_dat_buffer *buffers;		 /* the top instance's is the first */
	size_t nr_buffers;
};

/**
 * kmt_dat_open() - read all but the data
 *
 * Return: 0; -EBADMSG makes no sense; -ENODATA cut short, or of a latency tracer; -ENOTSUP
 * compressed in a way that we can't; -EPROTONOSUPPORT of a version that we don't know.
 */
int kmt_dat_open(const char *path, struct kmt_dat **ret_dat, struct kmt_err *err);
struct kmt_dat *kmt_dat_free(struct kmt_dat *dat);

KMT_DEFINE_FREEP(struct kmt_dat *, kmt_dat_free)

/* The whole file. */
struct kmt_dat_cursor kmt_dat_cursor_at(const struct kmt_dat *dat, uint64_t offset);

/* What follows behind the page size. */
int kmt_dat_read_version_6(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err);
int kmt_dat_read_version_7(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err);

/* Sections, wherever they lie: in version 6 one behind the other. */
int kmt_dat_read_headers(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err);
int kmt_dat_read_ftrace(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err);
int kmt_dat_read_events(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err);
int kmt_dat_read_kallsyms(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err);
int kmt_dat_read_cmdlines(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err);

/*
 * What is known of a buffer and of the file beside its data. @cursor is that of the option's data,
 * and ends with it; options that say nothing to us are passed over. @stats_of: name of the instance
 * whose CPUSTAT options come next.
 */
#define KMT_DAT_STATS_OF_BYTES 256
int kmt_dat_take_option(struct kmt_dat *dat, unsigned int id, struct kmt_dat_cursor *cursor,
			char stats_of[KMT_DAT_STATS_OF_BYTES], struct kmt_err *err);

/* The buffer of an instance, made if there is none. NULL: out of memory, or one too many. */
struct kmt_dat_buffer *kmt_dat_buffer_of(struct kmt_dat *dat, const char *name);

/* Return: 0; -ENOMEM; -EBADMSG beyond reason */
int kmt_dat_add_cpu(struct kmt_dat *dat, struct kmt_dat_buffer *buffer, uint64_t cpu,
		    uint64_t offset, uint64_t bytes, struct kmt_err *err);

#endif
