// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kmemtape/dossier.h"
#include "kmemtape/intervals.h"
#include "kmemtape/units.h"

#include "asked.h"
#include "dossier-names.h"
#include "texts.h"
#include "watch.h"

/* Who wants to hear of an account. */
#define FOR_DOSSIER 1u
#define FOR_TABLE   2u

struct kmt_watch {
	struct kmt_watch_context context;
	struct kmt_asked_context asked;
	const struct kmt_ledger *ledger;
	struct kmt_dossiers *dossiers; /* NULL: no site is to be explained */
	struct kmt_asked explain;
	struct kmt_site sites[KMT_DOSSIERS_MAX]; /* by the number of their dossier */
	unsigned int nr_sites;
	bool has_more_sites;
	struct kmt_intervals *intervals; /* NULL: no table */
	struct kmt_asked only;		 /* name NULL: of all */
	uint8_t *wanted; /* by account: FOR_..., for the time being, then for good */
	size_t nr_wanted;
	uint64_t end_ns;
	int error;
};

struct kmt_watch *kmt_watch_free(struct kmt_watch *watch)
{
	if (!watch)
		return NULL;
	(void)kmt_dossiers_free(watch->dossiers);
	(void)kmt_intervals_free(watch->intervals);
	free(watch->wanted);
	free(watch);
	return NULL;
}

static unsigned int wanted_for(const struct kmt_watch *watch, const struct kmt_account *account)
{
	return account->index < watch->nr_wanted ? watch->wanted[account->index] : 0;
}

static void set_wanted(struct kmt_watch *watch, uint32_t index, unsigned int wanted)
{
	if (index >= watch->nr_wanted) {
		size_t nr = ((size_t)index + 1) * 2;
		uint8_t *grown = realloc(watch->wanted, nr);

		if (!grown) {
			watch->error = -ENOMEM;
			return;
		}
		memset(grown + watch->nr_wanted, 0, nr - watch->nr_wanted);
		watch->wanted = grown;
		watch->nr_wanted = nr;
	}
	watch->wanted[index] = (uint8_t)wanted;
}

static bool is_watched(void *context, const struct kmt_account *account)
{
	struct kmt_watch *watch = context;
	unsigned int wanted = 0;

	if (watch->dossiers && kmt_asked_may_be(&watch->explain, &watch->asked, account))
		wanted |= FOR_DOSSIER;
	if (watch->intervals &&
	    (!watch->only.name || kmt_asked_may_be(&watch->only, &watch->asked, account)))
		wanted |= FOR_TABLE;
	set_wanted(watch, account->index, wanted);
	return wanted;
}

static int on_alloc(void *context, const struct kmt_account *account, const struct kmt_event *event,
		    const char *comm)
{
	struct kmt_watch *watch = context;
	unsigned int wanted = wanted_for(watch, account);
	int r = watch->error;

	if (r == 0 && wanted & FOR_DOSSIER)
		r = kmt_dossiers_alloc(watch->dossiers, account, event, comm);
	if (r == 0 && wanted & FOR_TABLE)
		r = kmt_intervals_alloc(watch->intervals, kmt_ledger_start_ns(watch->ledger),
					account, event);
	return r;
}

/* The first free may name a cache, and another than was asked for. */
static bool is_other_cache(const struct kmt_watch *watch, const struct kmt_account *account)
{
	return watch->only.name && watch->only.group == KMT_BY_CACHE &&
	       !kmt_asked_may_be(&watch->only, &watch->asked, account);
}

static int on_free(void *context, const struct kmt_account *account,
		   const struct kmt_object *object, enum kmt_end how, const struct kmt_event *event,
		   const char *comm)
{
	struct kmt_watch *watch = context;
	unsigned int wanted = wanted_for(watch, account);
	int r = 0;

	if (wanted & FOR_DOSSIER)
		r = kmt_dossiers_end(watch->dossiers, account, object, how, event, comm);
	if (r < 0 || !(wanted & FOR_TABLE))
		return r;
	if (is_other_cache(watch, account)) {
		kmt_intervals_drop(watch->intervals, account);
		set_wanted(watch, account->index, wanted & ~FOR_TABLE);
		return 0;
	}
	return kmt_intervals_end(watch->intervals, kmt_ledger_start_ns(watch->ledger), account,
				 object, how, event);
}

static int on_end(void *context, const struct kmt_account *account, uint64_t ptr,
		  const struct kmt_object *object)
{
	struct kmt_watch *watch = context;

	if (!(wanted_for(watch, account) & FOR_DOSSIER))
		return 0;
	return kmt_dossiers_live(watch->dossiers, account, ptr, object);
}

/* Before a long tape is read for nothing. @start_ns, @end_ns: 0 unknown */
static int check_lines(uint64_t width_ns, uint64_t start_ns, uint64_t end_ns, struct kmt_err *err)
{
	char width[KMT_UNITS_BYTES], longer[KMT_UNITS_BYTES];
	uint64_t nr = kmt_intervals_count(width_ns, start_ns, end_ns), least_ns;

	if (start_ns == 0 || nr <= KMT_INTERVALS_MAX)
		return 0;
	/* It has to be enough: it is shown in three digits, and events may last longer than that.
	 */
	least_ns = (end_ns - start_ns) / KMT_INTERVALS_MAX;
	least_ns += least_ns / 20 + 1;
	return kmt_fail(err, -E2BIG,
			"a table of %" PRIu64 " intervals of %s is too long (%u): take %s or more",
			nr, kmt_format_time(width, width_ns), KMT_INTERVALS_MAX,
			kmt_format_time(longer, least_ns));
}

static int begin_dossiers(struct kmt_watch *watch, const struct kmt_ledger_options *ledger_options,
			  struct kmt_err *err)
{
	struct kmt_dossiers_options options = {
		.kernel_from = ledger_options->kernel_from,
		.kernel_to = ledger_options->kernel_to,
		.hash_seed = ledger_options->hash_seed,
	};
	int r = kmt_asked_init(&watch->explain, KMT_BY_SITE, watch->context.options->explain, err);

	return r < 0 ? r : kmt_dossiers_new(&options, &watch->dossiers, err);
}

static int begin_table(struct kmt_watch *watch, struct kmt_ledger_options *ledger_options,
		       struct kmt_err *err)
{
	const struct kmt_replay_options *options = watch->context.options;
	const struct kmt_manifest *manifest = &watch->context.tape->manifest;
	int r = check_lines(options->interval_ns, manifest->start_ns, manifest->end_ns, err);

	if (r == 0 && options->only)
		r = kmt_asked_init(&watch->only, options->only_by, options->only, err);
	if (r < 0)
		return r;
	if (options->only && options->only_by == KMT_BY_COMM)
		ledger_options->by_comm = true;
	if (options->only && options->only_by == KMT_BY_PID)
		ledger_options->by_pid = true;
	return kmt_intervals_new(options->interval_ns, options->only != NULL, &watch->intervals,
				 err);
}

int kmt_watch_new(const struct kmt_watch_context *context,
		  struct kmt_ledger_options *ledger_options, struct kmt_watch **ret_watch,
		  struct kmt_err *err)
{
	KMT_CLEANUP(kmt_watch_freep) struct kmt_watch *watch = NULL;
	int r = 0;

	*ret_watch = NULL;
	if (!context->options->explain && !context->options->interval_ns)
		return 0;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return kmt_fail(err, -ENOMEM, "out of memory");
	watch->context = *context;
	watch->asked = (struct kmt_asked_context){
		.symbols = context->symbols,
		.stacks = context->stacks,
		.kernel_from = ledger_options->kernel_from,
		.kernel_to = ledger_options->kernel_to,
		.page_bytes = ledger_options->page_bytes,
	};
	if (context->options->explain)
		r = begin_dossiers(watch, ledger_options, err);
	if (r == 0 && context->options->interval_ns)
		r = begin_table(watch, ledger_options, err);
	if (r < 0)
		return r;
	ledger_options->watcher = (struct kmt_watcher){
		.context = watch,
		.is_watched = is_watched,
		.on_alloc = on_alloc,
		.on_free = on_free,
		.on_end = on_end,
	};
	*ret_watch = KMT_STEAL(watch);
	return 0;
}

void kmt_watch_set_ledger(struct kmt_watch *watch, const struct kmt_ledger *ledger)
{
	watch->ledger = ledger;
}

int kmt_watch_note(struct kmt_watch *watch, const struct kmt_event *event)
{
	struct kmt_event loss = *event;

	if (event->kind == KMT_EVENT_UNSEEN)
		loss.since_ns = event->time_ns; /* at once, and not since the event before */
	if (watch->intervals && (event->kind == KMT_EVENT_LOSS || event->kind == KMT_EVENT_UNSEEN))
		return kmt_intervals_loss(watch->intervals, kmt_ledger_start_ns(watch->ledger),
					  &loss);
	if (watch->dossiers &&
	    (event->kind == KMT_EVENT_MODULE_LOAD || event->kind == KMT_EVENT_MODULE_FREE))
		kmt_dossiers_pass_module(watch->dossiers);
	return 0;
}

/* The dossier of a site; a new one if there is none. Return: false if there are too many. */
static bool find_site(struct kmt_watch *watch, const struct kmt_site *site,
		      unsigned int *ret_number)
{
	for (unsigned int i = 0; i < watch->nr_sites; i++)
		if (kmt_site_is(&watch->sites[i], site)) {
			*ret_number = i;
			return true;
		}
	if (watch->nr_sites == KMT_DOSSIERS_MAX)
		return false;
	watch->sites[watch->nr_sites] = *site;
	*ret_number = watch->nr_sites++;
	return true;
}

static bool is_meant(const struct kmt_watch *watch, const struct kmt_account *account,
		     struct kmt_code *ret_code)
{
	return wanted_for(watch, account) & FOR_DOSSIER && account->allocs &&
	       kmt_asked_is(&watch->explain, &watch->asked, account, ret_code);
}

static int close_dossiers(struct kmt_watch *watch, const struct kmt_account *accounts, size_t nr,
			  struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) struct kmt_gfp_names *gfp = malloc(sizeof(*gfp));
	int r = gfp ? 0 : -ENOMEM;

	if (gfp)
		kmt_texts_gfp_names(watch->context.tape, gfp);
	kmt_dossiers_set_end(watch->dossiers, watch->end_ns);
	for (size_t i = 0; r == 0 && i < nr; i++) {
		struct kmt_code code;
		struct kmt_site site;
		unsigned int number;

		if (!is_meant(watch, &accounts[i], &code))
			continue;
		r = kmt_asked_site(&watch->asked, &accounts[i], &code, gfp, &site);
		if (r == 0 && !find_site(watch, &site, &number))
			watch->has_more_sites = true;
		else if (r == 0)
			r = kmt_dossiers_assign(watch->dossiers, &accounts[i], number);
	}
	if (r < 0)
		return kmt_fail(err, r, "out of memory");
	if (watch->nr_sites == 0)
		return kmt_asked_fail(&watch->explain, &watch->asked, accounts, nr, err);
	return 0;
}

static int close_table(struct kmt_watch *watch, const struct kmt_account *accounts, size_t nr,
		       struct kmt_err *err)
{
	bool is_found = false;

	for (size_t i = 0; i < nr; i++) {
		struct kmt_code site;
		unsigned int wanted = wanted_for(watch, &accounts[i]);

		if (!(wanted & FOR_TABLE))
			continue;
		if (kmt_asked_is(&watch->only, &watch->asked, &accounts[i], &site))
			is_found |= accounts[i].allocs > 0;
		else
			watch->wanted[i] = (uint8_t)(wanted & ~FOR_TABLE);
	}
	return is_found ? 0 : kmt_asked_fail(&watch->only, &watch->asked, accounts, nr, err);
}

int kmt_watch_close(struct kmt_watch *watch, struct kmt_frames *frames, uint64_t end_ns,
		    struct kmt_err *err)
{
	const struct kmt_account *accounts;
	size_t nr;
	int r = 0;

	if (watch->error < 0)
		return kmt_fail(err, watch->error, "out of memory");
	accounts = kmt_ledger_accounts(watch->ledger, &nr);
	watch->end_ns = end_ns;
	watch->asked.frames = frames;
	if (watch->dossiers)
		r = close_dossiers(watch, accounts, nr, err);
	if (r == 0 && watch->intervals && watch->only.name)
		r = close_table(watch, accounts, nr, err);
	return r;
}

/* Behind those that the result has already. */
static int fill_dossiers(const struct kmt_watch *watch, struct kmt_result *result)
{
	KMT_CLEANUP(kmt_freep) struct kmt_gfp_names *names = malloc(sizeof(*names));
	size_t nr = result->nr_dossiers + watch->nr_sites;
	struct kmt_dossier *grown = reallocarray(result->dossiers, nr, sizeof(*grown));
	int r = 0;

	if (grown)
		result->dossiers = grown;
	if (!names || !grown)
		return -ENOMEM;
	kmt_texts_gfp_names(watch->context.tape, names);
	result->is_explanation = true;
	result->has_more_sites |= watch->has_more_sites;
	for (unsigned int i = 0; r == 0 && i < watch->nr_sites; i++) {
		struct kmt_dossier *dossier = &result->dossiers[result->nr_dossiers++];

		*dossier = (struct kmt_dossier){
			.site = watch->sites[i],
		};
		r = kmt_dossiers_fill(watch->dossiers, i, dossier);
		if (r == 0)
			r = kmt_dossier_name(watch->context.symbols, names, result, dossier);
	}
	if (r == 0)
		kmt_dossiers_sort(result->dossiers, result->nr_dossiers);
	return r;
}

static bool is_in_table(void *context, uint32_t index)
{
	const struct kmt_watch *watch = context;

	return index < watch->nr_wanted && watch->wanted[index] & FOR_TABLE;
}

static int fill_table(struct kmt_watch *watch, struct kmt_result *result, struct kmt_err *err)
{
	const struct kmt_replay_options *options = watch->context.options;
	const struct kmt_manifest *manifest = &watch->context.tape->manifest;
	uint64_t start_ns = kmt_ledger_start_ns(watch->ledger);
	char width[KMT_UNITS_BYTES];
	int r;

	if (start_ns == 0)
		start_ns = manifest->start_ns; /* there was no event */
	r = check_lines(options->interval_ns, start_ns, watch->end_ns, err);
	if (r < 0)
		return r;
	r = kmt_intervals_fill(watch->intervals, start_ns, watch->end_ns,
			       watch->only.name ? is_in_table : NULL, watch, &result->intervals,
			       &result->nr_intervals);
	if (r == -E2BIG)
		return kmt_fail(
			err, r,
			"intervals of %s are too many to keep apart what is asked for: take "
			"longer ones",
			kmt_format_time(width, options->interval_ns));
	if (r < 0)
		return kmt_fail(err, r, "out of memory");
	result->interval_ns = options->interval_ns;
	result->only_by = options->only_by;
	return kmt_result_keep(result, options->only, &result->only);
}

int kmt_watch_fill(struct kmt_watch *watch, struct kmt_result *result, struct kmt_err *err)
{
	if (watch->dossiers && fill_dossiers(watch, result) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return watch->intervals ? fill_table(watch, result, err) : 0;
}
