// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cpu-stats.h"
#include "note.h"
#include "pairs.h"
#include "session.h"
#include "uevents.h"

#define KALLSYMS      "/proc/kallsyms"
#define SECOND_NS     UINT64_C(1000000000)
#define TICK_NS	      SECOND_NS	      /* what a power cut may cost; the pace of the status line */
#define CHILD_WAIT_NS (5 * SECOND_NS) /* for the command to end on a signal */

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

static uint64_t trace_now_ns(const struct kmt_session *session)
{
	return kmt_trace_clock_now(&session->clock);
}

/* The first failure ends the recording in order; later ones only follow from it. */
static void note_result(struct kmt_session *session, int r, const struct kmt_err *err)
{
	if (r >= 0 || session->result < 0)
		return;
	session->result = r;
	session->err = *err;
	if (session->end == KMT_RECORD_END_NONE)
		session->end = KMT_RECORD_END_FAILURE;
}

static uint64_t file_bytes(const struct kmt_session *session)
{
	return session->shared.file_bytes + kmt_chunk_writer_file_bytes(session->snapshots.writer);
}

static void end_as(struct kmt_session *session, enum kmt_record_end end)
{
	if (session->end == KMT_RECORD_END_NONE)
		session->end = end;
}

/* A ring has written more than it keeps. */
static uint64_t disk_bytes(struct kmt_session *session)
{
	return file_bytes(session) - session->shared.removed_bytes;
}

static bool is_limited(const struct kmt_session *session)
{
	return session->options->max_bytes && !session->options->is_ring;
}

static void check_size(struct kmt_session *session)
{
	uint64_t bytes = disk_bytes(session);

	if (is_limited(session) && bytes >= session->options->max_bytes)
		end_as(session, KMT_RECORD_END_SIZE);
	else if (bytes >= session->shared.end_bytes)
		end_as(session, KMT_RECORD_END_RESERVE);
}

/* Counted from here until the next look: others may write to the disk, too. */
static void look_at_disk(struct kmt_session *session)
{
	uint64_t max_bytes = session->options->max_bytes, end, stop;

	kmt_room_limits(&session->room, disk_bytes(session), &end, &stop);
	if (is_limited(session) && max_bytes < end)
		end = max_bytes;
	atomic_store(&session->shared.end_bytes, end);
	atomic_store(&session->shared.stop_bytes, stop);
}

static void join_drain(struct kmt_session *session, struct kmt_drain *drain)
{
	struct kmt_err err;
	int r = kmt_drain_join(drain, &err);

	note_result(session, r, &err);
	if (r == KMT_DRAIN_FULL)
		end_as(session, KMT_RECORD_END_RESERVE);
	session->is_cut |= r != 0;
}

static void check_drains(struct kmt_session *session)
{
	for (size_t i = 0; i < session->nr_drains; i++)
		if (kmt_drain_has_failed(session->drains[i]))
			join_drain(session, session->drains[i]);
}

/* What fails there may be what was written long ago. */
static void check_syncer(struct kmt_session *session)
{
	struct kmt_err err;

	if (!kmt_syncer_has_failed(session->syncer) || session->is_torn)
		return;
	session->is_torn = true;
	note_result(session, kmt_syncer_stop(session->syncer, &err), &err);
}

static void look_at_modules(struct kmt_session *session)
{
	struct kmt_err err;

	note_result(session, kmt_module_log_look(session->modules, trace_now_ns(session), &err),
		    &err);
}

/* What can wait goes on in small parts, while nothing else happens. */
static void go_on_with_modules(struct kmt_session *session)
{
	struct kmt_err err;

	note_result(session, kmt_module_log_go_on(session->modules, &err), &err);
}

static bool has_drain(const struct kmt_session *session, uint32_t cpu)
{
	for (size_t i = 0; i < session->nr_drains; i++)
		if (kmt_drain_cpu(session->drains[i]) == cpu)
			return true;
	return false;
}

/* A CPU that went offline keeps its drain, which goes on elsewhere and writes idle marks. */
static void look_at_cpus(struct kmt_session *session)
{
	struct kmt_cpu_list online;
	struct kmt_err err;
	bool is_new = false;

	if (kmt_cpu_list_online(&online) < 0)
		return;
	for (size_t i = 0; i < session->nr_drains; i++) {
		uint32_t cpu = kmt_drain_cpu(session->drains[i]);

		if (kmt_cpu_list_has(&session->online, cpu) && !kmt_cpu_list_has(&online, cpu))
			kmt_note(session->listener, "cpu %u went offline", cpu);
		if (!kmt_cpu_list_has(&session->online, cpu) && kmt_cpu_list_has(&online, cpu)) {
			kmt_note(session->listener, "cpu %u is back online", cpu);
			kmt_drain_pin(session->drains[i]);
		}
	}
	for (uint32_t cpu = 0; cpu < KMT_CPUS_MAX; cpu++)
		if (kmt_cpu_list_has(&online, cpu) && !has_drain(session, cpu)) {
			kmt_note(session->listener, "cpu %u came online", cpu);
			note_result(session, kmt_session_add_cpu(session, cpu, &err), &err);
			is_new = true;
		}
	session->online = online;
	if (is_new)
		note_result(session, kmt_session_write_manifest(session, &err), &err);
}

static void look_at_changes(struct kmt_session *session, unsigned int bits)
{
	if (bits & KMT_UEVENT_MODULE)
		look_at_modules(session);
	if (bits & KMT_UEVENT_CPU)
		look_at_cpus(session);
}

static void look_at_janitor(struct kmt_session *session)
{
	if (kmt_janitor_has_died(&session->janitor))
		kmt_note(
			session->listener,
			"the janitor was killed: if the recorder is, too, its events stay on until "
			"the next record");
}

static void handle_signals(struct kmt_session *session)
{
	unsigned int bits = kmt_signals_read(&session->signals);

	if (bits & KMT_SIGNALS_CHILD) {
		kmt_child_reap(&session->child);
		look_at_janitor(session);
	}
	if (session->child.has_ended && session->end == KMT_RECORD_END_NONE)
		session->end = KMT_RECORD_END_COMMAND;
	if (bits & KMT_SIGNALS_STOP) {
		session->nr_stops++;
		if (bits & KMT_SIGNALS_INTERRUPT)
			session->was_interrupted = true;
		if (session->end == KMT_RECORD_END_NONE)
			session->end = KMT_RECORD_END_SIGNAL;
	}
}

/* Wait until something happens or the time has come, and see to what happened. */
static void wait_until(struct kmt_session *session, uint64_t deadline_ns)
{
	uint64_t now = now_ns(), left_ns = deadline_ns > now ? deadline_ns - now : 0, n;
	struct timespec timeout = {
		.tv_sec = (time_t)(left_ns / SECOND_NS),
		.tv_nsec = (long)(left_ns % SECOND_NS),
	};
	static const struct timespec at_once = { 0 };
	struct pollfd fds[] = {
		{ .fd = session->signals.fd, .events = POLLIN },
		{ .fd = session->shared.wake_fd, .events = POLLIN },
		{ .fd = session->uevent_fd, .events = POLLIN }, /* -1 is passed over */
	};

	bool is_busy = kmt_module_log_is_busy(session->modules);
	int nr;

	nr = ppoll(fds, 3, is_busy ? &at_once : &timeout, NULL);
	if (nr == 0 && is_busy)
		go_on_with_modules(session);
	if (kmt_module_log_has_news(session->modules))
		look_at_modules(session);
	if (nr <= 0)
		return;
	if (fds[0].revents)
		handle_signals(session);
	if (fds[1].revents) {
		(void)!read(session->shared.wake_fd, &n, sizeof(n));
		check_drains(session);
		check_syncer(session);
		check_size(session);
	}
	if (fds[2].revents)
		look_at_changes(session, kmt_uevents_read(session->uevent_fd));
}

static void update_status(struct kmt_session *session)
{
	struct kmt_record_status *status = &session->summary->status;
	uint64_t events = 0, lost = 0, raw = 0, fullest = 0;

	for (size_t i = 0; i < session->nr_drains; i++) {
		struct kmt_cpu_stats stats;
		uint64_t waiting;

		raw += kmt_chunk_writer_raw_bytes(kmt_drain_writer(session->drains[i]));
		if (kmt_cpu_stats_read(session->instance->fd, kmt_drain_cpu(session->drains[i]),
				       &stats, &waiting) < 0)
			continue;
		if (!kmt_cpu_counts_follow(&session->counts[i], &stats))
			session->was_cleared = true;
		stats = session->counts[i].total;
		events += stats.read;
		lost += stats.overrun + stats.commit_overrun + stats.dropped;
		if (waiting > fullest)
			fullest = waiting;
	}
	status->elapsed_ns = trace_now_ns(session) - session->manifest.allocs_on_ns;
	status->events = events;
	status->lost = lost;
	status->raw_bytes = raw;
	status->file_bytes = file_bytes(session);
	if (session->instance->buffer_bytes)
		status->fill_percent =
			(unsigned int)(fullest * 100 / session->instance->buffer_bytes);
}

/* Should we be killed before it is over, it lasts to the end. */
static void write_disturbance(struct kmt_session *session, bool is_over)
{
	struct kmt_manifest *manifest = &session->manifest;
	struct kmt_disturbance *last = &manifest->disturbances[manifest->nr_disturbances - 1];
	uint64_t to_ns = last->to_ns;
	struct kmt_err err;

	if (!is_over)
		last->to_ns = KMT_DISTURBANCE_LASTS;
	note_result(session, kmt_session_write_manifest(session, &err), &err);
	last->to_ns = to_ns;
}

/* What all times are of can't be changed under way. */
static void fail_if_clock(struct kmt_session *session, const char *what)
{
	struct kmt_err err;

	if (strcmp(what, "trace_clock") == 0)
		note_result(session,
			    kmt_fail(&err, -EPROTO, "trace_clock: somebody else changed it"), &err);
}

static void note_disturbance(struct kmt_session *session, const char *what, uint64_t now)
{
	bool is_new = strcmp(what, session->disturbed) != 0;

	kmt_manifest_note_disturbance(&session->manifest, session->looked_ns, now, what);
	if (!is_new)
		return;
	(void)snprintf(session->disturbed, sizeof(session->disturbed), "%s", what);
	kmt_note(session->listener,
		 "somebody else touched %s%s: events may be missing, which the report will heed",
		 what, *what == '/' ? "" : " in our tracefs instance");
	write_disturbance(session, false);
	fail_if_clock(session, what);
}

/* Are we still recording what we think we are? Nothing is put right: somebody meant it. */
static void look_at_instance(struct kmt_session *session)
{
	const char *what =
		session->stays_disturbed ? session->disturbed : kmt_sentry_look(session->sentry);
	uint64_t now = trace_now_ns(session);

	if (!what && session->was_cleared)
		what = "trace";
	session->was_cleared = false;
	if (what) {
		note_disturbance(session, what, now);
	} else if (*session->disturbed) {
		*session->disturbed = '\0';
		write_disturbance(session, true);
	}
	session->looked_ns = now;
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

static void tick(struct kmt_session *session)
{
	look_at_disk(session);
	check_size(session);
	if (session->uevent_fd < 0)
		look_at_changes(session, KMT_UEVENT_MODULE | KMT_UEVENT_CPU);
	update_status(session);
	look_at_instance(session);
	if (session->listener->status)
		session->listener->status(session->listener->context, &session->summary->status);
}

static void take_snapshot(struct kmt_session *session, const char *why)
{
	struct kmt_err err;

	note_result(session,
		    kmt_snapshot_log_add(&session->snapshots, trace_now_ns(session), why, &err),
		    &err);
}

static int switch_events(struct kmt_session *session, enum kmt_event_role role, bool is_on,
			 struct kmt_err *err)
{
	return kmt_event_set_switch(&session->events, session->instance->fd, role, is_on, err);
}

/* Frees first: an allocation whose free is not seen would look like a leak. */
static int switch_on(struct kmt_session *session, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &session->manifest;
	int r;

	kmt_sentry_expect_on(session->sentry);
	r = kmt_tracefs_write(session->instance->fd, "tracing_on", "1");
	if (r < 0)
		return kmt_tracefs_fail(err, r, "tracing_on");
	r = switch_events(session, KMT_ROLE_FREE, true, err);
	if (r < 0)
		return r;
	manifest->start_ns = trace_now_ns(session);
	r = switch_events(session, KMT_ROLE_NAMES, true, err);
	if (r < 0)
		return r;
	r = kmt_comm_log_look(session->comms, err); /* now, so that no new name falls in between */
	if (r < 0)
		return r;
	r = kmt_snapshot_log_add(&session->snapshots, trace_now_ns(session), "start", err);
	if (r < 0)
		return r;
	r = switch_events(session, KMT_ROLE_ALLOC, true, err);
	if (r < 0)
		return r;
	manifest->allocs_on_ns = trace_now_ns(session);
	session->looked_ns = manifest->start_ns;
	kmt_sentry_forget(session->sentry);
	if (session->child.pid) {
		r = kmt_child_run(&session->child, session->options->command[0], err);
		if (r < 0)
			return r;
	}
	/* Should we be killed, the tape must tell when allocations began. */
	return kmt_session_write_manifest(session, err);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void record_until_end(struct kmt_session *session)
{
	const struct kmt_record_options *options = session->options;
	uint64_t start = now_ns(), next_tick = start + TICK_NS;
	uint64_t end = options->duration_ns ? start + options->duration_ns : UINT64_MAX;
	uint64_t next_snapshot = options->snapshot_ns ? start + options->snapshot_ns : UINT64_MAX;

	look_at_disk(session);
	kmt_budget_start(&session->shared.budget);
	session->summary->cpu_ns = cpu_ns();
	while (session->end == KMT_RECORD_END_NONE) {
		uint64_t now;

		wait_until(session, earliest(earliest(next_tick, next_snapshot), end));
		now = now_ns();
		if (now >= end && session->end == KMT_RECORD_END_NONE)
			session->end = KMT_RECORD_END_DURATION;
		if (now >= next_tick) {
			tick(session);
			next_tick = now + TICK_NS;
		}
		if (now >= next_snapshot && session->end == KMT_RECORD_END_NONE) {
			take_snapshot(session, "interval");
			next_snapshot = now + options->snapshot_ns;
		}
	}
}

/* What was in flight when allocations went off is seen freed. A signal, or a failure, ends it. */
static void settle(struct kmt_session *session)
{
	uint64_t end = now_ns() + session->options->settle_ns, next_tick = now_ns() + TICK_NS;
	unsigned int nr_stops = session->nr_stops;

	session->summary->status.is_settling = true;
	while (now_ns() < end && session->nr_stops == nr_stops && session->result == 0 &&
	       !session->is_cut) {
		wait_until(session, earliest(next_tick, end));
		if (now_ns() >= next_tick) {
			tick(session);
			next_tick = now_ns() + TICK_NS;
		}
	}
	session->summary->status.is_settling = false;
}

/* Times are those of the trace clock, whatever became of the others. */
static void keep_clocks(struct kmt_session *session)
{
	session->manifest.wall_offset_end_ns = kmt_trace_clock_wall_offset(&session->clock);
	session->manifest.suspended_ns = kmt_trace_clock_suspended_between(
		session->suspended_ns, kmt_trace_clock_suspended_ns());
}

static void switch_off(struct kmt_session *session)
{
	struct kmt_err err;
	int r;

	look_at_instance(session);
	session->manifest.allocs_off_ns = trace_now_ns(session);
	r = switch_events(session, KMT_ROLE_ALLOC, false, &err);
	note_result(session, r, &err);
	kmt_conditions_drop_stacks(session->instance->fd, &session->events);
	/* What was changed before can't be told from what we have changed now: it lasts to the end.
	 */
	session->stays_disturbed = *session->disturbed;
	kmt_sentry_remember(session->sentry);
	take_snapshot(session, "end");
	settle(session);
	look_at_instance(session);

	session->manifest.end_ns = trace_now_ns(session); /* frees are complete up to here */
	keep_clocks(session);
	r = switch_events(session, KMT_ROLE_FREE, false, &err);
	note_result(session, r, &err);
	r = switch_events(session, KMT_ROLE_NAMES, false, &err);
	note_result(session, r, &err);
}

static void stop_drains(struct kmt_session *session)
{
	/* What the buffers still hold is read. */
	kmt_budget_stop(&session->shared.budget);
	session->summary->cpu_ns = cpu_ns() - session->summary->cpu_ns;
	session->summary->was_cpu_spent = session->shared.budget.was_spent;
	kmt_drain_shared_stop(&session->shared);
	for (size_t i = 0; i < session->nr_drains; i++)
		join_drain(session, session->drains[i]);
}

/* Wait for the command's end, but not for long, and not after another signal. */
static void wait_for_command(struct kmt_session *session)
{
	uint64_t end = now_ns() + CHILD_WAIT_NS;
	unsigned int nr_stops = session->nr_stops;

	while (!session->child.has_ended && now_ns() < end && session->nr_stops == nr_stops)
		wait_until(session, end);
}

static void stop_command(struct kmt_session *session)
{
	struct kmt_child *child = &session->child;

	kmt_child_reap(child);
	if (!child->pid)
		return;
	if (session->was_interrupted)
		wait_for_command(session); /* it got the same Ctrl-C */
	if (!child->has_ended) {
		(void)kill(child->pid, SIGTERM);
		session->summary->was_command_stopped = true;
		wait_for_command(session);
	}
	if (!child->has_ended)
		kmt_note(session->listener,
			 "the command (pid %d) didn't end on SIGTERM, and goes on", child->pid);
	session->manifest.has_command_status = child->has_ended;
	session->manifest.command_status = child->status;
	session->summary->has_command_status = child->has_ended;
	session->summary->command_status = child->status;
}

/* Calls that the probes missed are events that are not on the tape. */
static void keep_probe_stats(struct kmt_session *session)
{
	struct kmt_err err;
	uint64_t missed;
	int r = kmt_probes_count(session->probes, &session->manifest, &missed, &err);

	if (r < 0)
		kmt_note(session->listener, "how many calls the probes missed is not known: %s",
			 err.text);
	if (missed)
		kmt_note(session->listener,
			 "%llu calls were missed by the probes (in an interrupt of another one, or "
			 "too many at once)",
			 (unsigned long long)missed);
}

static void keep_stats(struct kmt_session *session)
{
	for (size_t i = 0; i < session->nr_drains; i++) {
		struct kmt_cpu_stats stats;

		if (kmt_cpu_stats_read(session->instance->fd, kmt_drain_cpu(session->drains[i]),
				       &stats, NULL) < 0)
			continue;
		(void)kmt_cpu_counts_follow(&session->counts[i], &stats);
		(void)kmt_manifest_add_stats(&session->manifest, &session->counts[i].total);
	}
	keep_probe_stats(session);
	update_status(session);
	session->summary->status.elapsed_ns =
		session->manifest.end_ns - session->manifest.allocs_on_ns;
	session->summary->settle_ns = session->manifest.end_ns - session->manifest.allocs_off_ns;
}

static void finish_files(struct kmt_session *session)
{
	struct kmt_err err;
	int r;

	for (size_t i = 0; i < session->nr_drains; i++) {
		r = kmt_drain_finish(session->drains[i], &err);
		note_result(session, r, &err);
		if (r < 0)
			session->is_torn = true;
	}
	r = kmt_chunk_writer_finish(session->snapshots.writer, 0, &err);
	note_result(session, r, &err);
	note_result(session, kmt_comm_log_look(session->comms, &err), &err);
	r = kmt_syncer_stop(session->syncer, &err);
	note_result(session, r, &err);
	if (r < 0)
		session->is_torn = true;
	session->summary->status.file_bytes = file_bytes(session);
}

/*
 * A drain that failed left its CPU's buffer to itself. What the others read since then has frees
 * missing, and would look leaked: the tape ends for all of them where the first of them ended.
 */
static void note_end(struct kmt_session *session)
{
	struct kmt_manifest *manifest = &session->manifest;
	char size[KMT_UNITS_BYTES];

	if (session->result < 0)
		(void)kmt_escape(manifest->ended_why, sizeof(manifest->ended_why),
				 session->err.text);
	else if (session->end == KMT_RECORD_END_RESERVE)
		(void)snprintf(manifest->ended_why, sizeof(manifest->ended_why),
			       "the disk was nearly full: --reserve keeps %s free",
			       kmt_format_size(size, session->room.reserve_bytes));
	manifest->ended_ns = 0;
	for (size_t i = 0; i < session->nr_drains; i++) {
		uint64_t ns = kmt_drain_written_ns(session->drains[i]);

		if (!kmt_drain_has_failed(session->drains[i]))
			continue;
		if (ns < manifest->allocs_on_ns)
			ns = manifest->allocs_on_ns;
		if (!manifest->ended_ns || ns < manifest->ended_ns)
			manifest->ended_ns = ns;
	}
}

static void note_dropped(struct kmt_session *session)
{
	struct kmt_manifest *manifest = &session->manifest;

	if (!session->ring)
		return;
	manifest->dropped_ns = kmt_ring_dropped_ns(session->ring);
	if (manifest->dropped_ns > manifest->allocs_on_ns)
		session->summary->dropped_ns = manifest->dropped_ns - manifest->allocs_on_ns;
}

static void finish_manifest(struct kmt_session *session, bool is_closed)
{
	struct kmt_err err;

	session->manifest.is_closed = is_closed;
	note_result(session, kmt_session_write_manifest(session, &err), &err);
}

/* The condition was on the addresses that its code had when the recording began. */
static void look_where_module_is(const struct kmt_session *session)
{
	const char *module = session->options->filter.module;

	if (module && kmt_module_range_has_moved(KALLSYMS, module, &session->module))
		kmt_note(session->listener,
			 "module %s was loaded again elsewhere: what it allocated from then on is "
			 "not on the tape",
			 module);
}

static void finish(struct kmt_session *session)
{
	stop_drains(session);
	keep_stats(session);
	stop_command(session);
	look_at_modules(session);
	look_where_module_is(session);
	while (kmt_module_log_is_unsure(session->modules))
		go_on_with_modules(session);
	kmt_new_tape_use_reserve(&session->tape);
	note_end(session);
	if (session->result < 0)
		finish_manifest(session, false); /* the disk may be full: worth more than data */
	finish_files(session);
	note_end(session); /* chunks that had failed may be there now */
	note_dropped(session);
	finish_manifest(session, !session->is_torn);
}

static int run(struct kmt_session *session, struct kmt_err *err)
{
	int r;

	r = switch_on(session, err);
	if (r < 0)
		return r;
	session->tape.is_kept = true;
	session->summary->has_tape = true;
	kmt_session_keep_privileges(session);
	record_until_end(session);
	switch_off(session);
	finish(session);
	session->summary->end = session->end;
	if (session->result < 0)
		return kmt_fail(err, session->result, "%s", session->err.text);
	if (*session->manifest.ended_why)
		kmt_note(session->listener, "%s", session->manifest.ended_why);
	return 0;
}

void kmt_record_options_init(struct kmt_record_options *options)
{
	*options = (struct kmt_record_options){
		.sets = KMT_RECORD_SLAB,
		.sample = 1,
		.settle_ns = KMT_RECORD_SETTLE_NS,
		.snapshot_ns = KMT_RECORD_SNAPSHOT_NS,
		.reserve_bytes = KMT_RECORD_RESERVE,
	};
}

int kmt_record_check_pair(const char *text, struct kmt_err *err)
{
	unsigned int alloc_arg, free_arg;
	struct kmt_pair pair;

	return kmt_pair_parse(text, &pair, &alloc_arg, &free_arg, err);
}

int kmt_record_run(const struct kmt_record_options *options, struct kmt_record_summary *summary,
		   struct kmt_err *err)
{
	struct kmt_session session;
	int r;

	*summary = (struct kmt_record_summary){ .end = KMT_RECORD_END_NONE };
	r = kmt_session_prepare(&session, options, summary, err);
	if (r == 0)
		r = run(&session, err);
	kmt_session_release(&session);
	return r;
}
