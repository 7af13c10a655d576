// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watches.h"

/* Over all dossiers: a task that comes and goes has a line of its own in each site's. */
#define LINES_MAX 16384u

struct one {
	char *query; /* NULL: the table over time */
	struct kmt_replay_options options;
	struct kmt_watcher watcher; /* what it gave to the ledger */
	struct kmt_watch *watch;
};

struct kmt_watches {
	struct one all[KMT_DOSSIERS_MAX + 1];
	size_t nr;
	uint64_t *by_account; /* who watches it: a bit for each */
	size_t nr_by_account;
	int error;
};

static_assert(KMT_DOSSIERS_MAX + 1 <= 64, "a bit for each");

struct kmt_watches *kmt_watches_free(struct kmt_watches *watches)
{
	if (!watches)
		return NULL;
	for (size_t i = 0; i < watches->nr; i++) {
		(void)kmt_watch_free(watches->all[i].watch);
		free(watches->all[i].query);
	}
	free(watches->by_account);
	free(watches);
	return NULL;
}

static bool is_suspect(const struct kmt_result *result, const struct kmt_row *row)
{
	return row->call_site &&
	       (row->judgement.class >= KMT_CLASS_GROWTH || kmt_result_blames(result, row));
}

bool kmt_watches_are_due(const struct kmt_result *result)
{
	for (size_t i = 0; i < result->nr_rows; i++)
		if (is_suspect(result, &result->rows[i]))
			return true;
	return false;
}

/* As the report says what to type next; or as nobody else is called. */
static char *query_of(const struct kmt_row *row, enum kmt_watched which)
{
	char *query;
	int r;

	if (row->function && which == KMT_WATCHED_SUSPECTS)
		r = asprintf(&query, "%s+0x%" PRIx64, row->function, row->offset);
	else
		r = asprintf(&query, "0x%" PRIx64, row->call_site);
	return r < 0 ? NULL : query;
}

static bool has_query(const struct kmt_watches *watches, const char *query)
{
	for (size_t i = 0; i < watches->nr; i++)
		if (watches->all[i].query && strcmp(watches->all[i].query, query) == 0)
			return true;
	return false;
}

/* Takes @query; NULL: the table. A name that can be none, from a hostile tape, can't be asked for,
 * either. */
static int add(struct kmt_watches *watches, const struct kmt_watch_context *context, char *query,
	       const struct kmt_ledger_options *ledger_options, struct kmt_err *err)
{
	struct kmt_ledger_options options = *ledger_options;
	struct kmt_watch_context own = *context;
	struct one *one = &watches->all[watches->nr++];
	int r;

	*one = (struct one){ .query = query, .options = *context->options };
	one->options.explain = query;
	if (query)
		one->options.interval_ns = 0;
	own.options = &one->options;
	r = kmt_watch_new(&own, &options, &one->watch, err);
	one->watcher = options.watcher;
	if (r == -EINVAL) {
		free(one->query);
		watches->nr--;
		return 0;
	}
	return r;
}

/* Return: 0 or -ENOMEM. */
static int set_watched(struct kmt_watches *watches, uint32_t index, uint64_t mask)
{
	if (index >= watches->nr_by_account) {
		size_t nr = ((size_t)index + 1) * 2;
		uint64_t *grown = reallocarray(watches->by_account, nr, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		memset(grown + watches->nr_by_account, 0,
		       (nr - watches->nr_by_account) * sizeof(*grown));
		watches->by_account = grown;
		watches->nr_by_account = nr;
	}
	watches->by_account[index] = mask;
	return 0;
}

static bool is_watched(void *context, const struct kmt_account *account)
{
	struct kmt_watches *watches = context;
	uint64_t mask = 0;

	for (size_t i = 0; i < watches->nr; i++) {
		const struct kmt_watcher *watcher = &watches->all[i].watcher;

		if (watcher->is_watched(watcher->context, account))
			mask |= UINT64_C(1) << i;
	}
	if (set_watched(watches, account->index, mask) < 0)
		watches->error = -ENOMEM;
	return mask;
}

/* The first of those in @mask, which loses it. */
static const struct kmt_watcher *next_of(const struct kmt_watches *watches, uint64_t *mask)
{
	int first = __builtin_ctzll(*mask);

	*mask &= *mask - 1;
	return &watches->all[first].watcher;
}

static uint64_t mask_of(const struct kmt_watches *watches, const struct kmt_account *account)
{
	return account->index < watches->nr_by_account ? watches->by_account[account->index] : 0;
}

static int on_alloc(void *context, const struct kmt_account *account, const struct kmt_event *event,
		    const char *comm)
{
	const struct kmt_watches *watches = context;
	uint64_t mask = mask_of(watches, account);
	int r = watches->error;

	while (r == 0 && mask) {
		const struct kmt_watcher *watcher = next_of(watches, &mask);

		r = watcher->on_alloc(watcher->context, account, event, comm);
	}
	return r;
}

static int on_free(void *context, const struct kmt_account *account,
		   const struct kmt_object *object, enum kmt_end how, const struct kmt_event *event,
		   const char *comm)
{
	const struct kmt_watches *watches = context;
	uint64_t mask = mask_of(watches, account);
	int r = 0;

	while (r == 0 && mask) {
		const struct kmt_watcher *watcher = next_of(watches, &mask);

		r = watcher->on_free(watcher->context, account, object, how, event, comm);
	}
	return r;
}

static int on_end(void *context, const struct kmt_account *account, uint64_t ptr,
		  const struct kmt_object *object)
{
	const struct kmt_watches *watches = context;
	uint64_t mask = mask_of(watches, account);
	int r = 0;

	while (r == 0 && mask) {
		const struct kmt_watcher *watcher = next_of(watches, &mask);

		r = watcher->on_end(watcher->context, account, ptr, object);
	}
	return r;
}

/* Of the rows that are suspects, or of those that aren't. */
static int add_rows(struct kmt_watches *watches, const struct kmt_watch_context *context,
		    const struct kmt_result *rows, enum kmt_watched which, bool wants_suspects,
		    const struct kmt_ledger_options *ledger_options, struct kmt_err *err)
{
	size_t most = KMT_DOSSIERS_MAX + (watches->nr && !watches->all[0].query);
	int r = 0;

	for (size_t i = 0; r == 0 && i < rows->nr_rows && watches->nr < most; i++) {
		const struct kmt_row *row = &rows->rows[i];
		char *query;

		if (!row->call_site || is_suspect(rows, row) != wants_suspects)
			continue;
		query = query_of(row, which);
		if (!query)
			return kmt_fail(err, -ENOMEM, "out of memory");
		if (has_query(watches, query))
			free(query);
		else
			r = add(watches, context, query, ledger_options, err);
	}
	return r;
}

int kmt_watches_new(const struct kmt_watch_context *context, const struct kmt_result *rows,
		    enum kmt_watched which, struct kmt_ledger_options *ledger_options,
		    struct kmt_watches **ret_watches, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_watches_freep) struct kmt_watches *watches = calloc(1, sizeof(*watches));
	int r = 0;

	if (!watches)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (context->options->interval_ns)
		r = add(watches, context, NULL, ledger_options, err);
	if (r == 0)
		r = add_rows(watches, context, rows, which, true, ledger_options, err);
	if (r == 0 && which == KMT_WATCHED_FIRST)
		r = add_rows(watches, context, rows, which, false, ledger_options, err);
	if (r < 0)
		return r;
	ledger_options->watcher = (struct kmt_watcher){
		.context = watches,
		.is_watched = is_watched,
		.on_alloc = on_alloc,
		.on_free = on_free,
		.on_end = on_end,
	};
	*ret_watches = KMT_STEAL(watches);
	return 0;
}

void kmt_watches_set_ledger(struct kmt_watches *watches, const struct kmt_ledger *ledger)
{
	for (size_t i = 0; i < watches->nr; i++)
		kmt_watch_set_ledger(watches->all[i].watch, ledger);
}

int kmt_watches_note(struct kmt_watches *watches, const struct kmt_event *event)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < watches->nr; i++)
		r = kmt_watch_note(watches->all[i].watch, event);
	return r;
}

int kmt_watches_close(struct kmt_watches *watches, struct kmt_frames *frames, uint64_t end_ns,
		      struct kmt_err *err)
{
	int r = watches->error < 0 ? kmt_fail(err, watches->error, "out of memory") : 0;

	for (size_t i = 0; r == 0 && i < watches->nr; i++)
		r = kmt_watch_close(watches->all[i].watch, frames, end_ns, err);
	return r;
}

int kmt_watches_fill(struct kmt_watches *watches, struct kmt_result *result, struct kmt_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < watches->nr; i++)
		r = kmt_watch_fill(watches->all[i].watch, result, err);
	return r;
}

static bool has_dossier(const struct kmt_distilled *distilled, const struct kmt_dossier *dossier)
{
	for (size_t i = 0; i < distilled->nr_dossiers; i++)
		if (kmt_site_is(&distilled->dossiers[i].site, &dossier->site))
			return true;
	return false;
}

/* @text: of a result that goes soon */
static int intern(struct kmt_names *names, const char **text)
{
	if (!*text)
		return 0;
	*text = kmt_names_intern(names, *text, strlen(*text));
	return *text ? 0 : -ENOMEM;
}

static int intern_all(struct kmt_names *names, struct kmt_dossier *dossier)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < dossier->nr_tasks; i++)
		r = intern(names, &dossier->tasks[i].comm);
	for (size_t i = 0; r == 0 && i < dossier->nr_oldest; i++)
		r = intern(names, &dossier->oldest[i].comm);
	return r;
}

/* Takes those of one watch, as long as there is room. */
static int take_all(struct kmt_result *result, struct kmt_names *names,
		    struct kmt_distilled *distilled, size_t *nr_lines)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < result->nr_dossiers; i++) {
		struct kmt_dossier *dossier = &result->dossiers[i];
		size_t nr = dossier->nr_sizes + dossier->nr_flags + dossier->nr_tasks +
			    dossier->nr_freers;

		if (distilled->nr_dossiers == KMT_DOSSIERS_MAX || nr > LINES_MAX - *nr_lines ||
		    has_dossier(distilled, dossier))
			continue;
		*nr_lines += nr;
		r = intern_all(names, dossier);
		distilled->dossiers[distilled->nr_dossiers++] = *dossier;
		*dossier = (struct kmt_dossier){ 0 }; /* taken */
	}
	return r;
}

int kmt_watches_take(struct kmt_watches *watches, struct kmt_names *names,
		     struct kmt_distilled *distilled, struct kmt_err *err)
{
	size_t nr_lines = 0;
	int r = 0;

	distilled->dossiers = calloc(KMT_DOSSIERS_MAX, sizeof(*distilled->dossiers));
	if (!distilled->dossiers)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < watches->nr; i++) {
		KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;

		(void)((r = kmt_result_new(&result, err)) < 0 ||
		       (r = kmt_watch_fill(watches->all[i].watch, result, err)) < 0 ||
		       (r = take_all(result, names, distilled, &nr_lines)) < 0);
	}
	return r;
}
