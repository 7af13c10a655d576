// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "build-id.h"
#include "cpu-stats.h"
#include "filter-choice.h"
#include "free-probes.h"
#include "kallsyms.h"
#include "kmemtape/fs.h"
#include "note.h"
#include "pairs.h"
#include "privileges.h"
#include "session.h"
#include "uevents.h"
#include "vmalloc-probes.h"

#define FDS_A_CPU    2
#define FDS_OTHER    (160 + 3 * KMT_EVENT_SET_MAX) /* of each event, the sentry has three */
#define SYNCED_OTHER 64 /* files and directories beside those of CPUs; most are of new modules */

static void copy_text(char dst[KMT_MANIFEST_TEXT_BYTES], const char *src)
{
	(void)kmt_escape(dst, KMT_MANIFEST_TEXT_BYTES, src);
}

static void describe_command(struct kmt_manifest *manifest, char *const *argv)
{
	char text[KMT_MANIFEST_TEXT_BYTES] = "";
	size_t used = 0;

	for (size_t i = 0; argv && argv[i] && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 argv[i]);
	copy_text(manifest->command, text);
}

static void describe_host(struct kmt_manifest *manifest)
{
	char version[KMT_MANIFEST_TEXT_BYTES];
	struct kmt_cpu_list possible;
	struct utsname host;

	copy_text(manifest->recorder, "kmemtape " KMT_VERSION);
	if (uname(&host) == 0) {
		copy_text(manifest->kernel, host.release);
		copy_text(manifest->arch, host.machine);
		copy_text(manifest->host, host.nodename);
	}
	if (kmt_tracefs_read(AT_FDCWD, "/proc/version", version, sizeof(version)) == 0) {
		version[strcspn(version, "\n")] = '\0';
		copy_text(manifest->kernel_version, version);
	}
	manifest->is_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	manifest->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	if (kmt_cpu_list_possible(&possible) == 0)
		manifest->nr_possible_cpus = (uint32_t)possible.nr;
}

static int describe_recording(struct kmt_session *session, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &session->manifest;

	describe_host(manifest);
	describe_command(manifest, session->options->command);
	manifest->long_bytes = session->instance->long_bytes;
	manifest->subbuf_bytes = session->instance->subbuf_bytes;
	copy_text(manifest->clock, session->clock.name);
	manifest->wall_offset_ns = kmt_trace_clock_wall_offset(&session->clock);
	session->suspended_ns = kmt_trace_clock_suspended_ns();
	for (size_t i = 0; i < session->events.nr; i++) {
		char name[KMT_MANIFEST_TEXT_BYTES];

		(void)snprintf(name, sizeof(name), "%s", session->events.tape_names[i]);
		*strchr(name, '/') = ':';
		if (kmt_manifest_add_event(manifest, name) < 0)
			return kmt_fail(err, -ENOMEM, "manifest: out of memory");
	}
	if (kmt_manifest_add_recorder_pid(manifest, getpid()) < 0 ||
	    (session->janitor.pid &&
	     kmt_manifest_add_recorder_pid(manifest, session->janitor.pid) < 0))
		return kmt_fail(err, -ENOMEM, "manifest: out of memory");
	return 0;
}

static int capture_symbols(struct kmt_session *session, struct kmt_err *err)
{
	static const struct kmt_module_sources sources = KMT_MODULE_SOURCES;
	struct kmt_kallsyms_waiter waiter = KMT_KALLSYMS_WAITER_NONE;
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	bool may_see = kmt_capabilities_get().effective & KMT_CAPABILITY(CAP_SYSLOG);
	int tape_fd = session->tape.fd, r;

	r = kmt_build_id_capture(tape_fd, err);
	if (r < 0)
		return r;
	r = kmt_kallsyms_capture(tape_fd, "symbols/kallsyms.zst", &waiter,
				 &session->manifest.symbols, &writer, err);
	if (r < 0)
		return r;
	if (session->manifest.symbols == KMT_SYMBOLS_HIDDEN)
		kmt_note(session->listener,
			 "/proc/kallsyms shows no addresses: call sites will have no names. %s",
			 may_see ? "'sysctl kernel.kptr_restrict=1' lets root see them"
				 : "It takes cap_syslog to see them");
	if (session->manifest.symbols == KMT_SYMBOLS_NONE)
		kmt_note(session->listener,
			 "this kernel has no /proc/kallsyms: call sites will have no names");
	r = kmt_module_log_new(tape_fd, &sources, waiter.position, writer, &session->modules, err);
	if (r < 0)
		return r;
	writer = NULL; /* taken */
	return kmt_module_log_look(session->modules, 0, err);
}

static int open_tape(struct kmt_session *session, struct kmt_err *err)
{
	struct kmt_err why;
	int r;

	r = kmt_new_tape_create(&session->tape, session->options->path, &why);
	if (r == -EACCES && session->has_user)
		return kmt_fail(err, r, "%s, as user %s; --user root records as root", why.text,
				session->user.name);
	if (r < 0)
		return kmt_fail(err, r, "%s", why.text);
	session->shared.tape_fd = session->tape.fd;
	session->shared.end_bytes = session->shared.stop_bytes = UINT64_MAX;
	return kmt_room_init(&session->room, session->tape.fd, session->options->reserve_bytes,
			     session->online.nr, err);
}

static int open_instance(struct kmt_session *session, struct kmt_err *err)
{
	int r;

	kmt_instance_remove_stale(session->tracefs.path, session->listener);
	kmt_probes_remove_stale(session->tracefs.path, session->listener);
	kmt_janitor_expect_instance(&session->janitor);
	r = kmt_instance_new(session->tracefs.path, session->options->buffer_bytes,
			     session->online.nr, session->listener, &session->instance, err);
	if (r < 0)
		return r;
	kmt_janitor_give_instance(&session->janitor);
	session->summary->buffer_bytes = session->instance->buffer_bytes;
	r = kmt_trace_clock_choose(session->instance->fd, &session->clock, err);
	if (r < 0)
		return r;
	session->shared.clock = &session->clock;
	session->shared.budget.percent = session->options->max_cpu_percent;
	session->shared.opened_ns = kmt_trace_clock_now(&session->clock);
	session->shared.instance_fd = session->instance->fd;
	session->shared.subbuf_bytes = session->instance->subbuf_bytes;
	session->shared.has_buffer_percent = session->instance->has_buffer_percent;
	session->shared.wake_subbufs = session->instance->wake_subbufs;
	return 0;
}

static void note_set(struct kmt_session *session, unsigned int set)
{
	char *sets = session->manifest.sets;
	size_t used = strlen(sets);

	(void)snprintf(sets + used, KMT_MANIFEST_TEXT_BYTES - used, "%s%s", used ? "," : "",
		       kmt_event_set_word(set));
}

/* A set that this kernel lacks is told; the others are recorded. */
static int choose_sets(struct kmt_session *session, struct kmt_err *err)
{
	static const unsigned int sets[] = { KMT_RECORD_SLAB, KMT_RECORD_PAGE, KMT_RECORD_PERCPU };
	int fd = session->instance->fd, r;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		if (!(session->options->sets & sets[i]))
			continue;
		r = kmt_event_set_add_set(&session->events, fd, sets[i], err);
		if (r < 0 && (r != -ENOTSUP || session->options->sets == sets[i]))
			return r;
		if (r < 0)
			kmt_note(session->listener, "%s", err->text);
		else
			note_set(session, sets[i]);
	}
	return kmt_event_set_add_names(&session->events, fd, err);
}

/* Once there are the probes. Without events, vmallocinfo in the snapshots still tells something. */
static int choose_vmalloc(struct kmt_session *session, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &session->manifest;
	int r;

	if (session->options->sets & KMT_RECORD_VMALLOC && *manifest->vmalloc) {
		note_set(session, KMT_RECORD_VMALLOC); /* by probes */
	} else if (session->options->sets & KMT_RECORD_VMALLOC) {
		r = kmt_event_set_add_set(&session->events, session->instance->fd,
					  KMT_RECORD_VMALLOC, err);
		if (r < 0 && (r != -ENOTSUP || !*manifest->sets))
			return r;
		if (r == 0)
			(void)snprintf(manifest->vmalloc, sizeof(manifest->vmalloc), "events");
		else
			kmt_note(session->listener,
				 "this kernel has no events of vmalloc: only the copies of "
				 "/proc/vmallocinfo tell of it");
		note_set(session, KMT_RECORD_VMALLOC);
	}
	if (!*manifest->sets)
		return kmt_fail(err, -ENOTSUP, "this kernel has the events of none of these sets");
	return 0;
}

static int set_conditions(struct kmt_session *session, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_privileges_lower) uint64_t raised = kmt_privileges_raise();
	struct kmt_filter_choice choice;
	const struct kmt_conditions conditions = {
		.instance_fd = session->instance->fd,
		.sample = session->options->sample,
		.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE),
		.stacks = session->options->stacks,
		.filter = &choice.filter,
	};
	int r;

	r = kmt_filter_choose(&session->options->filter, session->instance->fd, session->listener,
			      &choice, err);
	if (r < 0)
		return r;
	if (choice.filter.module)
		session->module = choice.module;
	return kmt_conditions_set(&conditions, &session->events, &session->manifest,
				  session->listener, err);
}

static bool has_set(const struct kmt_session *session, unsigned int set)
{
	return strstr(session->manifest.sets, kmt_event_set_word(set));
}

/* Rather than by its events, which don't tell the caller. */
static void add_vmalloc_probes(struct kmt_session *session)
{
	char why[KMT_MANIFEST_TEXT_BYTES];

	if (kmt_vmalloc_probes_add(session->probes, why) == 0)
		copy_text(session->manifest.vmalloc, "probes");
}

static int open_probes(struct kmt_session *session, struct kmt_err *err)
{
	const struct kmt_record_options *options = session->options;
	int r;

	r = kmt_probes_new(session->tracefs.path, session->instance->fd,
			   session->instance->long_bytes, &session->probes, err);
	if (r < 0)
		return r;
	r = 0;
	if (has_set(session, KMT_RECORD_SLAB))
		r = kmt_free_probes_add(session->probes, !options->has_no_probes,
					session->manifest.free_probes);
	if (r == KMT_PROBES_LACKING)
		kmt_note(session->listener, "not everything that frees can be probed: %s",
			 session->manifest.free_probes);
	if (options->sets & KMT_RECORD_VMALLOC && !options->has_no_probes)
		add_vmalloc_probes(session);
	r = kmt_pairs_add(session->probes, options->pairs, options->nr_pairs, &session->manifest,
			  err);
	if (r < 0)
		return r;
	kmt_probes_seal(session->probes);
	kmt_probes_add_to(session->probes, &session->events);
	return 0;
}

static bool has_probes(const struct kmt_session *session)
{
	for (size_t i = 0; i < session->events.nr; i++)
		if (strncmp(session->events.tape_names[i], "kmemtape/", strlen("kmemtape/")) == 0)
			return true;
	return false;
}

static void raise_fd_limit(size_t nr_cpus)
{
	rlim_t wanted = nr_cpus * FDS_A_CPU + FDS_OTHER;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* if that isn't enough, an open will say so */
}

/* So that the thread of a CPU that comes later is as fast, without a privilege. */
static void allow_realtime(void)
{
	uint64_t raised = kmt_capabilities_raise(KMT_CAPABILITY(CAP_SYS_RESOURCE));
	const struct rlimit limit = { 1, 1 };

	(void)setrlimit(RLIMIT_RTPRIO, &limit);
	kmt_capabilities_lower(raised);
}

static const char *priority_text(enum kmt_drain_priority priority)
{
	switch (priority) {
	case KMT_PRIORITY_FIFO:
		return "SCHED_FIFO 1";
	case KMT_PRIORITY_NICE:
		return "nice -20";
	default:
		return "normal priority";
	}
}

static void note_priority(struct kmt_session *session)
{
	enum kmt_drain_priority lowest = KMT_PRIORITY_FIFO;

	for (size_t i = 0; i < session->nr_drains; i++)
		if (kmt_drain_priority(session->drains[i]) < lowest)
			lowest = kmt_drain_priority(session->drains[i]);
	(void)snprintf(session->summary->priority, sizeof(session->summary->priority), "%s",
		       priority_text(lowest));
	if (lowest != KMT_PRIORITY_FIFO)
		kmt_note(session->listener,
			 "SCHED_FIFO is not permitted: reading with %s, which may lose events on a "
			 "busy machine",
			 priority_text(lowest));
}

int kmt_session_add_cpu(struct kmt_session *session, uint32_t cpu, struct kmt_err *err)
{
	struct kmt_cpu_stats stats;
	struct kmt_drain *drain;
	int r;

	if (session->nr_drains == session->max_drains)
		return kmt_fail(err, -ENOMEM, "cpu %u: more CPUs than were possible at the start",
				cpu);
	r = kmt_cpu_stats_read(session->instance->fd, cpu, &stats, NULL);
	if (r < 0)
		return kmt_fail(err, r, "per_cpu/cpu%u/stats: %s", cpu, strerror(-r));
	kmt_cpu_counts_init(&session->counts[session->nr_drains], &stats);
	r = kmt_drain_new(&session->shared, cpu, &drain, err);
	if (r < 0)
		return r;
	session->drains[session->nr_drains++] = drain;
	kmt_sentry_add_cpu(session->sentry, cpu);
	kmt_syncer_add(session->syncer, kmt_chunk_writer_fd(kmt_drain_writer(drain)),
		       kmt_chunk_writer_path(kmt_drain_writer(drain)));
	if (kmt_manifest_add_cpu(&session->manifest, cpu) < 0)
		return kmt_fail(err, -ENOMEM, "manifest: out of memory");
	r = kmt_drain_start(drain, err);
	if (r < 0)
		return r;
	if (kmt_manifest_add_recorder_pid(&session->manifest, kmt_drain_tid(drain)) < 0)
		return kmt_fail(err, -ENOMEM, "manifest: out of memory");
	session->summary->nr_cpus = session->nr_drains;
	return 0;
}

static int open_ring(struct kmt_session *session, struct kmt_err *err)
{
	uint64_t max_bytes = session->options->max_bytes;
	int r;

	if (!session->options->is_ring)
		return 0;
	r = kmt_ring_new(session->tape.fd, max_bytes, session->max_drains, &session->ring, err);
	if (r < 0)
		return r;
	session->shared.ring = session->ring;
	session->manifest.ring_bytes = max_bytes;
	kmt_snapshot_log_set_ring(&session->snapshots, session->tape.fd,
				  kmt_ring_snapshot_bytes(max_bytes), session->syncer);
	return 0;
}

/* With all that is there but what CPUs have. */
static int open_syncer(struct kmt_session *session, struct kmt_err *err)
{
	int tape_fd = session->tape.fd, r;
	pid_t tid;

	session->cpu_fd = openat(tape_fd, "cpu", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	session->symbols_fd = openat(tape_fd, "symbols", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (session->cpu_fd < 0 || session->symbols_fd < 0)
		return kmt_fail(err, -errno, "%s: %s", session->options->path, strerror(errno));
	r = kmt_syncer_new(session->max_drains + SYNCED_OTHER, session->shared.wake_fd,
			   &session->syncer, err);
	if (r < 0)
		return r;
	session->shared.syncer = session->syncer;
	kmt_syncer_add(session->syncer, session->cpu_fd, "cpu");
	kmt_syncer_add(session->syncer, session->symbols_fd, "symbols");
	kmt_syncer_add(session->syncer, kmt_comm_log_fd(session->comms), "comms");
	kmt_syncer_add(session->syncer, kmt_chunk_writer_fd(session->snapshots.writer),
		       "snapshots.zst");
	kmt_module_log_set_syncer(session->modules, session->syncer);
	r = kmt_syncer_start(session->syncer, &tid, err);
	if (r < 0)
		return r;
	if (kmt_manifest_add_recorder_pid(&session->manifest, tid) < 0)
		return kmt_fail(err, -ENOMEM, "manifest: out of memory");
	return 0;
}

static int open_drains(struct kmt_session *session, struct kmt_err *err)
{
	long possible = sysconf(_SC_NPROCESSORS_CONF);
	int r;

	session->max_drains =
		possible > (long)session->online.nr ? (size_t)possible : session->online.nr;
	session->drains = calloc(session->max_drains, sizeof(session->drains[0]));
	session->counts = calloc(session->max_drains, sizeof(session->counts[0]));
	if (!session->drains || !session->counts)
		return kmt_fail(err, -ENOMEM, "out of memory");
	raise_fd_limit(session->max_drains);
	allow_realtime();
	r = kmt_drain_shared_init(&session->shared, err);
	if (r < 0)
		return r;
	session->shared.nr_cpus = session->max_drains;
	r = open_syncer(session, err);
	if (r < 0)
		return r;
	r = open_ring(session, err);
	if (r < 0)
		return r;
	for (uint32_t cpu = 0; cpu < KMT_CPUS_MAX; cpu++) {
		if (!kmt_cpu_list_has(&session->online, cpu))
			continue;
		r = kmt_session_add_cpu(session, cpu, err);
		if (r < 0)
			return r;
	}
	note_priority(session);
	return 0;
}

/*
 * Where the kernel gives two megabytes to whom touches one byte, there would be no bound to what we
 * take. Not inherited by the command, which was forked before; the janitor may have it.
 */
static void refuse_huge_pages(struct kmt_session *session)
{
	int is_disabled = prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0);

	if (is_disabled == 0)
		session->has_refused_huge_pages = prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0;
}

/* Once everything is allocated and the threads have their stacks. */
static void lock_memory(struct kmt_session *session)
{
	struct rlimit no_limit = { RLIM_INFINITY, RLIM_INFINITY };
	uint64_t raised = kmt_capabilities_raise(KMT_CAPABILITY(CAP_SYS_RESOURCE));
	int flags = MCL_CURRENT | MCL_ONFAULT; /* what is never touched doesn't count */

	/* With a limit, a lock on the future would let later allocations fail (a CPU comes online).
	 */
	if (setrlimit(RLIMIT_MEMLOCK, &no_limit) == 0 ||
	    kmt_capabilities_get().effective & KMT_CAPABILITY(CAP_IPC_LOCK))
		flags |= MCL_FUTURE;
	kmt_capabilities_lower(raised);
	if (mlockall(flags) < 0)
		kmt_note(session->listener,
			 "memory can't be locked (%s): the recorder may stall when memory runs out",
			 strerror(errno));
}

static void open_uevents(struct kmt_session *session)
{
	struct kmt_err why;

	if (kmt_uevents_open(&session->uevent_fd, &why) < 0)
		kmt_note(session->listener,
			 "%s: modules and CPUs are looked at once a second instead", why.text);
}

static void start_janitor(struct kmt_session *session)
{
	struct kmt_err why;

	if (kmt_janitor_start(&session->janitor, &session->tracefs, &why) < 0)
		kmt_note(session->listener,
			 "no janitor (%s): if the recorder is killed, its events stay on until the "
			 "next record",
			 why.text);
}

static int capture_formats(struct kmt_session *session, struct kmt_err *err)
{
	session->padding = kmt_padding_new();
	if (!session->padding)
		return kmt_fail(err, -ENOMEM, "out of memory");
	session->shared.padding = session->padding;
	return kmt_event_set_capture(&session->events, session->instance->fd, session->tape.fd,
				     session->padding, err);
}

static int open_all(struct kmt_session *session, struct kmt_err *err)
{
	int r;

	r = kmt_tracefs_find(&session->tracefs, err);
	if (r < 0)
		return r;
	start_janitor(session);
	r = kmt_privileges_take(session->has_user ? &session->user : NULL, err);
	if (r < 0)
		return r;
	r = kmt_cpu_list_online(&session->online);
	if (r < 0)
		return kmt_fail(err, r, "/sys/devices/system/cpu/online: %s", strerror(-r));
	r = open_tape(session, err);
	if (r < 0)
		return r;
	r = open_instance(session, err);
	if (r < 0)
		return r;
	r = choose_sets(session, err);
	if (r < 0)
		return r;
	r = open_probes(session, err);
	if (r < 0)
		return r;
	r = choose_vmalloc(session, err);
	if (r < 0)
		return r;
	r = set_conditions(session, err);
	if (r < 0)
		return r;
	r = kmt_sentry_new(session->instance->fd, &session->events, has_probes(session),
			   &session->sentry, err);
	if (r < 0)
		return r;
	open_uevents(session); /* before the first look at modules, so that none is missed */
	r = describe_recording(session, err);
	if (r < 0)
		return r;
	r = capture_formats(session, err);
	if (r < 0)
		return r;
	r = capture_symbols(session, err);
	if (r < 0)
		return r;
	r = kmt_comm_log_new(session->tape.fd, &session->comms, err);
	if (r < 0)
		return r;
	r = kmt_snapshot_log_init(&session->snapshots, session->tape.fd, err);
	if (r < 0)
		return r;
	r = open_drains(session, err);
	if (r < 0)
		return r;
	lock_memory(session);
	return 0;
}

static int find_user(struct kmt_session *session, struct kmt_err *err)
{
	struct kmt_user *user = &session->user;
	const char *asked = session->options->user;
	char self[32];
	int r = 0;

	(void)snprintf(self, sizeof(self), "%u:%u", geteuid(), getegid());
	r = kmt_user_find(asked ? asked : self, user, err);
	if (r < 0)
		return r;
	session->has_user = user->uid != geteuid();
	(void)snprintf(session->summary->user, sizeof(session->summary->user), "%s", user->name);
	return 0;
}

static int fork_command(struct kmt_session *session, struct kmt_err *err)
{
	const struct kmt_record_options *options = session->options;
	bool is_users = session->has_user && options->is_users_command;

	if (!options->command)
		return 0;
	return kmt_child_fork(&session->child, options->command, &session->signals.old_mask,
			      is_users ? &session->user : NULL, err);
}

int kmt_session_prepare(struct kmt_session *session, const struct kmt_record_options *options,
			struct kmt_record_summary *summary, struct kmt_err *err)
{
	int r;

	*session = (struct kmt_session){
		.options = options,
		.listener = &options->listener,
		.summary = summary,
		.signals.fd = -1,
		.child = KMT_CHILD_NONE,
		.janitor = KMT_JANITOR_NONE,
		.tape = KMT_NEW_TAPE_NONE,
		.shared.stop_fd = -1,
		.shared.wake_fd = -1,
		.shared.budget = KMT_BUDGET_NONE,
		.cpu_fd = -1,
		.symbols_fd = -1,
		.uevent_fd = -1,
	};
	session->old_umask = umask(0077);
	(void)umask(session->old_umask); /* which the command gets */
	kmt_manifest_init(&session->manifest);
	r = kmt_signals_take(&session->signals, err);
	if (r < 0)
		return r;
	r = find_user(session, err);
	if (r < 0)
		return r;
	r = fork_command(session, err);
	if (r < 0)
		return r;
	refuse_huge_pages(session);
	(void)umask(0077); /* no less than what files are created with */
	r = open_all(session, err);
	if (r < 0)
		return r;
	r = kmt_manifest_write(&session->manifest, session->tape.fd, err);
	if (r < 0)
		return r;
	/* From here on, a power cut leaves a tape. */
	return kmt_sync_tree(options->path, err);
}

int kmt_session_write_manifest(const struct kmt_session *session, struct kmt_err *err)
{
	int r = kmt_manifest_write_synced(&session->manifest, session->tape.fd, err);

	/* The syncer would have noticed within a second. */
	return r == -ENOENT ? kmt_fail(err, r, "%s: " KMT_SYNCER_REMOVED, session->options->path)
			    : r;
}

static rlim_t limit_of(int resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) < 0 ? 0 : limit.rlim_cur;
}

/* Is it only for root what we still have to do with tracefs and the kernel's counters? */
static bool needs_access(const struct kmt_session *session)
{
	struct stat st;

	return geteuid() != 0 || fstat(session->instance->fd, &st) < 0 || st.st_uid != 0;
}

void kmt_session_keep_privileges(struct kmt_session *session)
{
	uint64_t needed = KMT_CAPABILITY(CAP_SYSLOG); /* addresses of modules to come */
	bool is_users = session->options->is_users_command || !session->has_user;

	if (needs_access(session))
		needed |= KMT_CAPABILITY(CAP_DAC_OVERRIDE);
	if (session->nr_drains < session->max_drains && limit_of(RLIMIT_RTPRIO) < 1)
		needed |= KMT_CAPABILITY(CAP_SYS_NICE); /* for CPUs to come */
	if (limit_of(RLIMIT_MEMLOCK) != RLIM_INFINITY)
		needed |= KMT_CAPABILITY(CAP_IPC_LOCK);
	if (session->child.pid && !is_users)
		needed |= KMT_CAPABILITY(CAP_KILL);
	if (session->tracefs.is_ours)
		needed |= KMT_CAPABILITY(CAP_SYS_ADMIN);
	kmt_privileges_keep(needed);
	(void)kmt_capabilities_text(session->summary->capabilities,
				    kmt_capabilities_get().permitted);
}

static void release_instance(struct kmt_session *session)
{
	if (!session->instance)
		return;
	kmt_conditions_drop_stacks(session->instance->fd, &session->events);
	if (kmt_instance_remove(session->instance) < 0)
		kmt_note(
			session->listener,
			"the tracefs instance kmemtape-%d, switched off, stays: somebody else uses "
			"it; the next record removes it",
			getpid());
	kmt_instance_free(session->instance);
}

static void release_probes(struct kmt_session *session)
{
	if (session->probes && kmt_probes_remove(session->probes) < 0)
		kmt_note(session->listener,
			 "probes kmemtape_%d stay in the kernel: somebody else uses them",
			 getpid());
	kmt_probes_free(session->probes);
}

void kmt_session_release(struct kmt_session *session)
{
	if (session->syncer)
		(void)kmt_syncer_stop(session->syncer, NULL); /* before files are closed */
	for (size_t i = 0; i < session->nr_drains; i++)
		kmt_drain_free(session->drains[i]);
	session->syncer = kmt_syncer_free(session->syncer); /* drains hand it their files */
	kmt_close_fd(&session->cpu_fd);
	kmt_close_fd(&session->symbols_fd);
	free(session->drains);
	free(session->counts);
	session->padding = kmt_padding_free(session->padding);
	session->sentry = kmt_sentry_free(session->sentry); /* holds files of the instance */
	session->ring = kmt_ring_free(session->ring);
	kmt_drain_shared_deinit(&session->shared);
	release_instance(session);
	release_probes(session);
	kmt_tracefs_release(&session->tracefs);
	kmt_janitor_dismiss(&session->janitor);
	kmt_close_fd(&session->uevent_fd);
	kmt_snapshot_log_deinit(&session->snapshots);
	kmt_comm_log_free(session->comms);
	kmt_module_log_free(session->modules);
	kmt_new_tape_release(&session->tape);
	kmt_manifest_deinit(&session->manifest);
	kmt_child_release(&session->child);
	(void)munlockall();
	if (session->has_refused_huge_pages)
		(void)prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	(void)umask(session->old_umask);
	kmt_signals_give_back(&session->signals);
}
