/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_SESSION_H
#define KMT_RECORD_SESSION_H

#include "child.h"
#include "comm-log.h"
#include "conditions.h"
#include "cpu-stats.h"
#include "cpu-list.h"
#include "drain.h"
#include "event-set.h"
#include "instance.h"
#include "janitor.h"
#include "kmemtape/manifest.h"
#include "kmemtape/record.h"
#include "module-log.h"
#include "module-range.h"
#include "new-tape.h"
#include "probes.h"
#include "room.h"
#include "sentry.h"
#include "signals.h"
#include "snapshot-log.h"
#include "syncer.h"
#include "trace-clock.h"
#include "tracefs-dir.h"
#include "user.h"

/* Everything that one recording owns. */
struct kmt_session {
	const struct kmt_record_options *options;
	const struct kmt_record_listener *listener;
	struct kmt_record_summary *summary;

	struct kmt_user user; /* whose tape it is */
	bool has_user;	      /* to become first */
	mode_t old_umask;
	bool has_refused_huge_pages;
	struct kmt_signals signals;
	struct kmt_child child;
	struct kmt_tracefs tracefs;
	struct kmt_janitor janitor;
	struct kmt_instance *instance;
	struct kmt_probes *probes;
	struct kmt_trace_clock clock;
	struct kmt_event_set events;
	struct kmt_padding *padding; /* of their records */
	struct kmt_module_range module; /* that allocations were asked of, if it was loaded */

	struct kmt_new_tape tape;
	struct kmt_room room; /* on its disk */
	struct kmt_manifest manifest;
	struct kmt_module_log *modules;
	struct kmt_comm_log *comms;
	struct kmt_snapshot_log snapshots;
	struct kmt_syncer *syncer;
	int cpu_fd, symbols_fd; /* directories of the tape */

	struct kmt_ring *ring; /* NULL: none */
	struct kmt_drain_shared shared;
	struct kmt_drain **drains; /* as many as CPUs are possible; the first nr_drains exist */
	struct kmt_cpu_counts *counts; /* one for each drain */
	size_t nr_drains, max_drains;
	struct kmt_sentry *sentry;
	uint64_t suspended_ns;	/* how long the machine was before, since its boot */
	uint64_t looked_ns;			/* at what it watches, or at the start */
	char disturbed[KMT_DISTURBANCE_BYTES];	/* what somebody else changed; "": all is as it was */
	bool stays_disturbed;			/* for the rest of the recording */
	bool was_cleared;			/* counters went back since then */
	struct kmt_cpu_list online; /* when last looked at */
	int uevent_fd;		    /* -1: look at each tick */

	unsigned int nr_stops; /* signals that asked for the end */
	bool was_interrupted;  /* one of them was Ctrl-C */
	enum kmt_record_end end;
	bool is_cut;  /* a drain ended early */
	bool is_torn; /* not all that the files tell to have is sure to be in them */
	int result;   /* the first failure */
	struct kmt_err err;
};

/**
 * kmt_session_prepare() - all that can be done before the first event: nothing is allocated later
 *
 * To be followed by kmt_session_release(), also after a failure.
 */
int kmt_session_prepare(struct kmt_session *session, const struct kmt_record_options *options,
			struct kmt_record_summary *summary, struct kmt_err *err);

/* kmt_session_add_cpu() - a drain for a CPU, and its start */
int kmt_session_add_cpu(struct kmt_session *session, uint32_t cpu, struct kmt_err *err);

/* kmt_session_write_manifest() - as it is now, synced; -ENOENT: somebody removed the tape */
int kmt_session_write_manifest(const struct kmt_session *session, struct kmt_err *err);

/* kmt_session_keep_privileges() - all is open: give up what isn't needed until the end */
void kmt_session_keep_privileges(struct kmt_session *session);

/* Release everything; puts tracefs back and drops the tape if it isn't kept. */
void kmt_session_release(struct kmt_session *session);

#endif
