/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_RECORD_H
#define KMEMTAPE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/capabilities.h"
#include "kmemtape/err.h"
#include "kmemtape/units.h"

/* Record this kernel's memory events to a new tape. */

#define KMT_RECORD_SETTLE_NS   UINT64_C(2000000000)  /* deferred frees mostly come within that */
#define KMT_RECORD_SNAPSHOT_NS UINT64_C(10000000000) /* 400 KB of text each, 20 KB on the tape */
#define KMT_RECORD_BUFFER_BYTES                                           \
	(UINT64_C(16) << 20) /* a CPU; 10 ms of stall needs about 1.4 MiB \
			      */

#define KMT_RECORD_RESERVE UINT64_MAX /* a share of the file system */

/* What the recorder takes beside the ring buffers, at most: measured with 2 CPUs, it is 10 MiB. */
#define KMT_RECORD_OWN_BYTES	 (UINT64_C(16) << 20)
#define KMT_RECORD_OWN_CPU_BYTES (UINT64_C(3) << 20) /* for each CPU */

/* What to record: bits. */
enum kmt_record_set {
	KMT_RECORD_SLAB = 1u << 0, /* kmalloc, kmem_cache_alloc and what frees them */
	KMT_RECORD_PAGE = 1u << 1,
	KMT_RECORD_PERCPU = 1u << 2,
	KMT_RECORD_VMALLOC = 1u << 3,
	KMT_RECORD_ALL = KMT_RECORD_SLAB | KMT_RECORD_PAGE | KMT_RECORD_PERCPU | KMT_RECORD_VMALLOC,
};

/* Which allocations have stacks. */
enum kmt_record_stacks {
	KMT_RECORD_STACKS_NEEDED = 0, /* those whose event has no call site: pages, vmalloc areas
					 where no probe tells, per-CPU memory until Linux 5.18 */
	KMT_RECORD_STACKS_ALL,
	KMT_RECORD_STACKS_NONE,
};

/* Conditions on allocations, all of which must hold; frees are all recorded. "", 0: none. */
struct kmt_record_filter {
	const char *cache, *module, *comm; /* NULL: any */
	uint64_t min_bytes;
	int32_t pid; /* 0: any */
};

/* Counters since the recording began. */
struct kmt_record_status {
	uint64_t elapsed_ns;
	uint64_t events;	   /* read from the ring buffers */
	uint64_t lost;		   /* overwritten or dropped by the kernel before they were read */
	uint64_t raw_bytes;	   /* of sub-buffers */
	uint64_t file_bytes;	   /* of the same on the tape */
	unsigned int fill_percent; /* of the fullest ring buffer, right now */
	bool is_settling;	   /* allocations are off, frees still on */
};

/* Why a recording ended. */
enum kmt_record_end {
	KMT_RECORD_END_NONE = 0,
	KMT_RECORD_END_SIGNAL,
	KMT_RECORD_END_DURATION,
	KMT_RECORD_END_SIZE,
	KMT_RECORD_END_RESERVE, /* the disk is nearly full */
	KMT_RECORD_END_COMMAND,
	KMT_RECORD_END_FAILURE,
};

struct kmt_record_summary {
	struct kmt_record_status status;
	enum kmt_record_end end;
	bool has_tape; /* something was recorded, and kept */
	bool has_command_status;
	int command_status;	  /* exit status, or 128 + signal */
	bool was_command_stopped; /* by our SIGTERM, because the recording ended first */
	uint64_t settle_ns;	  /* how much of status.elapsed_ns was settling */
	bool was_cpu_spent;	  /* max_cpu_percent was reached, and reading waited */
	uint64_t cpu_ns;	  /* that was taken while recording */
	uint64_t dropped_ns;	  /* how long it had gone on before what is on the tape: a ring */
	uint64_t buffer_bytes;	  /* of one CPU's ring buffer, as the kernel rounded it */
	size_t nr_cpus;
	char priority[KMT_UNITS_BYTES];		   /* of the threads that drain: "SCHED_FIFO 1" */
	char user[64];				   /* whose tape it is, and who recorded it */
	char capabilities[KMT_CAPABILITIES_BYTES]; /* beside, once all was open */
};

/* Called in the thread that runs kmt_record_run(). Texts are one line, without a newline. */
struct kmt_record_listener {
	void (*note)(void *context, const char *text); /* something the user should know */
	void (*status)(void *context, const struct kmt_record_status *status); /* once a second */
	void *context;
};

struct kmt_record_options {
	const char *path;  /* of the new tape */
	unsigned int sets; /* enum kmt_record_set */
	enum kmt_record_stacks stacks;
	uint64_t sample; /* 1 in this many addresses: a power of two, 1 to 64 */
	struct kmt_record_filter filter;
	const char *const *pairs; /* see kmt_record_check_pair(); borrowed */
	size_t nr_pairs;
	uint64_t duration_ns;	/* 0: until told to stop */
	uint64_t buffer_bytes;	/* ring buffer of each CPU; 0: KMT_RECORD_BUFFER_BYTES, and all
				   together at most 1/64 of the memory */
	uint64_t max_bytes;	/* the recording ends when the tape is that long; 0: no limit */
	bool is_ring;	       /* it goes on then, and the oldest is dropped */
	uint64_t reserve_bytes; /* that stay free on the disk; 0: none; KMT_RECORD_RESERVE: 1 %, at
				  least 64 MiB (of a small disk a quarter), at most 1 GiB */
	uint64_t settle_ns;	/* frees stay on for so long after allocations are off */
	bool has_no_probes;	/* no kprobes on what frees without an event */
	uint32_t max_cpu_percent; /* of one CPU, for all threads together, while recording; 0: no limit */
	uint64_t snapshot_ns;  /* between two copies of the kernel's counters; 0: start and end only
				*/
	char *const *command;  /* argv to run while recording; NULL: none */
	const char *user;      /* whose tape it is: NAME, UID or UID:GID; NULL: who we are */
	bool is_users_command; /* the command is run as the user, too, not as who we are */
	struct kmt_record_listener listener;
};

/*
 * Is @text a pair of functions? NAME=ALLOC:FREE[@MODULE] or NAME=GET:PUT[@MODULE],count; see
 * kmemtape-record(1). Whether there are such functions is seen when they are to be recorded.
 * Return: 0; -EINVAL.
 */
int kmt_record_check_pair(const char *text, struct kmt_err *err);

/* Defaults; the path stays NULL. */
void kmt_record_options_init(struct kmt_record_options *options);

/**
 * kmt_record_run() - record until the time, the size, the command or a signal ends it
 * @summary: filled in as far as it went, also when that is a failure
 *
 * SIGINT, SIGTERM, SIGHUP (unless ignored, as by nohup) and SIGQUIT end a recording in order; a
 * second one ends the settling. They are blocked during the call, SIGPIPE and SIGXFSZ ignored; all
 * is put back before the return, and so is tracefs. Not to be called twice at the same time.
 *
 * Privileges don't come back: from now on this process is the user whose tape it is, and has hardly
 * a capability. To be called before there are other threads, which would keep theirs.
 *
 * The command ends the recording when it exits; when the recording ends first, it is sent SIGTERM.
 *
 * Return: 0; -EINVAL if a ring is too small for the CPUs; -ENOENT if there is no such user; -EEXIST if there is something at the path; -EACCES,
 * -EPERM without the privilege; -ENOTSUP if this kernel lacks tracefs or an event; -ENOMEM if the
 * ring buffers are too large; -ENOSPC if not even the reserve is free; -ENOENT and so on if the
 * command can't be run; negative errno of a failed write. If no event was on yet, nothing is left
 * of the tape; else what was recorded is kept.
 */
int kmt_record_run(const struct kmt_record_options *options, struct kmt_record_summary *summary,
		   struct kmt_err *err);

#endif
