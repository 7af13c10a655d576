/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_MANIFEST_H
#define KMEMTAPE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * manifest.json: what a tape is and how it came about. Written when the recording begins
 * (is_closed false) and again when it ends. Texts are "" and times 0 where unknown; unknown members
 * of the JSON are ignored.
 */
#define KMT_MANIFEST_BYTES_MAX	(16u << 20)
#define KMT_MANIFEST_TEXT_BYTES 256

/* Differences of per_cpu/cpuN/stats between the start and the end of the recording. */
struct kmt_cpu_stats {
	uint32_t cpu;
	uint64_t overrun;	 /* events overwritten before they were read */
	uint64_t commit_overrun; /* events dropped because an interrupt filled the buffer */
	uint64_t dropped;	 /* events dropped because the buffer was full */
	uint64_t read;		 /* events read */
};

/* What the kernel counts for one of our probes (kprobe_profile). */
#define KMT_PROBE_NAME_BYTES 64
struct kmt_probe_stats {
	char event[KMT_PROBE_NAME_BYTES]; /* "kmemtape:rcu_free" */
	uint64_t hits;
	uint64_t missed; /* calls in an interrupt that came while a probe was being handled */
};

/* Functions whose calls were recorded as allocations and frees of a kind of object. */
#define KMT_MANIFEST_PAIRS_MAX 16u /* KMT_PAIRS_MAX of event.h, which tapes know nothing of */
#define KMT_PAIR_NAME_BYTES    32  /* a C identifier, as events are named after it */
struct kmt_pair {
	char name[KMT_PAIR_NAME_BYTES];				      /* "dentry" */
	char alloc[KMT_PROBE_NAME_BYTES], free[KMT_PROBE_NAME_BYTES]; /* functions; "put%2": its
									 second argument */
	char module[KMT_PROBE_NAME_BYTES]; /* that has them; "": the kernel */
	bool is_count; /* get and put: alloc's first argument counts up, free's down */
};

/* A condition on allocations that the kernel checked: what it excluded was not recorded. */
struct kmt_manifest_filter {
	char event[KMT_PROBE_NAME_BYTES];   /* "kmem:kmalloc" */
	char text[KMT_MANIFEST_TEXT_BYTES]; /* as the kernel took it: "bytes_alloc >= 4096" */
};

/*
 * Somebody else changed something in our tracefs instance: what happened in this time may be missing, and nobody knows how
 * much. An array of fixed size, since it is filled while events are on.
 */
#define KMT_DISTURBANCES_MAX   32u
#define KMT_DISTURBANCE_BYTES 96
#define KMT_DISTURBANCE_LASTS INT64_MAX /* to_ns: the recorder was killed before it was over */
struct kmt_disturbance {
	uint64_t from_ns, to_ns;	  /* trace clock: the last look that found all right, and the next that did */
	char what[KMT_DISTURBANCE_BYTES]; /* the file in the instance: "events/kmem/kfree/enable" */
};

enum kmt_symbols_state {
	KMT_SYMBOLS_NONE = 0,
	KMT_SYMBOLS_HIDDEN, /* kallsyms read as zeros: kptr_restrict, or no privilege */
	KMT_SYMBOLS_GOOD,
};

struct kmt_manifest {
	char recorder[KMT_MANIFEST_TEXT_BYTES];	      /* "kmemtape 0.1.0" */
	char kernel[KMT_MANIFEST_TEXT_BYTES];	      /* uname -r */
	char kernel_version[KMT_MANIFEST_TEXT_BYTES]; /* /proc/version */
	char arch[KMT_MANIFEST_TEXT_BYTES];	      /* uname -m */
	char host[KMT_MANIFEST_TEXT_BYTES];
	bool is_big_endian;
	uint32_t long_bytes; /* 4 or 8: of the kernel */
	uint32_t page_bytes;
	uint32_t subbuf_bytes; /* whole, with its header */

	char clock[KMT_MANIFEST_TEXT_BYTES]; /* trace_clock: "mono" */
	int64_t wall_offset_ns; /* wall clock since 1970 minus trace clock, at the start */
	int64_t wall_offset_end_ns; /* and at the end; 0: not known */
	uint64_t suspended_ns; /* meanwhile, in which `mono` stands still */

	/* Trace clock. Allocations are complete within allocs_on..allocs_off, frees within
	 * start..end. */
	uint64_t start_ns;
	uint64_t allocs_on_ns;
	uint64_t allocs_off_ns;
	uint64_t end_ns;

	uint32_t *cpus; /* with a file cpu/NNNN.zst each, ascending */
	size_t nr_cpus;
	char **events; /* "kmem:kmalloc", as enabled */
	size_t nr_events;
	int32_t *recorder_pids; /* ascending */
	size_t nr_recorder_pids;
	struct kmt_cpu_stats *stats; /* empty until closed */
	size_t nr_stats;

	/* "on": frees by kfree_rcu() and kmem_cache_free_bulk() are on the tape; else why not all
	 * are;
	 * "" on tapes of recorders that had no such probes */
	char free_probes[KMT_MANIFEST_TEXT_BYTES];
	struct kmt_probe_stats *probes; /* empty until closed */
	size_t nr_probes;

	uint64_t sample; /* 1 in this many addresses was recorded; 1 is all */
	/*
	 * Objects were recorded that have none of these bits in their address (slab: of bytes) or
	 * page frame number (pages; their frees were all recorded). 0: all. sample is 2^(bits in
	 * it).
	 */
	uint64_t sample_mask, sample_page_mask;
	char sets[KMT_MANIFEST_TEXT_BYTES];    /* "slab,page,percpu,vmalloc"; "": slab */
	char vmalloc[KMT_MANIFEST_TEXT_BYTES]; /* how vmalloc is seen: "events", "probes"; "": by
						  snapshots */
	char stacks[KMT_MANIFEST_TEXT_BYTES];  /* sets that have stacks: "slab,page"; "": none */
	uint32_t nr_possible_cpus;	       /* 0 unknown */
	struct kmt_pair *pairs;		       /* pair i is address space KMT_SPACE_PAIR + i */
	size_t nr_pairs;
	struct kmt_manifest_filter
		*filters; /* what --cache and the like asked for; sampling isn't here */
	size_t nr_filters;
	struct kmt_disturbance disturbances[KMT_DISTURBANCES_MAX]; /* by to_ns */
	size_t nr_disturbances;
	enum kmt_symbols_state symbols;
	char command[KMT_MANIFEST_TEXT_BYTES]; /* of `record -- COMMAND` */
	bool has_command_status;
	int command_status; /* exit status, or 128 + signal */
	/*
	 * A ring: the newest of a longer recording, in files that go on in others. Max: of these; 0: no
	 * ring. What was before dropped_ns is not there on all CPUs, and doesn't count; start_ns and
	 * allocs_on_ns of a tape that was opened are not before it. began_ns: what start_ns was.
	 */
	uint64_t ring_bytes, dropped_ns, began_ns;
	/* Why it ended although nobody asked for that; "": it was asked for */
	char ended_why[KMT_MANIFEST_TEXT_BYTES];
	/* What comes later is not there on all CPUs, so that nothing of it counts; 0: it is */
	uint64_t ended_ns;
	bool is_redacted;   /* addresses are made up, and names of tasks left out: see share.h */
	bool is_closed;
	/* A part of the recording, since its start, which is not start_ns then; to 0: all of it */
	uint64_t range_from_ns, range_to_ns;
	char recovered[KMT_MANIFEST_TEXT_BYTES]; /* what was lost of it before; "": nothing */
	bool is_distilled; /* books.zst instead of CPU files: see tape-format.h */
	bool is_small;	   /* chunks of columns: likewise */
};

/* All fields empty, sample 1. */
void kmt_manifest_init(struct kmt_manifest *manifest);
void kmt_manifest_deinit(struct kmt_manifest *manifest);

/* Each copies its argument. Return: 0 or -ENOMEM. CPUs may come in any order, twice is once. */
int kmt_manifest_add_cpu(struct kmt_manifest *manifest, uint32_t cpu);
int kmt_manifest_add_event(struct kmt_manifest *manifest, const char *name);
int kmt_manifest_add_recorder_pid(struct kmt_manifest *manifest, int32_t pid);
int kmt_manifest_add_stats(struct kmt_manifest *manifest, const struct kmt_cpu_stats *stats);
int kmt_manifest_add_probe(struct kmt_manifest *manifest, const struct kmt_probe_stats *probe);

int kmt_manifest_add_pair(struct kmt_manifest *manifest, const struct kmt_pair *pair);
int kmt_manifest_add_filter(struct kmt_manifest *manifest, const char *event, const char *text);

/*
 * kmt_manifest_note_disturbance() - one more, or more of the last one; never allocates
 * @from_ns: not before the last one's; when there is no room, the last one is made longer
 */
void kmt_manifest_note_disturbance(struct kmt_manifest *manifest, uint64_t from_ns, uint64_t to_ns,
				   const char *what);

/* overrun + commit_overrun + dropped over all CPUs: what the kernel says it lost. */
/* By how much the wall clock was set meanwhile; 0: by less than a second, or not known. */
int64_t kmt_manifest_clock_set_ns(const struct kmt_manifest *manifest);

uint64_t kmt_manifest_lost(const struct kmt_manifest *manifest);

/* Create or replace manifest.json of the tape @dirfd, in one step. */
int kmt_manifest_write(const struct kmt_manifest *manifest, int dirfd, struct kmt_err *err);

/* kmt_manifest_write_synced() - the same, and it is on the disk at the return */
int kmt_manifest_write_synced(const struct kmt_manifest *manifest, int dirfd, struct kmt_err *err);

/**
 * kmt_manifest_parse() - the other way
 * @name: how messages call it
 * @manifest: initialised; unchanged on failure
 *
 * Every number is checked against its range.
 *
 * Return: 0; -EBADMSG; -EPROTONOSUPPORT for a format version or an incompat feature that this
 * reader doesn't know, by name; -ENOMEM.
 */
int kmt_manifest_parse(struct kmt_manifest *manifest, const char *json, size_t bytes,
		       const char *name, struct kmt_err *err);

#endif
