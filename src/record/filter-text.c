// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "event-set.h"
#include "filter-text.h"

#define ORDER_MAX 40		   /* no kernel has blocks that large */
#define NEVER	  "call_site == 0" /* what was asked is not among these events */

/* One event's condition while it is made. */
struct maker {
	const struct kmt_filter *filter;
	const char *event, *format;
	unsigned int set;
	char *text;
	bool is_too_long;
};

bool kmt_filter_has_field(const char *format, const char *field)
{
	char declared[64];

	(void)snprintf(declared, sizeof(declared), " %s;", field);
	return strstr(format, declared);
}

static bool has_field(const struct maker *maker, const char *field)
{
	return kmt_filter_has_field(maker->format, field);
}

static void append(struct maker *maker, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void append(struct maker *maker, const char *fmt, ...)
{
	size_t used = strlen(maker->text);
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(maker->text + used, KMT_MANIFEST_TEXT_BYTES - used, fmt, args);
	va_end(args);
	maker->is_too_long |= n < 0 || (size_t)n >= KMT_MANIFEST_TEXT_BYTES - used;
}

/* In front of each condition. */
static void begin(struct maker *maker)
{
	if (*maker->text)
		append(maker, " && ");
}

static bool is_kmalloc_event(const struct maker *maker)
{
	return strncmp(maker->event, "kmem/kmalloc", strlen("kmem/kmalloc")) == 0;
}

static bool has_size_before(const struct kmt_cache_choice *choice, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (choice->caches[k].is_kmalloc &&
		    choice->caches[k].bytes == choice->caches[i].bytes)
			return true;
	return false;
}

/* kmalloc() tells the size of the objects of its cache only. */
static void add_kmalloc_sizes(struct maker *maker)
{
	const struct kmt_cache_choice *choice = maker->filter->cache;
	const char *between = "(";

	for (size_t i = 0; i < choice->nr; i++) {
		if (!choice->caches[i].is_kmalloc || has_size_before(choice, i))
			continue;
		append(maker, "%sbytes_alloc == %" PRIu64, between, choice->caches[i].bytes);
		between = " || ";
	}
	append(maker, "%s", *between == '(' ? NEVER : ")");
}

/* A pattern that begins with a digit matches nothing, one with '!' all the others, unless escaped:
 * filter_parse_regex() in Linux kernel/trace/trace_events_filter.c. */
static const char *escape_of(const struct kmt_cache_choice *choice)
{
	return choice->has_wildcard && strchr("!0123456789", *choice->pattern) ? "\\" : "";
}

static void add_cache_names(struct maker *maker)
{
	const struct kmt_cache_choice *choice = maker->filter->cache;

	append(maker, "(name %s \"%s%s\"", choice->has_wildcard ? "~" : "==", escape_of(choice),
	       choice->pattern);
	for (size_t i = 0; i < choice->nr; i++)
		if (*choice->caches[i].merged &&
		    strcmp(choice->caches[i].name, choice->pattern) != 0)
			append(maker, " || name == \"%s\"", choice->caches[i].name);
	append(maker, ")");
}

/* Before Linux 6.18 events don't name the cache: its sizes tell it from most of the others. */
static void add_cache_sizes(struct maker *maker)
{
	const struct kmt_cache_choice *choice = maker->filter->cache;
	const char *between = "(";

	for (size_t i = 0; i < choice->nr; i++) {
		const struct kmt_cache *cache = &choice->caches[i];

		if (cache->is_kmalloc)
			continue;
		append(maker, "%sbytes_alloc == %" PRIu64, between, cache->bytes);
		between = " || ";
	}
	append(maker, "%s", *between == '(' ? NEVER : ")");
}

static int add_cache(struct maker *maker, struct kmt_err *err)
{
	if (maker->set != KMT_RECORD_SLAB)
		return kmt_fail(err, -EINVAL,
				"--cache is about slab memory, and can't choose among events of "
				"%s memory: record it without, or with -e slab",
				kmt_event_set_word(maker->set));
	begin(maker);
	if (is_kmalloc_event(maker))
		add_kmalloc_sizes(maker);
	else if (has_field(maker, "name"))
		add_cache_names(maker);
	else
		add_cache_sizes(maker);
	return 0;
}

/* The smallest order of a block that is not smaller. */
static unsigned int order_of(uint64_t bytes, uint32_t page_bytes)
{
	unsigned int order = 0;

	while (order < ORDER_MAX && (uint64_t)page_bytes << order < bytes)
		order++;
	return order;
}

static void add_min_bytes(struct maker *maker)
{
	const struct kmt_filter *filter = maker->filter;
	unsigned int nr_cpus = filter->nr_possible_cpus ? filter->nr_possible_cpus : 1;
	unsigned int order = order_of(filter->min_bytes, filter->page_bytes);

	if (maker->set == KMT_RECORD_PAGE && order == 0)
		return; /* all of them are that large */
	begin(maker);
	switch (maker->set) {
	case KMT_RECORD_SLAB:
		append(maker, "bytes_alloc >= %" PRIu64, filter->min_bytes);
		return;
	case KMT_RECORD_PAGE:
		append(maker, "order >= %u", order);
		return;
	case KMT_RECORD_PERCPU:
		if (has_field(maker, "bytes_alloc")) /* of all CPUs; size is of one */
			append(maker, "bytes_alloc >= %" PRIu64, filter->min_bytes);
		else
			append(maker, "size >= %" PRIu64,
			       filter->min_bytes / nr_cpus + (filter->min_bytes % nr_cpus != 0));
		return;
	default:
		append(maker, "size >= %" PRIu64, filter->min_bytes);
	}
}

static int add_module(struct maker *maker, struct kmt_err *err)
{
	const struct kmt_module_range *module = maker->filter->module;
	const char *field = has_field(maker, "call_site") ? "call_site"
			    : has_field(maker, "caller")  ? "caller"
							  : NULL;

	if (!field)
		return kmt_fail(err, -EINVAL,
				"--module: events/%s doesn't tell who allocates: leave %s out of "
				"-e, or record it without --module",
				maker->event, kmt_event_set_word(maker->set));
	begin(maker);
	/* A call site is where the call returns to. */
	if (module->is_loaded)
		append(maker, "%s > 0x%" PRIx64 " && %s <= 0x%" PRIx64, field, module->start, field,
		       module->end);
	else
		append(maker, "(%s < 0x%" PRIx64 " || %s > 0x%" PRIx64 ")", field, module->start,
		       field, module->end);
	return 0;
}

int kmt_filter_text(const struct kmt_filter *filter, const char *event, unsigned int set,
		    const char *format, char text[KMT_MANIFEST_TEXT_BYTES], struct kmt_err *err)
{
	struct maker maker = {
		.filter = filter, .event = event, .format = format, .set = set, .text = text
	};
	int r = 0;

	*text = '\0';
	/* Nobody knows how large the objects of a pair are, or who calls its functions. */
	if (filter->cache && set)
		r = add_cache(&maker, err);
	if (r == 0 && filter->min_bytes && set)
		add_min_bytes(&maker);
	if (r == 0 && filter->module && set)
		r = add_module(&maker, err);
	if (r < 0)
		return r;
	if (filter->pid) {
		begin(&maker);
		append(&maker, "common_pid == %" PRId32, filter->pid);
	}
	if (filter->comm) {
		begin(&maker);
		append(&maker, "comm == \"%s\"", filter->comm);
	}
	if (maker.is_too_long)
		return kmt_fail(err, -E2BIG,
				"--cache: the condition on events/%s would be too long: '%s' means "
				"too many caches",
				event, filter->cache ? filter->cache->pattern : "");
	return 0;
}
