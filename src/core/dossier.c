// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "dossier-parts.h"
#include "reach.h"

/* Linux include/linux/trace_events.h: enum trace_flag_type */
#define FLAG_HARDIRQ 0x08u
#define FLAG_SOFTIRQ 0x10u

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

uint64_t kmt_dossier_age_to(unsigned int bin)
{
	static const uint64_t ends[KMT_DOSSIER_AGES] = {
		MS, 10 * MS, 100 * MS, S, 10 * S, 60 * S, 600 * S, 3600 * S, 36000 * S, UINT64_MAX,
	};

	return ends[bin];
}

static unsigned int bin_of(uint64_t age_ns)
{
	unsigned int bin = 0;

	while (bin < KMT_DOSSIER_AGES - 1 && age_ns >= kmt_dossier_age_to(bin))
		bin++;
	return bin;
}

int kmt_dossiers_new(const struct kmt_dossiers_options *options, struct kmt_dossiers **ret_dossiers,
		     struct kmt_err *err)
{
	KMT_CLEANUP(kmt_dossiers_freep)
	struct kmt_dossiers *dossiers = calloc(1, sizeof(*dossiers));
	int r;

	if (!dossiers)
		return kmt_fail(err, -ENOMEM, "out of memory");
	dossiers->options = *options;
	tally_init(&dossiers->sizes, options->hash_seed);
	tally_init(&dossiers->flags, options->hash_seed);
	tally_init(&dossiers->tasks, options->hash_seed);
	tally_init(&dossiers->freers, options->hash_seed);
	r = kmt_liveset_new(&dossiers->remembered, err);
	if (r < 0)
		return r;
	kmt_liveset_set_seed(dossiers->remembered, options->hash_seed);
	dossiers->details = calloc(KMT_DOSSIER_DETAILS_MAX, sizeof(*dossiers->details));
	if (!dossiers->details)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < KMT_DOSSIER_DETAILS_MAX; i++)
		dossiers->details[i].next_free = i + 1;
	*ret_dossiers = KMT_STEAL(dossiers);
	return 0;
}

struct kmt_dossiers *kmt_dossiers_free(struct kmt_dossiers *dossiers)
{
	if (!dossiers)
		return NULL;
	tally_deinit(&dossiers->sizes);
	tally_deinit(&dossiers->flags);
	tally_deinit(&dossiers->tasks);
	tally_deinit(&dossiers->freers);
	(void)kmt_liveset_free(dossiers->remembered);
	free(dossiers->details);
	free(dossiers->files);
	free(dossiers->by_account);
	free(dossiers);
	return NULL;
}

/* Return: 0 or -ENOMEM. */
static int open_file(struct kmt_dossiers *dossiers, const struct kmt_account *account,
		     struct file **ret_file)
{
	uint32_t *by_account = reach(dossiers->by_account, &dossiers->nr_by_account, account->index,
				     sizeof(*by_account));
	struct file *files;

	if (!by_account)
		return -ENOMEM;
	dossiers->by_account = by_account;
	if (!by_account[account->index]) {
		files = reach(dossiers->files, &dossiers->room_files, dossiers->nr_files,
			      sizeof(*files));
		if (!files)
			return -ENOMEM;
		dossiers->files = files;
		files[dossiers->nr_files] = (struct file){ .site = NO_SITE };
		by_account[account->index] = (uint32_t)++dossiers->nr_files;
	}
	*ret_file = &dossiers->files[by_account[account->index] - 1];
	return 0;
}

static enum kmt_running running_of(const struct kmt_event *event)
{
	if (event->context & FLAG_HARDIRQ)
		return KMT_RUNNING_HARDIRQ;
	return event->context & FLAG_SOFTIRQ ? KMT_RUNNING_SOFTIRQ : KMT_RUNNING_TASK;
}

static struct detail detail_of(const struct kmt_event *event, const char *comm)
{
	enum kmt_running running = running_of(event);

	return (struct detail){
		.comm = comm,
		.gfp = event->gfp,
		.pid = running == KMT_RUNNING_TASK ? event->pid : -1,
		.running = running,
	};
}

static struct tally_key size_key(const struct kmt_account *account, uint64_t bytes_req)
{
	/* The live set keeps no more of it. */
	return (struct tally_key){ .account = account->index,
				   .number = bytes_req < UINT32_MAX ? bytes_req : UINT32_MAX,
				   .second = account->key.bytes_alloc };
}

static struct tally_key flags_key(const struct kmt_account *account, uint32_t gfp)
{
	return (struct tally_key){ .account = account->index, .number = gfp };
}

static struct tally_key task_key(const struct kmt_account *account, const struct detail *detail)
{
	return (struct tally_key){ .account = account->index,
				   .number = detail->running,
				   .text = detail->comm,
				   .pid = detail->pid };
}

/* Once more for @key, if it's on the list or there is room. */
static int count(struct tally *tally, const struct tally_key *key, struct tally_line **ret_line)
{
	int r = tally_open(tally, key, ret_line);

	if (*ret_line)
		(*ret_line)->count++;
	return r;
}

/* The later tasks are counted by name, if that is on the list: half of it is kept for names. */
static struct tally_key task_key_for(struct kmt_dossiers *dossiers,
				     const struct kmt_account *account, const struct detail *detail)
{
	struct tally_key key = task_key(account, detail);

	if (key.pid >= 0 && dossiers->tasks.nr >= KMT_DOSSIER_LINES_MAX / 2 &&
	    !tally_find(&dossiers->tasks, &key))
		key.pid = KMT_PID_OTHERS;
	return key;
}

static int remember(struct kmt_dossiers *dossiers, const struct kmt_event *event,
		    const struct detail *detail)
{
	struct kmt_object *object;
	uint32_t free_detail = dossiers->first_free;
	int r;

	if (free_detail >= KMT_DOSSIER_DETAILS_MAX)
		return 0;
	r = kmt_liveset_add(dossiers->remembered, event->ptr, &object);
	if (r != KMT_OBJECT_NEW)
		return r < 0 ? r : 0;
	dossiers->first_free = dossiers->details[free_detail].next_free;
	dossiers->details[free_detail] = *detail;
	object->account = free_detail;
	return 0;
}

/* Return: false if it was not remembered; else @ret_detail says how it was allocated. */
static bool forget(struct kmt_dossiers *dossiers, uint64_t ptr, struct detail *ret_detail)
{
	struct kmt_object *object = kmt_liveset_find(dossiers->remembered, ptr);
	struct detail *detail;

	if (!object)
		return false;
	detail = &dossiers->details[object->account];
	*ret_detail = *detail;
	detail->next_free = dossiers->first_free;
	dossiers->first_free = object->account;
	kmt_liveset_remove(dossiers->remembered, ptr, object);
	return true;
}

int kmt_dossiers_alloc(struct kmt_dossiers *dossiers, const struct kmt_account *account,
		       const struct kmt_event *event, const char *comm)
{
	struct detail detail = detail_of(event, comm);
	struct tally_key size = size_key(account, event->bytes_req);
	struct tally_key flags = flags_key(account, event->gfp);
	struct tally_key task = task_key_for(dossiers, account, &detail);
	struct tally_line *line;
	struct file *file;
	int r;

	(void)((r = open_file(dossiers, account, &file)) < 0 ||
	       (r = count(&dossiers->sizes, &size, &line)) < 0 ||
	       (r = count(&dossiers->flags, &flags, &line)) < 0 ||
	       (r = count(&dossiers->tasks, &task, &line)) < 0 ||
	       (r = remember(dossiers, event, &detail)) < 0);
	return r;
}

static void uncount(struct tally *tally, const struct tally_key *key)
{
	struct tally_line *line = tally_find(tally, key);

	if (line && line->count)
		line->count--;
}

/* The first of two events for one allocation: the task is the same, and so are the flags. */
static void take_back(struct kmt_dossiers *dossiers, const struct kmt_account *account,
		      const struct kmt_object *object, const struct kmt_event *event,
		      const char *comm)
{
	struct detail detail = detail_of(event, comm), remembered;
	struct tally_key size = size_key(account, object->bytes_req), flags, task;

	if (forget(dossiers, event->ptr, &remembered))
		detail = remembered;
	flags = flags_key(account, detail.gfp);
	task = task_key_for(dossiers, account, &detail);
	uncount(&dossiers->sizes, &size);
	uncount(&dossiers->flags, &flags);
	uncount(&dossiers->tasks, &task);
}

static void add_lifetime(struct kmt_lifetimes *lifetimes, uint64_t ns)
{
	if (lifetimes->nr == 0 || ns < lifetimes->min_ns)
		lifetimes->min_ns = ns;
	if (ns > lifetimes->max_ns)
		lifetimes->max_ns = ns;
	lifetimes->sum_ns += (double)ns;
	lifetimes->nr++;
}

/* @object: NULL: nobody knows when it was allocated. */
static int count_freer(struct kmt_dossiers *dossiers, const struct kmt_account *account,
		       const struct kmt_object *object, const struct kmt_event *event)
{
	bool is_kernel = event->call_site - dossiers->options.kernel_from <
			 dossiers->options.kernel_to - dossiers->options.kernel_from;
	struct tally_key key = { .account = account->index,
				 .number = event->call_site,
				 .second = is_kernel ? 0 : dossiers->nr_modules_passed };
	struct tally_line *line;
	int r = count(&dossiers->freers, &key, &line);

	if (r < 0 || !line)
		return r;
	if (line->count == 1) {
		line->first_ns = event->time_ns;
		line->first_pid = event->pid;
	}
	line->in_interrupt += running_of(event) != KMT_RUNNING_TASK;
	if (object)
		add_lifetime(&line->lifetimes, event->time_ns - object->time_ns);
	return 0;
}

/* Its reuse came at most a millisecond before: its age was nearly the same. */
static void correct_late(struct file *file)
{
	if (file->reused_ages[file->last_reused_bin])
		file->reused_ages[file->last_reused_bin]--;
	file->freed_ages[file->last_reused_bin]++;
}

int kmt_dossiers_end(struct kmt_dossiers *dossiers, const struct kmt_account *account,
		     const struct kmt_object *object, enum kmt_end how,
		     const struct kmt_event *event, const char *comm)
{
	struct detail detail;
	struct file *file;
	unsigned int bin;
	int r = open_file(dossiers, account, &file);

	if (r < 0)
		return r;
	if (how == KMT_END_REPLACED) {
		take_back(dossiers, account, object, event, comm);
		return 0;
	}
	if (how == KMT_END_LATE) {
		correct_late(file);
		return count_freer(dossiers, account, NULL, event);
	}
	(void)forget(dossiers, event->ptr, &detail);
	bin = bin_of(event->time_ns - object->time_ns);
	if (how == KMT_END_REUSED) {
		file->reused_ages[bin]++;
		file->last_reused_bin = bin;
		return 0;
	}
	file->freed_ages[bin]++;
	return count_freer(dossiers, account, object, event);
}

void kmt_dossiers_pass_module(struct kmt_dossiers *dossiers)
{
	dossiers->nr_modules_passed++;
}

void kmt_dossiers_set_end(struct kmt_dossiers *dossiers, uint64_t end_ns)
{
	dossiers->end_ns = end_ns;
}

int kmt_dossiers_assign(struct kmt_dossiers *dossiers, const struct kmt_account *account,
			unsigned int number)
{
	struct site *site = &dossiers->sites[number];
	struct file *file;
	int r = open_file(dossiers, account, &file);

	if (r < 0)
		return r;
	file->site = number;
	site->allocs += account->allocs;
	site->frees += account->frees;
	site->reused += account->reused;
	for (unsigned int i = 0; i < KMT_DOSSIER_AGES; i++) {
		site->freed_ages[i] += file->freed_ages[i];
		site->reused_ages[i] += file->reused_ages[i];
	}
	return 0;
}

static bool is_older(const struct kmt_dossier_object *a, const struct kmt_dossier_object *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->ptr < b->ptr;
}

/* Objects come in no order: the oldest of them stay, in order. */
static void keep_oldest(struct site *site, const struct kmt_dossier_object *object)
{
	size_t i = site->nr_oldest;

	if (i == KMT_DOSSIER_OLDEST) {
		if (!is_older(object, &site->oldest[i - 1]))
			return;
		i--;
	} else {
		site->nr_oldest++;
	}
	for (; i > 0 && is_older(object, &site->oldest[i - 1]); i--)
		site->oldest[i] = site->oldest[i - 1];
	site->oldest[i] = *object;
}

static void count_live_task(struct kmt_dossiers *dossiers, const struct kmt_account *account,
			    const struct detail *detail)
{
	struct tally_key key = task_key(account, detail);
	struct tally_line *line = tally_find(&dossiers->tasks, &key);

	if (!line) {
		key.pid = KMT_PID_OTHERS;
		line = tally_find(&dossiers->tasks, &key);
	}
	if (line)
		line->live++;
}

int kmt_dossiers_live(struct kmt_dossiers *dossiers, const struct kmt_account *account,
		      uint64_t ptr, const struct kmt_object *object)
{
	const struct kmt_object *remembered = kmt_liveset_find(dossiers->remembered, ptr);
	const struct detail *detail = remembered ? &dossiers->details[remembered->account] : NULL;
	struct tally_key size = size_key(account, object->bytes_req);
	struct tally_line *line = tally_find(&dossiers->sizes, &size);
	struct kmt_dossier_object entry = {
		.ptr = ptr,
		.time_ns = object->time_ns,
		.requested = object->bytes_req,
		.allocated = account->key.bytes_alloc,
		.cpu = object->cpu,
	};
	struct file *file;
	struct site *site;
	int r = open_file(dossiers, account, &file);

	if (r < 0 || file->site == NO_SITE)
		return r;
	site = &dossiers->sites[file->site];
	site->live++;
	site->live_ages[bin_of(dossiers->end_ns - object->time_ns)]++;
	if (line)
		line->live++;
	if (detail) {
		site->remembered++;
		count_live_task(dossiers, account, detail);
		entry.has_details = true;
		entry.comm = detail->comm;
		entry.pid = detail->pid;
		entry.running = detail->running;
		entry.gfp = detail->gfp;
	}
	keep_oldest(site, &entry);
	return 0;
}
