// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "kmemtape/result.h"

int kmt_result_new(struct kmt_result **ret_result, struct kmt_err *err)
{
	*ret_result = calloc(1, sizeof(**ret_result));
	return *ret_result ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}

static void free_list(char **texts, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(texts[i]);
	free(texts);
}

void kmt_result_free_rows(struct kmt_row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(rows[i].history);
		free(rows[i].judgement.reasons);
	}
	free(rows);
}

struct kmt_result *kmt_result_free(struct kmt_result *result)
{
	if (!result)
		return NULL;
	for (size_t i = 0; i < result->reconciliation.nr_vmallocs; i++)
		free(result->reconciliation.vmallocs[i].judgement.reasons);
	free(result->reconciliation.items);
	free(result->reconciliation.points);
	free(result->reconciliation.caches);
	free(result->reconciliation.vmallocs);
	for (size_t i = 0; i < result->nr_dossiers; i++)
		kmt_dossier_deinit(&result->dossiers[i]);
	free(result->dossiers);
	free(result->intervals);
	free(result->unknown_frees);
	free(result->suppressions);
	free_list(result->notes, result->nr_notes);
	free_list(result->texts, result->nr_texts);
	for (size_t i = 0; i < result->nr_filters; i++)
		free(result->filters[i]);
	free(result->filters);
	for (size_t i = 0; i < result->nr_frames; i++)
		free(result->frames[i]);
	free(result->frames);
	free(result->stacks);
	free(result->build_ids);
	kmt_result_free_rows(result->rows, result->nr_rows);
	free(result->path);
	free(result->kernel);
	free(result->arch);
	free(result->clock);
	free(result->host);
	free(result);
	return NULL;
}

/* Takes @text on success. */
static int append(char ***list, size_t *nr, char *text)
{
	char **grown = text ? *list : NULL;

	if (!text)
		return -ENOMEM;
	if ((*nr & (*nr - 1)) == 0) { /* full at every power of two */
		grown = reallocarray(*list, *nr ? *nr * 2 : 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		*list = grown;
	}
	(*list)[(*nr)++] = text;
	return 0;
}

int kmt_result_note(struct kmt_result *result, const char *fmt, ...)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	va_list args;
	int r;

	va_start(args, fmt);
	r = vasprintf(&text, fmt, args);
	va_end(args);
	if (r < 0) {
		text = NULL;
		return -ENOMEM;
	}
	r = append(&result->notes, &result->nr_notes, text);
	if (r == 0)
		text = NULL; /* taken */
	return r;
}

void kmt_result_drop_notes(struct kmt_result *result)
{
	free_list(result->notes, result->nr_notes);
	result->notes = NULL;
	result->nr_notes = 0;
}

int kmt_result_keep(struct kmt_result *result, const char *text, const char **ret_text)
{
	char *copy = text ? strdup(text) : NULL;
	int r;

	*ret_text = copy;
	if (!text)
		return 0;
	r = append(&result->texts, &result->nr_texts, copy);
	if (r < 0) {
		free(copy);
		*ret_text = NULL;
	}
	return r;
}

int kmt_result_keep_frames(struct kmt_result *result, struct kmt_frame *frames)
{
	size_t nr = result->nr_frames;

	if ((nr & (nr - 1)) == 0) { /* full at every power of two */
		struct kmt_frame **grown =
			reallocarray(result->frames, nr ? nr * 2 : 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		result->frames = grown;
	}
	result->frames[result->nr_frames++] = frames;
	return 0;
}

bool kmt_result_counts(const struct kmt_result *result, uint32_t space, enum kmt_use use)
{
	const struct kmt_space_sum *spaces = result->spaces;

	if (space != KMT_SPACE_PAGE)
		return true;
	switch (use) {
	case KMT_USE_SLAB:
		return !spaces[KMT_SPACE_SLAB].is_recorded;
	case KMT_USE_VMALLOC:
		return !spaces[KMT_SPACE_VMALLOC].is_recorded;
	case KMT_USE_PERCPU:
		return !spaces[KMT_SPACE_PERCPU].is_recorded;
	case KMT_USE_USER:
		return false;
	case KMT_USE_UNKNOWN:
		return !spaces[KMT_SPACE_SLAB].is_recorded &&
		       !spaces[KMT_SPACE_VMALLOC].is_recorded &&
		       !spaces[KMT_SPACE_PERCPU].is_recorded;
	default:
		return true;
	}
}

static int by_module(const void *left, const void *right)
{
	const struct kmt_build_id *a = left, *b = right;

	if (!a->module || !b->module)
		return !b->module - !a->module;
	return strcmp(a->module, b->module);
}

const char *kmt_result_build_id(const struct kmt_result *result, const char *module)
{
	struct kmt_build_id wanted = { .module = module };
	const struct kmt_build_id *found = NULL;

	if (result->nr_build_ids)
		found = bsearch(&wanted, result->build_ids, result->nr_build_ids, sizeof(wanted),
				by_module);
	return found ? found->id : NULL;
}

const struct kmt_row *kmt_result_site(const struct kmt_result *result, const struct kmt_site *site)
{
	for (size_t i = 0; result->group == KMT_BY_SITE && i < result->nr_rows; i++) {
		struct kmt_site other = kmt_row_site(&result->rows[i]);

		if (kmt_site_is(&other, site))
			return &result->rows[i];
	}
	return NULL;
}

const char *kmt_leak_name(enum kmt_leak leak)
{
	static const char *const names[] = {
		[KMT_LEAK_NONE] = "none",
		[KMT_LEAK_POSSIBLE] = "possible",
		[KMT_LEAK_LIKELY] = "likely",
	};

	return names[leak];
}

static int more_first(uint64_t a, uint64_t b)
{
	return a == b ? 0 : a > b ? -1 : 1;
}

static int by_text(const char *a, const char *b)
{
	if (!a || !b)
		return !b - !a;
	return strcmp(a, b);
}

static int by_frames(const struct kmt_row *a, const struct kmt_row *b)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->nr_frames && i < b->nr_frames; i++)
		(void)((r = more_first(b->frames[i].address, a->frames[i].address)) ||
		       (r = by_text(a->frames[i].module, b->frames[i].module)));
	return r ? r : more_first(b->nr_frames, a->nr_frames);
}

static int by_identity(const struct kmt_row *a, const struct kmt_row *b)
{
	int r;

	(void)((r = more_first(b->call_site, a->call_site)) ||
	       (r = a->is_unknown - b->is_unknown) || (r = by_text(a->module, b->module)) ||
	       (r = more_first(b->space, a->space)) || (r = by_text(a->function, b->function)) ||
	       (r = by_text(a->cache, b->cache)) || (r = (a->pid > b->pid) - (a->pid < b->pid)) ||
	       (r = by_text(a->comm, b->comm)) || (r = more_first(b->use, a->use)) ||
	       (r = more_first(b->bytes_each, a->bytes_each)) || (r = by_text(a->gfp, b->gfp)) ||
	       (r = more_first(a->frees, b->frees)) || (r = more_first(b->instance, a->instance)) ||
	       (r = by_frames(a, b)));
	return r;
}

/* Among the others the largest is of most interest, whatever keeps it. */
static bool is_suspect(const struct kmt_judgement *judgement)
{
	return judgement->class >= KMT_CLASS_UNCERTAIN;
}

/* In tenths: what is hardly more certain does not go before what is larger. */
static int tenths(double confidence)
{
	return confidence > 0 ? (int)(confidence * 10) : 0;
}

/* "foo.isra.0" is "foo". */
static bool is_function(const char *a, const char *b)
{
	size_t bytes = a ? strcspn(a, ".") : 0;

	return a && b && strcspn(b, ".") == bytes && strncmp(a, b, bytes) == 0;
}

/* The same address may be another function's later. */
bool kmt_result_blames(const struct kmt_result *result, const struct kmt_row *row)
{
	const struct kmt_verdict *verdict = &result->verdict;
	const char *owner = verdict->owner ? verdict->owner : verdict->function;

	if (!verdict->call_site)
		return false;
	if (result->group == KMT_BY_OWNER)
		return is_function(row->function, owner) &&
		       (!verdict->owner || by_text(row->module, verdict->owner_module) == 0);
	if (row->call_site != verdict->call_site || by_text(row->function, verdict->function) != 0)
		return false;
	return result->group != KMT_BY_STACK || !verdict->owner ||
	       is_function(row->owner, verdict->owner);
}

static int by_suspicion(const struct kmt_row *a, const struct kmt_row *b,
			const struct kmt_result *result)
{
	const struct kmt_judgement *x = &a->judgement, *y = &b->judgement;

	if (a->is_suppressed != b->is_suppressed)
		return a->is_suppressed - b->is_suppressed;
	if (kmt_result_blames(result, a) != kmt_result_blames(result, b))
		return kmt_result_blames(result, b) - kmt_result_blames(result, a);
	if (!is_suspect(x) && !is_suspect(y))
		return 0;
	if (x->class != y->class)
		return x->class > y->class ? -1 : 1;
	return tenths(y->confidence) - tenths(x->confidence);
}

struct order {
	enum kmt_sort sort;
	const struct kmt_result *result;
};

static int compare(const void *left, const void *right, void *context)
{
	const struct kmt_row *a = left, *b = right;
	const struct order *order = context;
	int r = 0;

	if (order->sort == KMT_SORT_SUSPICION)
		r = by_suspicion(a, b, order->result);
	else if (order->sort == KMT_SORT_OBJECTS)
		r = more_first(a->live_objects, b->live_objects);
	else if (order->sort == KMT_SORT_ALLOCS)
		r = more_first(a->allocs, b->allocs);
	else if (order->sort == KMT_SORT_AGE)
		r = more_first(a->oldest_age_ns, b->oldest_age_ns);
	(void)(r || (r = more_first(a->live_bytes, b->live_bytes)) ||
	       (r = more_first(a->live_objects, b->live_objects)) ||
	       (r = more_first(a->allocs, b->allocs)) || (r = by_identity(a, b)));
	return r;
}

void kmt_result_sort(struct kmt_result *result, enum kmt_sort sort)
{
	struct order order = { sort, result };

	if (result->nr_rows)
		qsort_r(result->rows, result->nr_rows, sizeof(*result->rows), compare, &order);
}
