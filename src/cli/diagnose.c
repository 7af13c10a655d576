// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/capabilities.h"
#include "kmemtape/units.h"

#include "diagnose.h"

/*
 * A share of the memory proves nothing: it is worth a second look, and no more. Healthy servers
 * stay below; what they hold that can be given back is not meant. The floor is for tiny machines,
 * where what every kernel needs is a large share.
 */
#define SHARE_LARGE	   10u /* percent of the memory: unreclaimable slab, vmalloc, page tables */
#define SHARE_CACHE	   5u  /* percent: one slab cache, one caller of vmalloc, per-CPU memory */
#define LARGE_BYTES_MIN	   (UINT64_C(128) << 20)
/*
 * What meminfo doesn't sum up to: drivers and network that take whole pages, free lists of the
 * CPUs, page tables of the kernel (https://linux-mm.org/WhereDidMyMemoryGo). 1 to 3 % are usual;
 * balloons of virtual machines and GPUs take any amount.
 */
#define SHARE_UNACCOUNTED  10u
#define DYING_CGROUPS_MANY 1000u
/* Less may be the noise of a machine that does something. */
#define GROWN_BYTES_MIN	   (UINT64_C(128) << 10)
#define GROWN_OBJECTS_MIN  32
#define FINDINGS_GROWING   8u /* lines of them; all are marked in the tables */
#define NS_PER_S	   1e9
#define NS_PER_HOUR	   3600e9

typedef uint64_t (*read_fn)(const struct kmt_counters *reading, const char *name);

/* One counter over the readings. */
struct series {
	uint64_t values[KMT_HOST_READINGS_MAX];
	size_t nr;
};

/*
 * Steady: all of the second half is above all of the first. Something that swings, or was swallowed
 * at once, is not; two readings alone don't tell, but that is all there is then.
 */
static bool is_rising(const struct series *series, uint64_t least)
{
	uint64_t most_before = 0, least_behind = UINT64_MAX;

	if (series->nr < 2)
		return false;
	for (size_t i = 0; i < series->nr; i++) {
		bool is_behind = i >= (series->nr + 1) / 2;

		if (is_behind && series->values[i] < least_behind)
			least_behind = series->values[i];
		if (!is_behind && series->values[i] > most_before)
			most_before = series->values[i];
	}
	return least_behind > most_before &&
	       series->values[series->nr - 1] >= series->values[0] + least;
}

/* --- one number from a reading --- */

static uint64_t known(uint64_t value)
{
	return value == KMT_COUNTER_UNKNOWN ? 0 : value;
}

static uint64_t page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t slab_bytes(const struct kmt_slab *slab)
{
	return slab->slabs * slab->pages_a_slab * page_bytes();
}

static uint64_t cache_bytes_in(const struct kmt_counters *reading, const char *name)
{
	const struct kmt_slab *slab = kmt_counters_find_slab(reading, name);

	return slab ? slab_bytes(slab) : 0;
}

static uint64_t cache_objects_in(const struct kmt_counters *reading, const char *name)
{
	const struct kmt_slab *slab = kmt_counters_find_slab(reading, name);

	return slab ? slab->active_objects : 0;
}

static uint64_t caller_bytes_in(const struct kmt_counters *reading, const char *name)
{
	const struct kmt_vmalloc_caller *caller = kmt_counters_find_caller(reading, name);

	return caller ? caller->pages * page_bytes() : 0;
}

static uint64_t caller_areas_in(const struct kmt_counters *reading, const char *name)
{
	const struct kmt_vmalloc_caller *caller = kmt_counters_find_caller(reading, name);

	return caller ? caller->areas : 0;
}

/* Where meminfo doesn't say (it was zero from Linux 4.4 to 5.2), by the areas. */
static uint64_t vmalloc_bytes(const struct kmt_counters *reading)
{
	uint64_t bytes = known(reading->mem[KMT_MEM_VMALLOC_USED]), pages = 0;

	if (bytes || !reading->has_callers)
		return bytes;
	for (size_t i = 0; i < reading->nr_callers; i++)
		pages += reading->callers[i].pages;
	return pages * page_bytes();
}

/* Stacks that are in VmallocUsed, too. */
static uint64_t stack_bytes_outside(const struct kmt_counters *reading)
{
	uint64_t bytes = known(reading->mem[KMT_MEM_KERNEL_STACK]), pages = 0;
	bool is_stack;

	for (size_t i = 0; i < reading->nr_callers; i++)
		if (kmt_vmalloc_excuse(reading->callers[i].caller, &is_stack) && is_stack)
			pages += reading->callers[i].pages;
	return pages * page_bytes() < bytes ? bytes - pages * page_bytes() : 0;
}

static uint64_t kernel_bytes(const struct kmt_counters *reading)
{
	return known(reading->mem[KMT_MEM_SUNRECLAIM]) + known(reading->mem[KMT_MEM_SRECLAIMABLE]) +
	       vmalloc_bytes(reading) + stack_bytes_outside(reading) +
	       known(reading->mem[KMT_MEM_PAGE_TABLES]) +
	       known(reading->mem[KMT_MEM_SEC_PAGE_TABLES]) + known(reading->mem[KMT_MEM_PERCPU]) +
	       known(reading->mem[KMT_MEM_BOUNCE]);
}

/*
 * Without what comes with tasks, and is no finding. Where root alone could tell, by KernelStack:
 * stacks are vmalloc areas on nearly all kernels (VMAP_STACK).
 */
static uint64_t read_vmalloc_but_excused(const struct kmt_counters *reading, const char *name)
{
	uint64_t bytes = vmalloc_bytes(reading), excused = 0;
	bool is_stack;

	for (size_t i = 0; i < reading->nr_callers; i++)
		if (kmt_vmalloc_excuse(reading->callers[i].caller, &is_stack))
			excused += reading->callers[i].pages * page_bytes();
	if (!reading->has_callers)
		excused = known(reading->mem[KMT_MEM_KERNEL_STACK]);
	return excused < bytes ? bytes - excused : 0;
}

/* Used, and in none of the counters. */
static uint64_t unaccounted_bytes(const struct kmt_counters *reading)
{
	static const enum kmt_meminfo others[] = {
		KMT_MEM_FREE, KMT_MEM_BUFFERS, KMT_MEM_CACHED, KMT_MEM_SWAP_CACHED,
		KMT_MEM_ANON, KMT_MEM_HUGETLB, KMT_MEM_ZSWAP,
	};
	uint64_t bytes = kernel_bytes(reading), total = known(reading->mem[KMT_MEM_TOTAL]);
	uint64_t kreclaimable = known(reading->mem[KMT_MEM_KRECLAIMABLE]);

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		bytes += known(reading->mem[others[i]]);
	if (kreclaimable > known(reading->mem[KMT_MEM_SRECLAIMABLE]))
		bytes += kreclaimable - known(reading->mem[KMT_MEM_SRECLAIMABLE]);
	return total > bytes ? total - bytes : 0;
}

/* --- items --- */

static const struct kmt_counters *last_of(const struct kmt_host *host)
{
	return &host->readings[host->nr_readings - 1];
}

static void fill_growth(const struct kmt_host *host, struct kmt_diagnosis_item *item, read_fn bytes,
			read_fn count, const char *name)
{
	struct series by_bytes = { .nr = host->nr_readings }, by_count = by_bytes;

	for (size_t i = 0; i < host->nr_readings; i++) {
		by_bytes.values[i] = bytes(&host->readings[i], name);
		if (count)
			by_count.values[i] = count(&host->readings[i], name);
	}
	item->bytes = by_bytes.values[by_bytes.nr - 1];
	item->grown_bytes = (int64_t)(item->bytes - by_bytes.values[0]);
	item->is_growing = is_rising(&by_bytes, GROWN_BYTES_MIN);
	if (!count)
		return;
	item->count = by_count.values[by_count.nr - 1];
	item->grown_count = (int64_t)(item->count - by_count.values[0]);
	item->is_growing &= is_rising(&by_count, GROWN_OBJECTS_MIN);
}

static uint64_t read_mem(const struct kmt_counters *reading, const char *name)
{
	for (size_t i = 0; i < KMT_MEM_KINDS; i++)
		if (strcmp(kmt_meminfo_name((enum kmt_meminfo)i), name) == 0)
			return known(reading->mem[i]);
	return 0;
}

static uint64_t read_vmalloc(const struct kmt_counters *reading, const char *name)
{
	return vmalloc_bytes(reading);
}

static uint64_t read_unaccounted(const struct kmt_counters *reading, const char *name)
{
	return unaccounted_bytes(reading);
}

static void add_memory(const struct kmt_host *host, struct kmt_diagnosis *diagnosis,
		       const char *name, read_fn read)
{
	struct kmt_diagnosis_item *item = &diagnosis->memory[diagnosis->nr_memory++];

	*item = (struct kmt_diagnosis_item){ .is_reclaimable = strcmp(name, "SReclaimable") == 0 };
	(void)snprintf(item->name, sizeof(item->name), "%s", name);
	fill_growth(host, item, read, NULL, name);
}

static void fill_memory(const struct kmt_host *host, struct kmt_diagnosis *diagnosis)
{
	static const enum kmt_meminfo kinds[] = {
		KMT_MEM_SUNRECLAIM,  KMT_MEM_SRECLAIMABLE,    KMT_MEM_PERCPU,
		KMT_MEM_PAGE_TABLES, KMT_MEM_SEC_PAGE_TABLES, KMT_MEM_KERNEL_STACK,
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (last_of(host)->mem[kinds[i]] != KMT_COUNTER_UNKNOWN)
			add_memory(host, diagnosis, kmt_meminfo_name(kinds[i]), read_mem);
	add_memory(host, diagnosis, "VmallocUsed", read_vmalloc);
	add_memory(host, diagnosis, "unaccounted", read_unaccounted);
}

static int by_importance(const void *left, const void *right)
{
	const struct kmt_diagnosis_item *a = left, *b = right;

	if (a->is_growing != b->is_growing)
		return b->is_growing - a->is_growing;
	if (a->is_growing && a->grown_bytes != b->grown_bytes)
		return a->grown_bytes > b->grown_bytes ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Return: how many of @items are kept in @to. */
static size_t keep_largest(struct kmt_diagnosis_item *items, size_t nr,
			   struct kmt_diagnosis_item to[KMT_DIAGNOSIS_ITEMS_MAX])
{
	size_t kept = 0;

	if (nr)
		qsort(items, nr, sizeof(*items), by_importance);
	while (kept < nr && kept < KMT_DIAGNOSIS_ITEMS_MAX &&
	       (items[kept].bytes || items[kept].grown_bytes)) {
		to[kept] = items[kept];
		kept++;
	}
	return kept;
}

static int fill_caches(const struct kmt_host *host, struct kmt_diagnosis *diagnosis)
{
	const struct kmt_counters *last = last_of(host);
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis_item *items = NULL;

	diagnosis->has_caches = last->has_slabs;
	items = calloc(last->nr_slabs ? last->nr_slabs : 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < last->nr_slabs; i++) {
		const char *name = last->slabs[i].name;

		(void)snprintf(items[i].name, sizeof(items[i].name), "%s", name);
		fill_growth(host, &items[i], cache_bytes_in, cache_objects_in, name);
		items[i].is_reclaimable = last->slabs[i].is_reclaimable;
	}
	diagnosis->nr_caches = keep_largest(items, last->nr_slabs, diagnosis->caches);
	return 0;
}

static int fill_callers(const struct kmt_host *host, struct kmt_diagnosis *diagnosis)
{
	const struct kmt_counters *last = last_of(host);
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis_item *items = NULL;

	diagnosis->has_callers = last->has_callers;
	items = calloc(last->nr_callers ? last->nr_callers : 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < last->nr_callers; i++) {
		const char *name = last->callers[i].caller;
		struct series areas = { .nr = host->nr_readings };

		(void)snprintf(items[i].name, sizeof(items[i].name), "%s", name);
		fill_growth(host, &items[i], caller_bytes_in, NULL, name);
		for (size_t k = 0; k < areas.nr; k++)
			areas.values[k] = caller_areas_in(&host->readings[k], name);
		items[i].count = areas.values[areas.nr - 1];
		items[i].grown_count = (int64_t)(items[i].count - areas.values[0]);
	}
	diagnosis->nr_callers = keep_largest(items, last->nr_callers, diagnosis->callers);
	return 0;
}

/* --- modules --- */

static bool is_out_of_tree(const struct kmt_diagnosis_module *module)
{
	return strchr(module->taint, 'O') || strchr(module->taint, 'P');
}

static int by_suspicion(const void *left, const void *right)
{
	const struct kmt_diagnosis_module *a = left, *b = right;

	if (is_out_of_tree(a) != is_out_of_tree(b))
		return is_out_of_tree(b) - is_out_of_tree(a);
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int fill_modules(const struct kmt_host *host, struct kmt_diagnosis *diagnosis)
{
	size_t nr = host->nr_modules, bytes = nr * sizeof(*host->modules);
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis_module *sorted = malloc(bytes ? bytes : 1);

	if (!sorted)
		return -ENOMEM;
	if (nr) {
		memcpy(sorted, host->modules, bytes);
		qsort(sorted, nr, sizeof(*sorted), by_suspicion);
	}
	diagnosis->has_modules = host->has_modules;
	diagnosis->nr_all_modules = nr;
	while (diagnosis->nr_modules < nr && diagnosis->nr_modules < KMT_DIAGNOSIS_ITEMS_MAX) {
		diagnosis->modules[diagnosis->nr_modules] = sorted[diagnosis->nr_modules];
		diagnosis->nr_modules++;
	}
	return 0;
}

/* --- findings --- */

static void find(struct kmt_diagnosis *diagnosis, enum kmt_suspicion suspicion, const char *fmt,
		 ...) __attribute__((format(printf, 3, 4)));

static void find(struct kmt_diagnosis *diagnosis, enum kmt_suspicion suspicion, const char *fmt,
		 ...)
{
	struct kmt_diagnosis_finding *finding;
	va_list args;

	if (diagnosis->nr_findings == KMT_DIAGNOSIS_LINES_MAX)
		return;
	finding = &diagnosis->findings[diagnosis->nr_findings++];
	finding->suspicion = suspicion;
	va_start(args, fmt);
	(void)vsnprintf(finding->text, sizeof(finding->text), fmt, args);
	va_end(args);
}

static double percent(const struct kmt_diagnosis *diagnosis, uint64_t bytes)
{
	return diagnosis->total_bytes ? 100.0 * (double)bytes / (double)diagnosis->total_bytes : 0;
}

static bool is_large(const struct kmt_diagnosis *diagnosis, uint64_t bytes, unsigned int share)
{
	return bytes >= LARGE_BYTES_MIN && percent(diagnosis, bytes) >= share;
}

static const char *format_rate(char buf[KMT_UNITS_BYTES], const struct kmt_diagnosis *diagnosis,
			       int64_t grown_bytes)
{
	double hour = diagnosis->watched_ns
			      ? (double)grown_bytes * NS_PER_HOUR / (double)diagnosis->watched_ns
			      : 0;

	return kmt_format_size(buf, hour > 0 ? (uint64_t)hour : 0);
}

static void find_growing(struct kmt_diagnosis *diagnosis, const struct kmt_diagnosis_item *item,
			 const char *what)
{
	char bytes[KMT_UNITS_BYTES], rate[KMT_UNITS_BYTES];

	find(diagnosis, KMT_SUSPICION_GROWING, "%s%s grows: +%s, %s an hour", what, item->name,
	     kmt_format_size(bytes, (uint64_t)item->grown_bytes),
	     format_rate(rate, diagnosis, item->grown_bytes));
}

static int by_growth(const void *left, const void *right)
{
	const struct kmt_diagnosis_item *a = *(const struct kmt_diagnosis_item *const *)left;
	const struct kmt_diagnosis_item *b = *(const struct kmt_diagnosis_item *const *)right;

	if (a->grown_bytes != b->grown_bytes)
		return a->grown_bytes > b->grown_bytes ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Reclaimable caches grow on every machine that reads files; stacks and page tables with its tasks.
 */
static void find_growing_items(struct kmt_diagnosis *diagnosis)
{
	const struct kmt_diagnosis_item *growing[2 * KMT_DIAGNOSIS_ITEMS_MAX];
	bool is_stack;
	size_t nr = 0;

	for (size_t i = 0; i < diagnosis->nr_callers; i++)
		if (diagnosis->callers[i].is_growing &&
		    !kmt_vmalloc_excuse(diagnosis->callers[i].name, &is_stack))
			growing[nr++] = &diagnosis->callers[i];
	for (size_t i = 0; i < diagnosis->nr_caches; i++)
		if (diagnosis->caches[i].is_growing && !diagnosis->caches[i].is_reclaimable)
			growing[nr++] = &diagnosis->caches[i];
	if (nr)
		qsort(growing, nr, sizeof(growing[0]), by_growth);
	for (size_t i = 0; i < nr && i < FINDINGS_GROWING; i++)
		find_growing(diagnosis, growing[i],
			     growing[i] >= diagnosis->callers &&
					     growing[i] < diagnosis->callers + diagnosis->nr_callers
				     ? "vmalloc by "
				     : "the cache ");
}

/* What moves by so little all the time is not marked, either. */
static bool is_noise(const struct kmt_diagnosis_item *item, uint64_t least)
{
	return item->grown_bytes < (int64_t)least;
}

static bool is_excused(const struct kmt_host *host, const struct kmt_diagnosis_item *item)
{
	struct kmt_diagnosis_item rest = { .name = "" };

	if (strcmp(item->name, "VmallocUsed") != 0)
		return false;
	fill_growth(host, &rest, read_vmalloc_but_excused, NULL, item->name);
	return !rest.is_growing;
}

static void find_growing_memory(const struct kmt_host *host, struct kmt_diagnosis *diagnosis)
{
	static const struct {
		const char *name;
		uint64_t least;
	} rules[] = {
		{ "SUnreclaim", GROWN_BYTES_MIN },
		{ "VmallocUsed", GROWN_BYTES_MIN },
		{ "Percpu", GROWN_BYTES_MIN },
		/* free lists of the CPUs move it, and pages on their way to a counter */
		{ "unaccounted", UINT64_C(64) << 20 },
	};

	for (size_t i = 0; i < diagnosis->nr_memory; i++)
		for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++) {
			struct kmt_diagnosis_item *item = &diagnosis->memory[i];

			if (strcmp(item->name, rules[k].name) != 0)
				continue;
			item->is_growing &= !is_noise(item, rules[k].least);
			if (item->is_growing && !is_excused(host, item))
				find_growing(diagnosis, item, "");
		}
}

static bool is_any_growing(const struct kmt_diagnosis_item *items, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (items[i].is_growing)
			return true;
	return false;
}

/* Not a finding, but marked in the tables: the headline must not deny it. */
static const char *growth_text(const struct kmt_diagnosis *diagnosis)
{
	if (!diagnosis->watched_ns)
		return "";
	if (is_any_growing(diagnosis->memory, diagnosis->nr_memory) ||
	    is_any_growing(diagnosis->caches, diagnosis->nr_caches) ||
	    is_any_growing(diagnosis->callers, diagnosis->nr_callers))
		return ", only what tasks and files take kept growing in ";
	return ", nothing kept growing in ";
}

static void find_large_memory(struct kmt_diagnosis *diagnosis)
{
	static const struct {
		const char *name, *text;
		unsigned int share;
	} rules[] = {
		{ "SUnreclaim", "slab that can't be given back (SUnreclaim)", SHARE_LARGE },
		{ "VmallocUsed", "vmalloc (VmallocUsed)", SHARE_LARGE },
		{ "PageTables", "page tables of processes (PageTables)", SHARE_LARGE },
		{ "Percpu", "per-CPU memory (Percpu), which cgroups and BPF maps take",
		  SHARE_CACHE },
		{ "unaccounted",
		  "memory that no counter shows: whole pages of drivers, or a balloon",
		  SHARE_UNACCOUNTED },
	};
	char bytes[KMT_UNITS_BYTES];

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		for (size_t k = 0; k < diagnosis->nr_memory; k++) {
			const struct kmt_diagnosis_item *item = &diagnosis->memory[k];

			if (strcmp(item->name, rules[i].name) == 0 &&
			    is_large(diagnosis, item->bytes, rules[i].share))
				find(diagnosis, KMT_SUSPICION_WATCH,
				     "%s, %.0f %% of the memory: %s",
				     kmt_format_size(bytes, item->bytes),
				     percent(diagnosis, item->bytes), rules[i].text);
		}
}

static void find_large_items(struct kmt_diagnosis *diagnosis)
{
	char bytes[KMT_UNITS_BYTES];

	for (size_t i = 0; i < diagnosis->nr_caches; i++)
		if (!diagnosis->caches[i].is_reclaimable &&
		    is_large(diagnosis, diagnosis->caches[i].bytes, SHARE_CACHE))
			find(diagnosis, KMT_SUSPICION_WATCH,
			     "%s, %.0f %% of the memory: the cache %s",
			     kmt_format_size(bytes, diagnosis->caches[i].bytes),
			     percent(diagnosis, diagnosis->caches[i].bytes),
			     diagnosis->caches[i].name);
	for (size_t i = 0; i < diagnosis->nr_callers; i++)
		if (is_large(diagnosis, diagnosis->callers[i].bytes, SHARE_CACHE))
			find(diagnosis, KMT_SUSPICION_WATCH,
			     "%s, %.0f %% of the memory: vmalloc by %s",
			     kmt_format_size(bytes, diagnosis->callers[i].bytes),
			     percent(diagnosis, diagnosis->callers[i].bytes),
			     diagnosis->callers[i].name);
}

static void find_unknown(struct kmt_diagnosis *diagnosis)
{
	if (diagnosis->has_caches && diagnosis->has_callers)
		return;
	find(diagnosis, KMT_SUSPICION_UNKNOWN, "root would see %s%s%s",
	     diagnosis->has_caches ? "" : "which slab caches hold it",
	     diagnosis->has_caches || diagnosis->has_callers ? "" : ", and ",
	     diagnosis->has_callers ? "" : "who took vmalloc areas");
}

static void write_headline(const struct kmt_host *host, struct kmt_diagnosis *diagnosis)
{
	uint64_t bytes = kernel_bytes(last_of(host));
	uint64_t back = known(last_of(host)->mem[KMT_MEM_SRECLAIMABLE]);
	char kernel[KMT_UNITS_BYTES], reclaimable[KMT_UNITS_BYTES], time[KMT_UNITS_BYTES];
	const char *text = diagnosis->nr_findings ? diagnosis->findings[0].text : "";

	diagnosis->suspicion =
		diagnosis->nr_findings ? diagnosis->findings[0].suspicion : KMT_SUSPICION_NONE;
	switch (diagnosis->suspicion) {
	case KMT_SUSPICION_GROWING:
		(void)snprintf(diagnosis->headline, sizeof(diagnosis->headline), "GROWING: %.150s",
			       text);
		return;
	case KMT_SUSPICION_WATCH:
		(void)snprintf(diagnosis->headline, sizeof(diagnosis->headline),
			       "WORTH WATCHING: %.150s", text);
		return;
	case KMT_SUSPICION_UNKNOWN:
	case KMT_SUSPICION_NONE:
		break;
	}
	(void)snprintf(
		diagnosis->headline, sizeof(diagnosis->headline),
		"NOTHING STANDS OUT%s%s: the kernel holds %s (%.1f %%), %s of it reclaimable",
		growth_text(diagnosis),
		diagnosis->watched_ns ? kmt_format_time(time, diagnosis->watched_ns) : "",
		kmt_format_size(kernel, bytes), percent(diagnosis, bytes),
		kmt_format_size(reclaimable, back));
}

/* Long enough that what grows is much more than noise: 16 MiB, and a minute to two hours. */
static void suggest(struct kmt_diagnosis *diagnosis)
{
	bool may_record = geteuid() == 0 ||
			  kmt_capabilities_get().permitted & KMT_CAPABILITY(CAP_DAC_OVERRIDE);
	const double enough = 16.0 * 1024 * 1024;
	double seconds = 300;

	for (size_t i = 0; i < diagnosis->nr_memory; i++) {
		const struct kmt_diagnosis_item *item = &diagnosis->memory[i];

		if (item->is_growing && !item->is_reclaimable)
			seconds = enough / ((double)item->grown_bytes /
					    ((double)diagnosis->watched_ns / NS_PER_S));
	}
	seconds = seconds < 60 ? 60 : seconds > 7200 ? 7200 : seconds;
	(void)snprintf(diagnosis->command, sizeof(diagnosis->command),
		       "%skmemtape record -o leak.tape -d %um", may_record ? "" : "sudo ",
		       ((unsigned int)seconds + 59) / 60);
}

int kmt_diagnose(const struct kmt_host *host, struct kmt_diagnosis *diagnosis)
{
	int r;

	diagnosis->nr_readings = host->nr_readings;
	diagnosis->total_bytes = known(last_of(host)->mem[KMT_MEM_TOTAL]);
	fill_memory(host, diagnosis);
	(void)((r = fill_caches(host, diagnosis)) < 0 || (r = fill_callers(host, diagnosis)) < 0 ||
	       (r = fill_modules(host, diagnosis)) < 0);
	if (r < 0)
		return r;
	find_growing_items(diagnosis);
	find_growing_memory(host, diagnosis);
	find_large_memory(diagnosis);
	find_large_items(diagnosis);
	if (host->dying_cgroups != KMT_COUNTER_UNKNOWN && host->dying_cgroups >= DYING_CGROUPS_MANY)
		find(diagnosis, KMT_SUSPICION_WATCH,
		     "%" PRIu64 " removed cgroups still hold memory (nr_dying_descendants)",
		     host->dying_cgroups);
	find_unknown(diagnosis);
	write_headline(host, diagnosis);
	suggest(diagnosis);
	return 0;
}
