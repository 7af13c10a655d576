// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "dossier-parts.h"

void kmt_dossier_deinit(struct kmt_dossier *dossier)
{
	free(dossier->sizes);
	free(dossier->flags);
	free(dossier->tasks);
	free(dossier->freers);
	*dossier = (struct kmt_dossier){ 0 };
}

static int by_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_text(const char *a, const char *b)
{
	if (!a || !b)
		return !b - !a;
	return strcmp(a, b);
}

/* 0: the same thing, in two accounts */
static int by_key(const void *left, const void *right)
{
	const struct tally_key *a = left, *b = right; /* first in their lines */
	int r;

	(void)((r = by_text(a->text, b->text)) || (r = by_number(a->number, b->number)) ||
	       (r = by_number(a->second, b->second)) ||
	       (r = (a->pid > b->pid) - (a->pid < b->pid)));
	return r;
}

/* Most live first, then most that happened; what is equal in both, by its key. */
static int by_weight(const void *left, const void *right)
{
	const struct tally_line *a = left, *b = right;
	int r;

	(void)((r = by_number(b->live, a->live)) || (r = by_number(b->count, a->count)) ||
	       (r = by_key(&a->key, &b->key)));
	return r;
}

static void add_lifetimes(struct kmt_lifetimes *sum, const struct kmt_lifetimes *more)
{
	if (more->nr == 0)
		return;
	if (sum->nr == 0 || more->min_ns < sum->min_ns)
		sum->min_ns = more->min_ns;
	if (more->max_ns > sum->max_ns)
		sum->max_ns = more->max_ns;
	sum->sum_ns += more->sum_ns;
	sum->nr += more->nr;
}

static void add_line(struct tally_line *sum, const struct tally_line *more)
{
	if (more->first_ns < sum->first_ns) {
		sum->first_ns = more->first_ns;
		sum->first_pid = more->first_pid;
	}
	sum->count += more->count;
	sum->live += more->live;
	sum->in_interrupt += more->in_interrupt;
	add_lifetimes(&sum->lifetimes, &more->lifetimes);
}

/* The lines of one site, equal ones of its accounts summed up. Return: 0 or -ENOMEM. */
static int gather(const struct kmt_dossiers *dossiers, const struct tally *tally,
		  unsigned int number, struct tally_line **ret_lines, size_t *ret_nr)
{
	struct tally_line *lines = calloc(tally->nr ? tally->nr : 1, sizeof(*lines));
	size_t nr = 0, kept = 0;

	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < tally->nr; i++) {
		uint32_t file = dossiers->by_account[tally->lines[i].key.account];

		if (dossiers->files[file - 1].site == number && tally->lines[i].count)
			lines[nr++] = tally->lines[i];
	}
	if (nr)
		qsort(lines, nr, sizeof(*lines), by_key);
	for (size_t i = 1; i < nr; i++)
		if (by_key(&lines[kept].key, &lines[i].key) == 0)
			add_line(&lines[kept], &lines[i]);
		else
			lines[++kept] = lines[i];
	*ret_nr = nr ? kept + 1 : 0;
	if (nr)
		qsort(lines, *ret_nr, sizeof(*lines), by_weight);
	*ret_lines = lines;
	return 0;
}

static int fill_sizes(const struct kmt_dossiers *dossiers, unsigned int number,
		      struct kmt_dossier *dossier)
{
	KMT_CLEANUP(kmt_freep) struct tally_line *lines = NULL;
	size_t nr;

	if (gather(dossiers, &dossiers->sizes, number, &lines, &nr) < 0)
		return -ENOMEM;
	dossier->sizes = calloc(nr ? nr : 1, sizeof(*dossier->sizes));
	if (!dossier->sizes)
		return -ENOMEM;
	dossier->nr_sizes = nr;
	for (size_t i = 0; i < nr; i++)
		dossier->sizes[i] = (struct kmt_dossier_size){
			.requested = lines[i].key.number,
			.allocated = lines[i].key.second,
			.allocs = lines[i].count,
			.live = lines[i].live,
		};
	return 0;
}

static int fill_flags(const struct kmt_dossiers *dossiers, unsigned int number,
		      struct kmt_dossier *dossier)
{
	KMT_CLEANUP(kmt_freep) struct tally_line *lines = NULL;
	size_t nr;

	if (gather(dossiers, &dossiers->flags, number, &lines, &nr) < 0)
		return -ENOMEM;
	dossier->flags = calloc(nr ? nr : 1, sizeof(*dossier->flags));
	if (!dossier->flags)
		return -ENOMEM;
	dossier->nr_flags = nr;
	for (size_t i = 0; i < nr; i++)
		dossier->flags[i] = (struct kmt_dossier_flags){
			.gfp = (uint32_t)lines[i].key.number,
			.allocs = lines[i].count,
		};
	return 0;
}

static int fill_tasks(const struct kmt_dossiers *dossiers, unsigned int number,
		      struct kmt_dossier *dossier)
{
	KMT_CLEANUP(kmt_freep) struct tally_line *lines = NULL;
	size_t nr;

	if (gather(dossiers, &dossiers->tasks, number, &lines, &nr) < 0)
		return -ENOMEM;
	dossier->tasks = calloc(nr ? nr : 1, sizeof(*dossier->tasks));
	if (!dossier->tasks)
		return -ENOMEM;
	dossier->nr_tasks = nr;
	for (size_t i = 0; i < nr; i++)
		dossier->tasks[i] = (struct kmt_dossier_task){
			.comm = lines[i].key.text,
			.pid = lines[i].key.pid,
			.running = (enum kmt_running)lines[i].key.number,
			.allocs = lines[i].count,
			.live = lines[i].live,
		};
	return 0;
}

static int fill_freers(const struct kmt_dossiers *dossiers, unsigned int number,
		       struct kmt_dossier *dossier)
{
	KMT_CLEANUP(kmt_freep) struct tally_line *lines = NULL;
	size_t nr;

	if (gather(dossiers, &dossiers->freers, number, &lines, &nr) < 0)
		return -ENOMEM;
	dossier->freers = calloc(nr ? nr : 1, sizeof(*dossier->freers));
	if (!dossier->freers)
		return -ENOMEM;
	dossier->nr_freers = nr;
	for (size_t i = 0; i < nr; i++)
		dossier->freers[i] = (struct kmt_dossier_freer){
			.call_site = lines[i].key.number,
			.first_ns = lines[i].first_ns,
			.first_pid = lines[i].first_pid,
			.frees = lines[i].count,
			.in_interrupt = lines[i].in_interrupt,
			.lifetimes = lines[i].lifetimes,
		};
	return 0;
}

int kmt_dossiers_fill(const struct kmt_dossiers *dossiers, unsigned int number,
		      struct kmt_dossier *dossier)
{
	const struct site *site = &dossiers->sites[number];
	int r;

	dossier->allocs = site->allocs;
	dossier->frees = site->frees;
	dossier->reused = site->reused;
	dossier->live = site->live;
	dossier->remembered = site->remembered;
	memcpy(dossier->live_ages, site->live_ages, sizeof(site->live_ages));
	memcpy(dossier->freed_ages, site->freed_ages, sizeof(site->freed_ages));
	memcpy(dossier->reused_ages, site->reused_ages, sizeof(site->reused_ages));
	memcpy(dossier->oldest, site->oldest, sizeof(site->oldest));
	dossier->nr_oldest = site->nr_oldest;
	(void)((r = fill_sizes(dossiers, number, dossier)) < 0 ||
	       (r = fill_flags(dossiers, number, dossier)) < 0 ||
	       (r = fill_tasks(dossiers, number, dossier)) < 0 ||
	       (r = fill_freers(dossiers, number, dossier)) < 0);
	return r;
}
