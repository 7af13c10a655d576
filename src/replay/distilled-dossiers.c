// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "distilled.h"

/* Dossiers in books.zst: what was counted. Names of functions and flags are found again. */

#define TIME_MAX  ((uint64_t)INT64_MAX)
#define COUNT_MAX (UINT64_C(1) << 40)

int kmt_distilled_list_texts(const struct kmt_dossier *dossier, struct kmt_text_list *list)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < dossier->nr_tasks; i++)
		r = kmt_text_list_add(list, dossier->tasks[i].comm);
	for (size_t i = 0; r == 0 && i < dossier->nr_oldest; i++)
		r = kmt_text_list_add(list, dossier->oldest[i].comm);
	return r;
}

/* A sum of nanoseconds is a double: its bits, so that it is the same afterwards. */
static uint64_t bits_of(double number)
{
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

static void put_lists(FILE *file, const struct kmt_dossier *dossier,
		      const struct kmt_text_list *list)
{
	(void)fprintf(file, "sizes %zu\n", dossier->nr_sizes);
	for (size_t i = 0; i < dossier->nr_sizes; i++) {
		const struct kmt_dossier_size *size = &dossier->sizes[i];

		(void)fprintf(file, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			      size->requested, size->allocated, size->allocs, size->live);
	}
	(void)fprintf(file, "flags %zu\n", dossier->nr_flags);
	for (size_t i = 0; i < dossier->nr_flags; i++)
		(void)fprintf(file, "0x%" PRIx32 " %" PRIu64 "\n", dossier->flags[i].gfp,
			      dossier->flags[i].allocs);
	(void)fprintf(file, "tasks %zu\n", dossier->nr_tasks);
	for (size_t i = 0; i < dossier->nr_tasks; i++) {
		const struct kmt_dossier_task *task = &dossier->tasks[i];

		(void)fprintf(file, "%" PRIu64 " %" PRIu32 " %u %" PRIu64 " %" PRIu64 "\n",
			      kmt_text_list_find(list, task->comm), (uint32_t)task->pid,
			      task->running, task->allocs, task->live);
	}
}

static void put_freers(FILE *file, const struct kmt_dossier *dossier)
{
	(void)fprintf(file, "freers %zu\n", dossier->nr_freers);
	for (size_t i = 0; i < dossier->nr_freers; i++) {
		const struct kmt_dossier_freer *freer = &dossier->freers[i];
		const struct kmt_lifetimes *lived = &freer->lifetimes;

		(void)fprintf(file,
			      "0x%" PRIx64 " %" PRIu64 " %" PRIu32 " %" PRIu64 " %" PRIu64
			      " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			      freer->call_site, freer->first_ns, (uint32_t)freer->first_pid,
			      freer->frees, freer->in_interrupt, lived->nr, lived->min_ns,
			      lived->max_ns, bits_of(lived->sum_ns));
	}
}

static void put_oldest(FILE *file, const struct kmt_dossier *dossier,
		       const struct kmt_text_list *list)
{
	(void)fprintf(file, "oldest %zu\n", dossier->nr_oldest);
	for (size_t i = 0; i < dossier->nr_oldest; i++) {
		const struct kmt_dossier_object *object = &dossier->oldest[i];

		(void)fprintf(file,
			      "0x%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u %d %" PRIu64
			      " %" PRIu32 " %u 0x%" PRIx32 "\n",
			      object->ptr, object->time_ns, object->requested, object->allocated,
			      object->cpu, object->has_details,
			      kmt_text_list_find(list, object->comm), (uint32_t)object->pid,
			      object->running, object->gfp);
	}
}

void kmt_distilled_put_dossier(FILE *file, const struct kmt_dossier *dossier,
			       const struct kmt_text_list *list)
{
	const struct kmt_site *site = &dossier->site;

	(void)fprintf(file,
		      "dossier 0x%" PRIx64 " %" PRIu32 " %" PRIu32 " %u %" PRIu64 " %" PRIu64
		      " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		      site->call_site, site->instance, site->space, site->use, dossier->allocs,
		      dossier->frees, dossier->reused, dossier->live, dossier->remembered);
	kmt_books_put_row(file, dossier->live_ages, KMT_DOSSIER_AGES, KMT_ROW_PLAIN);
	kmt_books_put_row(file, dossier->freed_ages, KMT_DOSSIER_AGES, KMT_ROW_PLAIN);
	kmt_books_put_row(file, dossier->reused_ages, KMT_DOSSIER_AGES, KMT_ROW_PLAIN);
	(void)putc('\n', file);
	put_lists(file, dossier, list);
	put_freers(file, dossier);
	put_oldest(file, dossier, list);
}

/* The other way. */

static uint64_t get_count(struct kmt_books_scan *scan)
{
	return kmt_books_get(scan, COUNT_MAX);
}

static int32_t get_pid(struct kmt_books_scan *scan)
{
	return (int32_t)(uint32_t)kmt_books_get(scan, UINT32_MAX);
}

static enum kmt_running get_running(struct kmt_books_scan *scan)
{
	return (enum kmt_running)kmt_books_get(scan, KMT_RUNNING_HARDIRQ);
}

/* Room for a list of "@word NR". Return: 0 or -ENOMEM. */
static int open_list(struct kmt_books_scan *scan, const char *word, size_t bytes_each,
		     void **ret_list, size_t *ret_nr)
{
	size_t nr;

	kmt_books_expect(scan, word);
	nr = kmt_books_get_nr(scan, KMT_DOSSIER_LINES_MAX, 4);
	*ret_list = calloc(nr ? nr : 1, bytes_each);
	*ret_nr = *ret_list ? nr : 0;
	return *ret_list ? 0 : -ENOMEM;
}

static void get_sizes(struct kmt_books_scan *scan, struct kmt_dossier *dossier)
{
	for (size_t i = 0; i < dossier->nr_sizes; i++) {
		struct kmt_dossier_size *size = &dossier->sizes[i];

		size->requested = kmt_books_get(scan, UINT64_MAX);
		size->allocated = kmt_books_get(scan, UINT64_MAX);
		size->allocs = get_count(scan);
		size->live = get_count(scan);
	}
}

static void get_flags(struct kmt_books_scan *scan, struct kmt_dossier *dossier)
{
	for (size_t i = 0; i < dossier->nr_flags; i++) {
		dossier->flags[i].gfp = (uint32_t)kmt_books_get(scan, UINT32_MAX);
		dossier->flags[i].allocs = get_count(scan);
	}
}

static void get_tasks(struct kmt_books_scan *scan, const struct kmt_text_list *list,
		      struct kmt_dossier *dossier)
{
	for (size_t i = 0; i < dossier->nr_tasks; i++) {
		struct kmt_dossier_task *task = &dossier->tasks[i];

		task->comm = kmt_text_list_get(list, scan);
		task->pid = get_pid(scan);
		task->running = get_running(scan);
		task->allocs = get_count(scan);
		task->live = get_count(scan);
	}
}

/* Means of it are shown: it has to be a sum of so many. */
static double get_sum(struct kmt_books_scan *scan, const struct kmt_lifetimes *lived)
{
	uint64_t bits = kmt_books_get(scan, UINT64_MAX);
	double sum, most = (double)lived->nr * (double)lived->max_ns;

	memcpy(&sum, &bits, sizeof(sum));
	if (sum >= 0 && sum <= most * 1.001)
		return sum;
	kmt_books_wrong(scan, "a sum of lifetimes that is none");
	return 0;
}

static void get_freers(struct kmt_books_scan *scan, struct kmt_dossier *dossier)
{
	for (size_t i = 0; i < dossier->nr_freers; i++) {
		struct kmt_dossier_freer *freer = &dossier->freers[i];

		freer->call_site = kmt_books_get(scan, UINT64_MAX);
		freer->first_ns = kmt_books_get(scan, TIME_MAX);
		freer->first_pid = get_pid(scan);
		freer->frees = get_count(scan);
		freer->in_interrupt = get_count(scan);
		freer->lifetimes.nr = get_count(scan);
		freer->lifetimes.min_ns = kmt_books_get(scan, TIME_MAX);
		freer->lifetimes.max_ns = kmt_books_get(scan, TIME_MAX);
		freer->lifetimes.sum_ns = get_sum(scan, &freer->lifetimes);
	}
}

static void get_oldest(struct kmt_books_scan *scan, const struct kmt_text_list *list,
		       struct kmt_dossier *dossier)
{
	kmt_books_expect(scan, "oldest");
	dossier->nr_oldest = kmt_books_get_nr(scan, KMT_DOSSIER_OLDEST, 1);
	for (size_t i = 0; i < dossier->nr_oldest; i++) {
		struct kmt_dossier_object *object = &dossier->oldest[i];

		object->ptr = kmt_books_get(scan, UINT64_MAX);
		object->time_ns = kmt_books_get(scan, TIME_MAX);
		object->requested = kmt_books_get(scan, UINT64_MAX);
		object->allocated = kmt_books_get(scan, UINT64_MAX);
		object->cpu = (uint16_t)kmt_books_get(scan, UINT16_MAX);
		object->has_details = kmt_books_get(scan, 1);
		object->comm = kmt_text_list_get(list, scan);
		object->pid = get_pid(scan);
		object->running = get_running(scan);
		object->gfp = (uint32_t)kmt_books_get(scan, UINT32_MAX);
	}
}

static void get_head(struct kmt_books_scan *scan, bool has_space, struct kmt_dossier *dossier)
{
	kmt_books_expect(scan, "dossier");
	dossier->site.call_site = kmt_books_get(scan, UINT64_MAX);
	dossier->site.instance = (uint32_t)kmt_books_get(scan, UINT32_MAX);
	if (has_space) {
		dossier->site.space = (uint32_t)kmt_books_get(scan, KMT_SPACES_MAX - 1);
		dossier->site.use = (enum kmt_use)kmt_books_get(scan, KMT_USES - 1);
	}
	dossier->allocs = get_count(scan);
	dossier->frees = get_count(scan);
	dossier->reused = get_count(scan);
	dossier->live = get_count(scan);
	dossier->remembered = get_count(scan);
	kmt_books_get_row(scan, dossier->live_ages, KMT_DOSSIER_AGES, KMT_ROW_PLAIN, COUNT_MAX);
	kmt_books_get_row(scan, dossier->freed_ages, KMT_DOSSIER_AGES, KMT_ROW_PLAIN, COUNT_MAX);
	kmt_books_get_row(scan, dossier->reused_ages, KMT_DOSSIER_AGES, KMT_ROW_PLAIN, COUNT_MAX);
}

int kmt_distilled_get_dossier(struct kmt_books_scan *scan, const struct kmt_text_list *list,
			      bool has_space, struct kmt_dossier *dossier)
{
	void *lists[4] = { NULL };

	get_head(scan, has_space, dossier);
	if (open_list(scan, "sizes", sizeof(*dossier->sizes), &lists[0], &dossier->nr_sizes) < 0)
		return -ENOMEM;
	dossier->sizes = lists[0];
	get_sizes(scan, dossier);
	if (open_list(scan, "flags", sizeof(*dossier->flags), &lists[1], &dossier->nr_flags) < 0)
		return -ENOMEM;
	dossier->flags = lists[1];
	get_flags(scan, dossier);
	if (open_list(scan, "tasks", sizeof(*dossier->tasks), &lists[2], &dossier->nr_tasks) < 0)
		return -ENOMEM;
	dossier->tasks = lists[2];
	get_tasks(scan, list, dossier);
	if (open_list(scan, "freers", sizeof(*dossier->freers), &lists[3], &dossier->nr_freers) < 0)
		return -ENOMEM;
	dossier->freers = lists[3];
	get_freers(scan, dossier);
	get_oldest(scan, list, dossier);
	return 0;
}
