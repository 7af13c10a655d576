// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "kmemtape/decoder.h"
#include "kmemtape/formats.h"
#include "kmemtape/replay.h"
#include "kmemtape/symbols.h"
#include "kmemtape/units.h"

#include "books.h"
#include "build-ids.h"
#include "conclusion.h"
#include "frames.h"
#include "kept-dossiers.h"
#include "limit.h"
#include "loss.h"
#include "probe-notes.h"
#include "origin.h"
#include "reconcile.h"
#include "source-lines.h"
#include "recorded.h"
#include "shards.h"
#include "texts.h"
#include "watch.h"
#include "watches.h"

#define NS_PER_S   UINT64_C(1000000000)
/* Each takes most of a MiB, and looks at whatever concerns all. */
#define SHARDS_MAX 32u

/* One replay, from open to result. */
struct replay {
	struct kmt_tape *tape;
	const struct kmt_replay_options *options;
	struct kmt_replay_options alone; /* the same without threads */
	struct kmt_formats *formats;
	struct kmt_names *names;
	struct kmt_stacks *stacks;
	struct kmt_frames *frames; /* of these, named; when the tape has been read */
	struct kmt_symbols *symbols;
	struct kmt_watch *watch;	   /* NULL: nothing is asked beyond the rows */
	const struct kmt_result *suspects; /* whose dossiers are to be made; NULL: nobody's */
	struct kmt_watches *watches;	   /* for these; NULL */
	bool is_distilling, is_checking;
	struct kmt_distilled distilled; /* what a distilled tape has, or is to have */
	size_t nr_tape_notes;		/* of the result's notes: on the tape as a whole */
	struct kmt_shards *shards;	/* NULL: no event comes */
	struct kmt_ledger *ledger;	/* when all are booked */
	struct kmt_feeds *feeds;
	struct kmt_reconciler *reconciler;
	struct kmt_limit limit; /* of a tape with events */
	uint64_t hash_seed;	/* secret: of all tables whose keys are from the tape */
	uint64_t sample_mask;	/* of slab objects */
	struct kmt_result *result;
};

static void deinit(struct replay *replay)
{
	(void)kmt_reconciler_free(replay->reconciler);
	(void)kmt_feeds_free(replay->feeds);
	(void)kmt_shards_free(replay->shards);
	(void)kmt_ledger_free(replay->ledger);
	(void)kmt_watch_free(replay->watch);
	(void)kmt_watches_free(replay->watches);
	(void)kmt_frames_free(replay->frames);
	(void)kmt_symbols_free(replay->symbols);
	(void)kmt_stacks_free(replay->stacks);
	(void)kmt_names_free(replay->names);
	(void)kmt_formats_free(replay->formats);
	(void)kmt_result_free(replay->result);
	kmt_distilled_deinit(&replay->distilled);
}

static void note_module(struct replay *replay, const struct kmt_module_event *event)
{
	if (event->is_load)
		(void)kmt_symbols_note_load(replay->symbols, event->name, event->pid,
					    event->time_ns);
	else
		(void)kmt_symbols_note_free(replay->symbols, event->name, event->time_ns);
}

/* Their times are exact, those of the tape's module list are when the recorder noticed. */
static int on_module(void *context, const struct kmt_event *event)
{
	struct kmt_module_event module = { event->kind == KMT_EVENT_MODULE_LOAD, event->time_ns,
					   event->pid, event->text };
	struct replay *replay = context;

	note_module(replay, &module);
	return replay->is_distilling ? kmt_distilled_note_module(&replay->distilled, &module) : 0;
}

static int on_other(void *context, const struct kmt_event *event)
{
	struct replay *replay = context;

	return replay->watch ? kmt_watch_note(replay->watch, event)
			     : kmt_watches_note(replay->watches, event);
}

/*
 * Events are booked about as fast as they are decoded. Who watches has to see all of them in their
 * order, and books that are written are of one ledger.
 */
static unsigned int nr_shards(const struct replay *replay)
{
	unsigned int nr_threads = replay->options->nr_threads;

	if (nr_threads == 0 || replay->watch || replay->watches || replay->is_distilling)
		return 1;
	return nr_threads < SHARDS_MAX ? nr_threads : SHARDS_MAX;
}

static int open_shards(struct replay *replay, const struct kmt_ledger_options *options,
		       struct kmt_err *err)
{
	struct kmt_shard_hooks hooks = {
		.context = replay,
		.on_module = on_module,
		.on_other = replay->watch || replay->watches ? on_other : NULL,
	};
	int r = kmt_shards_new(nr_shards(replay), &hooks, options, &replay->shards, err);

	if (r == 0 && replay->watch)
		kmt_watch_set_ledger(replay->watch, kmt_shards_ledger(replay->shards, 0));
	if (r == 0 && replay->watches)
		kmt_watches_set_ledger(replay->watches, kmt_shards_ledger(replay->shards, 0));
	return r;
}

static int open_ledger(struct replay *replay, struct kmt_err *err)
{
	const struct kmt_manifest *manifest = &replay->tape->manifest;
	struct kmt_ledger_options options = {
		.page_bytes = manifest->page_bytes,
		.has_late_frees = replay->formats && kmt_formats_has_late_frees(replay->formats),
		.by_comm = replay->options->group == KMT_BY_COMM ||
			   replay->options->group == KMT_BY_PID,
		.by_pid = replay->options->group == KMT_BY_PID,
		.recorder_pids = manifest->recorder_pids,
		.nr_recorder_pids = manifest->nr_recorder_pids,
		.start_ns = manifest->start_ns,
		.accounts_max = replay->limit.accounts,
		.objects_max = replay->limit.objects,
	};
	struct kmt_watch_context watch = { replay->tape, replay->options, replay->symbols,
					   replay->stacks };
	int r;

	kmt_recorded_fill(manifest, &options);
	replay->sample_mask = options.sample_mask[KMT_SPACE_SLAB];
	options.hash_seed = replay->hash_seed;
	kmt_symbols_kernel_range(replay->symbols, &options.kernel_from, &options.kernel_to);
	r = replay->suspects ? kmt_watches_new(&watch, replay->suspects, KMT_WATCHED_SUSPECTS,
					       &options, &replay->watches, err)
	    : replay->tape->manifest.is_distilled ? 0 /* no event comes that could be watched */
	    : replay->options->dossiers_of
		    ? kmt_watches_new(&watch, replay->options->dossiers_of, KMT_WATCHED_FIRST,
				      &options, &replay->watches, err)
		    : kmt_watch_new(&watch, &options, &replay->watch, err);
	if (r < 0)
		return r;
	return replay->tape->manifest.is_distilled ? kmt_ledger_new(&options, &replay->ledger, err)
						   : open_shards(replay, &options, err);
}

static int open_names(struct replay *replay, struct kmt_err *err)
{
	int r = kmt_names_new(&replay->names, err);

	if (r < 0)
		return r;
	kmt_names_set_seed(replay->names, replay->hash_seed);
	kmt_names_set_max(replay->names, replay->limit.name_bytes);
	return 0;
}

static int open_stacks(struct replay *replay, struct kmt_err *err)
{
	uint64_t from, to;
	int r;

	kmt_symbols_kernel_range(replay->symbols, &from, &to);
	r = kmt_stacks_new(from, to, &replay->stacks, err);
	if (r == 0)
		kmt_stacks_set_seed(replay->stacks, replay->hash_seed);
	return r;
}

static int open_frames(struct replay *replay, struct kmt_err *err)
{
	struct kmt_frames_context context = {
		.stacks = replay->stacks,
		.symbols = replay->symbols,
		.owners = replay->options->owners,
		.result = replay->result,
		.hash_seed = replay->hash_seed,
	};

	kmt_symbols_kernel_range(replay->symbols, &context.kernel_from, &context.kernel_to);
	return kmt_frames_new(&context, &replay->frames, err);
}

static int open_comms(struct replay *replay, struct kmt_err *err)
{
	struct kmt_ledger *ledger;
	int r = 0;

	for (unsigned int i = 0; r == 0 && (ledger = kmt_shards_ledger(replay->shards, i)); i++)
		r = kmt_texts_comms(replay->tape, replay->names, ledger, err);
	return r;
}

static int open_feeds(struct replay *replay, struct kmt_err *err)
{
	struct kmt_tape *tape = replay->tape;
	struct kmt_feeds_options options = {
		.readers = tape->cpus,
		.nr_readers = tape->nr_cpus,
		.formats = replay->formats,
		.names = replay->names,
		.stacks = replay->stacks,
		.nr_threads = replay->options->nr_threads,
		.nr_shards = nr_shards(replay),
		.hash_seed = replay->hash_seed,
		.dropped_ns = tape->manifest.dropped_ns,
	};

	for (size_t i = 0; i < tape->nr_cpus; i++)
		kmt_chunk_reader_rewind(tape->cpus[i]);
	return kmt_feeds_new(&options, &replay->feeds, err);
}

static int run(struct replay *replay, struct kmt_err *err)
{
	const struct kmt_manifest *manifest = &replay->tape->manifest;
	struct kmt_shard_context context = {
		.tape = replay->tape,
		.feeds = replay->feeds,
		.reconciler = replay->reconciler,
		.limit_ns = manifest->ended_ns ? manifest->ended_ns : UINT64_MAX,
	};
	int r = kmt_shards_run(replay->shards, &context, err);

	if (r == 0 && kmt_names_is_full(replay->names))
		r = -EOVERFLOW;
	kmt_names_set_max(replay->names, 0); /* a report has few of its own */
	return r;
}

static int note_formats(struct replay *replay)
{
	int r = 0;

	if (replay->tape->manifest.is_redacted)
		r = kmt_result_note(replay->result,
				    "redacted: addresses are made up, and tasks have no names");
	if (r < 0 || !kmt_formats_has_unnumbered_pages(replay->formats))
		return r;
	return kmt_result_note(replay->result,
			       "this kernel's page events tell no page frame numbers (Linux 4.1 "
			       "and later do): pages are in no sum and no row");
}

/* What an earlier replay ended with. */
static int restore(struct replay *replay, struct kmt_err *err)
{
	struct kmt_distilled *distilled = &replay->distilled;
	int r;

	for (size_t i = 0; i < distilled->nr_modules; i++)
		note_module(replay, &distilled->modules[i]);
	kmt_books_renumber(distilled, replay->stacks);
	r = kmt_ledger_restore(replay->ledger, &distilled->books);
	if (r < 0)
		return kmt_fail(err, r, "%s/%s: %s", replay->tape->path, KMT_BOOKS_PATH,
				r == -ENOMEM ? "out of memory"
					     : "damaged: its numbers don't add up");
	kmt_reconciler_restore(replay->reconciler, &distilled->series);
	r = kmt_books_take_notes(replay->tape, distilled, replay->result);
	return r < 0 ? kmt_fail(err, r, "out of memory") : 0;
}

static int check_options(const struct replay *replay, struct kmt_err *err)
{
	if (replay->is_checking) /* nothing is asked for */
		return 0;
	return kmt_books_check_options(replay->tape, &replay->distilled, replay->options, err);
}

static int start_distilled(struct replay *replay, struct kmt_err *err)
{
	struct kmt_tape *tape = replay->tape;
	int r;

	(void)((r = kmt_result_new(&replay->result, err)) < 0 ||
	       (r = kmt_names_new(&replay->names, err)) < 0 ||
	       (r = kmt_books_read(tape, replay->names, &replay->distilled, err)) < 0 ||
	       (r = check_options(replay, err)) < 0 ||
	       (r = kmt_texts_symbols(tape, replay->result, &replay->symbols, err)) < 0 ||
	       (r = open_stacks(replay, err)) < 0 || (r = open_ledger(replay, err)) < 0 ||
	       (r = kmt_reconciler_new(tape, &replay->reconciler, err)) < 0 ||
	       (r = restore(replay, err)) < 0);
	return r;
}

static void set_hash_seed(struct replay *replay)
{
	if (replay->options->fixed_hash_seed)
		replay->hash_seed = *replay->options->fixed_hash_seed;
	else /* without one, hostile tapes may only take longer */
		(void)!getrandom(&replay->hash_seed, sizeof(replay->hash_seed), GRND_NONBLOCK);
}

static int start(struct replay *replay, struct kmt_err *err)
{
	struct kmt_tape *tape = replay->tape;
	int r;

	set_hash_seed(replay);
	kmt_limit_of(tape, &replay->limit);
	(void)((r = kmt_result_new(&replay->result, err)) < 0 ||
	       (r = open_names(replay, err)) < 0 ||
	       (r = kmt_replay_formats(tape, &replay->formats, err)) < 0 ||
	       (r = note_formats(replay)) < 0 ||
	       (r = kmt_texts_symbols(tape, replay->result, &replay->symbols, err)) < 0 ||
	       (r = open_stacks(replay, err)) < 0 || (r = open_ledger(replay, err)) < 0 ||
	       (r = open_comms(replay, err)) < 0 ||
	       (r = kmt_reconciler_new(tape, &replay->reconciler, err)) < 0);
	return r < 0 ? r : open_feeds(replay, err);
}

/* What was found damaged, cut or odd on the way. Return: 0 or -ENOMEM. */
static int note_feeds(struct replay *replay)
{
	struct kmt_result *result = replay->result;
	const char *damage = kmt_members_damage(replay->tape->members);
	char time[KMT_UNITS_BYTES];
	uint64_t backward = 0;
	int r = 0;

	if (damage) {
		result->is_complete = false;
		r = kmt_result_note(result, "%s", damage);
	}
	for (size_t i = 0; r == 0 && i < replay->tape->nr_cpus; i++) {
		const struct kmt_feed_report *report = kmt_feeds_report(replay->feeds, i);
		const struct kmt_decoder_stats *stats = kmt_feeds_decoder_stats(replay->feeds, i);

		if (!report) /* the tape ends before this file does */
			continue;
		backward += stats->backward_times;
		if (report->end == KMT_FEED_CUT || report->damaged_chunks || stats->damaged_subbufs)
			result->is_complete = false;
		if (report->end == KMT_FEED_CUT)
			r = kmt_result_note(result, "%s", report->cut.text);
		if (r == 0 && report->damaged_chunks)
			r = kmt_result_note(result, "%s (%" PRIu64 " damaged chunks, passed over)",
					    report->damage.text, report->damaged_chunks);
		if (r == 0 && stats->damaged_subbufs)
			r = kmt_result_note(result, "%s (%" PRIu64 " in this file)",
					    stats->damage.text, stats->damaged_subbufs);
	}
	if (r == 0)
		r = kmt_loss_note(&replay->tape->manifest, result);
	if (r == 0)
		r = kmt_probe_notes(&replay->tape->manifest, result);
	if (r == 0 && replay->tape->manifest.suspended_ns)
		r = kmt_result_note(result,
				    "the machine was suspended for %s while it was recorded%s",
				    kmt_format_time(time, replay->tape->manifest.suspended_ns),
				    strcmp(result->clock, "boot") == 0
					    ? ""
					    : ": ages and rates are of the time it was awake");
	if (r == 0 && backward)
		r = kmt_result_note(result,
				    "time ran backwards %" PRIu64 " times within a CPU (clock %s)",
				    backward, result->clock);
	return r;
}

static void format_start(struct kmt_result *result, const struct kmt_manifest *manifest)
{
	int64_t wall_ns;
	struct tm tm;
	time_t s;

	if (!manifest->start_ns || !manifest->wall_offset_ns ||
	    __builtin_add_overflow(manifest->wall_offset_ns, (int64_t)manifest->start_ns, &wall_ns))
		return;
	s = (time_t)(wall_ns / (int64_t)NS_PER_S);
	if (gmtime_r(&s, &tm))
		(void)strftime(result->started_at, sizeof(result->started_at), "%Y-%m-%dT%H:%M:%SZ",
			       &tm);
}

static int describe_tape(struct replay *replay)
{
	const struct kmt_manifest *manifest = &replay->tape->manifest;
	struct kmt_result *result = replay->result;
	const char *host = kmt_known_host(manifest->host);

	result->path = strdup(replay->tape->path);
	result->kernel = strdup(manifest->kernel);
	result->arch = strdup(manifest->arch);
	result->clock = strdup(manifest->clock);
	result->host = strdup(host ? host : "");
	if (!result->path || !result->kernel || !result->arch || !result->clock || !result->host)
		return -ENOMEM;
	result->nr_cpus = manifest->nr_cpus;
	result->is_distilled = manifest->is_distilled;
	result->nr_disturbances = manifest->nr_disturbances;
	result->sample = manifest->sample;
	result->group = replay->options->explain ? KMT_BY_SITE : replay->options->group;
	result->wall_offset_ns = manifest->wall_offset_ns;
	result->older_ns = replay->options->older_ns;
	result->grace_ns = replay->options->grace_ns;
	result->is_complete = manifest->is_distilled
				      ? replay->distilled.is_complete
				      : manifest->is_closed && !manifest->recovered[0];
	format_start(result, manifest);
	return kmt_recorded_describe(manifest, result);
}

/* When the tape was last known to be drained, which is not its last event. */
static uint64_t end_of(const struct replay *replay)
{
	uint64_t end_ns = kmt_shards_last_ns(replay->shards);
	uint64_t limit_ns = kmt_shards_limit_ns(replay->shards);
	uint64_t drained_ns = limit_ns != UINT64_MAX ? limit_ns : replay->tape->manifest.end_ns;

	return drained_ns > end_ns ? drained_ns : end_ns;
}

/*
 * On the tape, all of them, and at work: kprobes can be switched off as a whole
 * (/sys/kernel/debug/kprobes/enabled), which only shows in that none of them is ever hit.
 */
static bool has_free_probes(const struct replay *replay, const struct kmt_totals *totals)
{
	const char *said = replay->tape->manifest.free_probes;

	if (!replay->formats)
		return replay->distilled.has_free_probes;
	return (!*said || strcmp(said, "on") == 0) &&
	       kmt_formats_has_free_probes(replay->formats) &&
	       totals->by_kind[KMT_EVENT_RCU_FREE] + totals->by_kind[KMT_EVENT_BULK_FREE] > 0;
}

static uint64_t other_events(const struct replay *replay)
{
	uint64_t sum = replay->distilled.other_events;

	for (size_t i = 0; i < replay->tape->nr_cpus; i++) {
		const struct kmt_decoder_stats *stats = kmt_feeds_decoder_stats(replay->feeds, i);

		sum += stats ? stats->other_events : 0; /* the tape may end before this file does */
	}
	return sum;
}

/* How many events are missing at most; KMT_UNKNOWN. */
static uint64_t bound_loss(const struct replay *replay)
{
	const struct kmt_totals *totals = kmt_ledger_totals(replay->ledger);

	if (replay->tape->manifest.nr_disturbances)
		return KMT_UNKNOWN; /* what never came into the buffer */
	if (totals->unsized_losses == 0)
		return kmt_loss_known(replay->ledger, &replay->tape->manifest);
	if (!replay->result->is_complete) /* not all feeds have come to their end, either */
		return KMT_UNKNOWN;
	return kmt_loss_if_all_read(replay->ledger, &replay->tape->manifest, other_events(replay));
}

static void describe_end(struct replay *replay, uint64_t end_ns)
{
	const struct kmt_manifest *manifest = &replay->tape->manifest;
	const struct kmt_totals *totals = kmt_ledger_totals(replay->ledger);
	struct kmt_result *result = replay->result;

	result->start_ns = manifest->start_ns ? manifest->start_ns : totals->first_ns;
	result->end_ns = end_ns;
	result->duration_ns = end_ns > result->start_ns ? end_ns - result->start_ns : 0;
	result->totals = *totals;
	result->has_free_probes = has_free_probes(replay, totals);
	result->lost = kmt_loss_known(replay->ledger, manifest);
	result->grid = *kmt_ledger_grid(replay->ledger);
}

/* Before the rows are made of nothing. */
static int check_stacks(struct replay *replay, struct kmt_err *err)
{
	const struct kmt_account *accounts;
	size_t nr;

	if (replay->result->group != KMT_BY_STACK)
		return 0;
	accounts = kmt_ledger_accounts(replay->ledger, &nr);
	for (size_t i = 0; i < nr; i++)
		if (accounts[i].key.stack != KMT_STACK_NONE)
			return 0;
	if (replay->options->is_by_site_else) {
		replay->result->group = KMT_BY_SITE;
		return 0;
	}
	return kmt_fail(err, -ENOENT, "%s: no stack was recorded: record with --stack",
			replay->tape->path);
}

/* All events are booked, or as good as. */
static int close_books(struct replay *replay, uint64_t end_ns, struct kmt_err *err)
{
	const struct kmt_replay_options *options = replay->options;
	int r;

	(void)((r = kmt_origin_note(&replay->tape->manifest, end_ns, replay->result)) < 0 ||
	       (r = note_feeds(replay)) < 0);
	replay->nr_tape_notes = replay->result->nr_notes;
	if (r == 0)
		r = kmt_shards_end(replay->shards, end_ns);
	if (r == 0 && replay->watch)
		r = kmt_watch_close(replay->watch, replay->frames, end_ns, err);
	if (r == 0 && replay->watches)
		r = kmt_watches_close(replay->watches, replay->frames, end_ns, err);
	if (r == 0)
		r = kmt_shards_finish(replay->shards, end_ns, options->older_ns, options->grace_ns);
	if (r < 0)
		return r;
	kmt_reconciler_set_passed(replay->reconciler, kmt_shards_snapshots(replay->shards));
	return kmt_shards_join(replay->shards, &replay->ledger, err);
}

static struct kmt_rows_context rows_context(const struct replay *replay,
					    const struct kmt_gfp_names *gfp)
{
	const struct kmt_manifest *manifest = &replay->tape->manifest;

	return (struct kmt_rows_context){
		.symbols = replay->symbols,
		.names = replay->names,
		.page_bytes = manifest->page_bytes,
		.gfp = gfp,
		.nr_cpus = manifest->nr_possible_cpus,
		.sample_mask = replay->sample_mask,
		.sample_page_mask = manifest->sample_page_mask,
		.frames = replay->frames,
	};
}

static int conclude(struct replay *replay, const struct kmt_rows_context *context)
{
	struct kmt_conclusion conclusion = {
		.ledger = replay->ledger,
		.options = replay->options,
		.context = context,
		.reconciler = replay->reconciler,
		.allocs_off_ns = replay->tape->manifest.allocs_off_ns,
		.lost_events = bound_loss(replay),
	};

	if (replay->tape->manifest.is_distilled) {
		conclusion.cells = replay->distilled.cells;
		conclusion.nr_cells = replay->distilled.nr_cells;
	}
	return kmt_conclude(&conclusion, replay->result);
}

static int explain_kept(struct replay *replay, struct kmt_err *err)
{
	struct kmt_watch_context context = { replay->tape, replay->options, replay->symbols,
					     replay->stacks };
	struct kmt_asked_context asked = {
		.symbols = replay->symbols,
		.stacks = replay->stacks,
		.frames = replay->frames,
		.page_bytes = replay->tape->manifest.page_bytes,
	};

	kmt_symbols_kernel_range(replay->symbols, &asked.kernel_from, &asked.kernel_to);
	return kmt_kept_dossiers_fill(&context, &asked, replay->ledger, &replay->distilled,
				      replay->result, err);
}

static int finish(struct replay *replay, struct kmt_err *err)
{
	const struct kmt_manifest *manifest = &replay->tape->manifest;
	bool is_distilled = manifest->is_distilled;
	uint64_t end_ns = is_distilled ? replay->distilled.books.end_ns : end_of(replay);
	struct kmt_gfp_names gfp;
	struct kmt_rows_context context;
	int r;

	r = open_frames(replay, err);
	if (r == 0 && !is_distilled)
		r = close_books(replay, end_ns, err);
	if (r == 0)
		r = check_stacks(replay, err);
	if (r < 0)
		return r;
	kmt_texts_gfp_names(replay->tape, &gfp);
	context = rows_context(replay, &gfp);
	describe_end(replay, end_ns);
	for (uint32_t i = 0; i < KMT_SPACES_MAX; i++)
		context.blindness[i] = kmt_recorded_blindness(manifest, &replay->result->totals,
							      replay->result->has_free_probes, i);
	r = kmt_reconcile(replay->reconciler, replay->ledger, &context, replay->result);
	if (r == 0)
		r = conclude(replay, &context);
	if (r == 0)
		r = kmt_build_ids_fill(replay->tape, replay->symbols, replay->result);
	if (r == 0)
		r = kmt_limit_note(replay->ledger, replay->result);
	if (r == 0 && kmt_symbols_is_exhausted(replay->symbols))
		r = kmt_result_note(replay->result,
				    "not all functions have their names: the tape has too "
				    "many modules to look in all of them each time");
	if (r == 0 && replay->watch)
		r = kmt_watch_fill(replay->watch, replay->result, err);
	if (r == 0 && replay->watches && !replay->is_distilling)
		r = kmt_watches_fill(replay->watches, replay->result, err);
	if (r == 0 && is_distilled && (replay->options->explain || replay->options->dossiers_of))
		r = explain_kept(replay, err);
	if (r == 0 && replay->options->lines)
		r = kmt_source_lines_fill(replay->options->lines, replay->symbols,
					  replay->options->lines_top, replay->result);
	return r;
}

/* From open to result, which @replay has then. */
static int try(struct replay *replay, struct kmt_err *err)
{
	bool is_distilled = replay->tape->manifest.is_distilled;
	int r;

	r = is_distilled ? start_distilled(replay, err) : start(replay, err);
	if (r < 0)
		return r;
	r = describe_tape(replay);
	if (r < 0)
		return kmt_fail(err, r, "out of memory");
	r = is_distilled ? 0 : run(replay, err);
	if (r < 0)
		return r;
	r = finish(replay, err);
	return r == -ENOMEM ? kmt_fail(err, r, "out of memory") : r;
}

static void init(struct replay *replay, struct kmt_tape *tape,
		 const struct kmt_replay_options *options)
{
	*replay = (struct replay){ .tape = tape, .options = options };
	kmt_distilled_init(&replay->distilled);
}

/*
 * Where no threads are to be had, or make it worse, it takes longer; so does it where one ledger
 * has to have all events, because there are too many accounts, or may be too many objects.
 */
static int do_all(struct replay *replay, struct kmt_err *err)
{
	struct replay again = {
		.tape = replay->tape,
		.alone = *replay->options,
		.suspects = replay->suspects,
		.is_distilling = replay->is_distilling,
	};
	int r = try(replay, err);

	if ((r == -EAGAIN || r == -EOVERFLOW) && again.alone.nr_threads) {
		again.alone.nr_threads = 0;
		deinit(replay);
		*replay = again;
		replay->options = &replay->alone;
		kmt_distilled_init(&replay->distilled);
		r = try(replay, err);
	}
	if (r != -EOVERFLOW || !replay->shards)
		return r;
	return kmt_limit_fail(replay->tape, &replay->limit,
			      kmt_names_is_full(replay->names) ? "names of tasks and caches"
							       : "live objects and tasks",
			      err);
}

int kmt_replay(struct kmt_tape *tape, const struct kmt_replay_options *options,
	       struct kmt_result **ret_result, struct kmt_err *err)
{
	KMT_CLEANUP(deinit) struct replay replay;
	int r;

	init(&replay, tape, options);
	r = kmt_source_lines_open(tape, options->lines, err);
	if (r == 0)
		r = do_all(&replay, err);
	if (r == 0)
		*ret_result = KMT_STEAL(replay.result);
	return r;
}

static int distill(struct replay *replay, int dirfd, struct kmt_distillate *ret_distillate,
		   struct kmt_err *err)
{
	struct kmt_rows_context context = rows_context(replay, NULL);
	struct kmt_distilled *distilled = &replay->distilled;
	struct kmt_books_source source = {
		.tape = replay->tape,
		.ledger = replay->ledger,
		.stacks = replay->stacks,
		.reconciler = replay->reconciler,
		.context = &context,
		.result = replay->result,
		.nr_notes = replay->nr_tape_notes,
	};
	int r;

	distilled->grace_ns = replay->options->grace_ns;
	distilled->is_complete = replay->result->is_complete;
	distilled->has_free_probes = replay->result->has_free_probes;
	distilled->other_events = replay->result->is_complete ? other_events(replay) : 0;
	r = replay->watches ? kmt_watches_take(replay->watches, replay->names, distilled, err) : 0;
	return r < 0 ? r : kmt_books_write(&source, distilled, dirfd, ret_distillate, err);
}

/* A second time if there is anybody of whom more is to be known: who that is shows at the end. */
int kmt_replay_distill(struct kmt_tape *tape, const struct kmt_replay_options *options, int dirfd,
		       struct kmt_distillate *ret_distillate, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *suspects = NULL;
	KMT_CLEANUP(deinit) struct replay replay;
	int r;

	init(&replay, tape, options);
	replay.is_distilling = true;
	r = do_all(&replay, err);
	if (r == 0 && kmt_watches_are_due(replay.result)) {
		suspects = KMT_STEAL(replay.result);
		deinit(&replay);
		init(&replay, tape, options);
		replay.is_distilling = true;
		replay.suspects = suspects;
		r = do_all(&replay, err);
	}
	return r < 0 ? r : distill(&replay, dirfd, ret_distillate, err);
}

/* All that a replay needs of it, whatever the grace period. */
int kmt_replay_check_books(struct kmt_tape *tape, struct kmt_err *err)
{
	static const struct kmt_replay_options options;
	KMT_CLEANUP(deinit) struct replay replay;

	init(&replay, tape, &options);
	replay.is_checking = true;
	return start_distilled(&replay, err);
}
