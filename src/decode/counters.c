// SPDX-License-Identifier: LGPL-2.1-only
#include <ctype.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/counters.h"
#include "kmemtape/span.h"

/* Far above what any machine has, and small enough that sums over all lines fit 64 bits. */
#define SLAB_BYTES_MAX	 (UINT64_C(1) << 48) /* of one cache */
#define SLAB_OBJECTS_MAX (UINT64_C(1) << 40)
#define SLAB_GEOMETRY_MAX                                                       \
	(UINT64_C(1) << 24) /* object bytes, objects and pages a slab, tunables \
			     */
#define CALLER_SUM_MAX	(UINT64_C(1) << 48)
#define MEM_KIB_MAX	(UINT64_C(1) << 44)
#define NODES_MAX	UINT64_C(1024) /* CONFIG_NODES_SHIFT is 10 at most */
#define RECLAIMABLE_MAX KMT_COUNTERS_SLABS_MAX
#define SLAB_NUMBERS	11

void kmt_counters_init(struct kmt_counters *counters)
{
	*counters = (struct kmt_counters){ .nr_nodes = 1 };
	for (size_t i = 0; i < KMT_MEM_KINDS; i++)
		counters->mem[i] = KMT_COUNTER_UNKNOWN;
}

static void free_caller(void *caller)
{
	free((char *)((struct kmt_vmalloc_caller *)caller)->caller);
	free(caller);
}

void kmt_counters_deinit(struct kmt_counters *counters)
{
	for (size_t i = 0; i < counters->nr_slabs; i++)
		free((char *)counters->slabs[i].name);
	free(counters->slabs);
	if (counters->callers)
		for (size_t i = 0; i < counters->nr_callers; i++)
			free((char *)counters->callers[i].caller);
	free(counters->callers);
	tdestroy(counters->caller_tree, free_caller);
	for (size_t i = 0; i < counters->nr_reclaimable; i++)
		free(counters->reclaimable[i]);
	free(counters->reclaimable);
	kmt_counters_init(counters);
}

/* @array with room for one more: it doubles at every power of two. NULL: out of memory. */
static void *make_room(void *array, size_t nr, size_t element_bytes)
{
	return nr & (nr - 1) ? array : reallocarray(array, nr ? nr * 2 : 1, element_bytes);
}

static char *copy_name(struct kmt_span name)
{
	return strndup(name.at,
		       name.bytes < KMT_COUNTERS_NAME_MAX ? name.bytes : KMT_COUNTERS_NAME_MAX);
}

/* --- words and numbers --- */

/* All of @word is a decimal number of @max at most. */
static bool read_number(struct kmt_span word, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!word.bytes)
		return false;
	for (size_t i = 0; i < word.bytes; i++) {
		unsigned int digit = (unsigned int)(unsigned char)word.at[i] - '0';

		if (digit > 9 || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return true;
}

static bool is_printable(struct kmt_span text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if ((unsigned char)text.at[i] < ' ')
			return false;
	return text.bytes > 0;
}

/* --- meminfo: "SUnreclaim:        38880 kB" --- */

const char *kmt_meminfo_name(enum kmt_meminfo kind)
{
	static const char *const names[] = {
		[KMT_MEM_TOTAL] = "MemTotal",
		[KMT_MEM_FREE] = "MemFree",
		[KMT_MEM_AVAILABLE] = "MemAvailable",
		[KMT_MEM_BUFFERS] = "Buffers",
		[KMT_MEM_CACHED] = "Cached",
		[KMT_MEM_SWAP_CACHED] = "SwapCached",
		[KMT_MEM_ANON] = "AnonPages",
		[KMT_MEM_SRECLAIMABLE] = "SReclaimable",
		[KMT_MEM_SUNRECLAIM] = "SUnreclaim",
		[KMT_MEM_KRECLAIMABLE] = "KReclaimable",
		[KMT_MEM_KERNEL_STACK] = "KernelStack",
		[KMT_MEM_PAGE_TABLES] = "PageTables",
		[KMT_MEM_SEC_PAGE_TABLES] = "SecPageTables",
		[KMT_MEM_PERCPU] = "Percpu",
		[KMT_MEM_VMALLOC_USED] = "VmallocUsed",
		[KMT_MEM_BOUNCE] = "Bounce",
		[KMT_MEM_ZSWAP] = "Zswap",
		[KMT_MEM_HUGETLB] = "Hugetlb",
	};

	return names[kind];
}

static void add_meminfo(struct kmt_counters *counters, struct kmt_span line)
{
	struct kmt_span name = kmt_span_take_word(&line), number = kmt_span_take_word(&line);
	uint64_t kib;

	if (!name.bytes || name.at[--name.bytes] != ':' ||
	    !kmt_span_is(kmt_span_take_word(&line), "kB") ||
	    !read_number(number, MEM_KIB_MAX, &kib))
		return;
	for (size_t i = 0; i < KMT_MEM_KINDS; i++)
		if (kmt_span_is(name, kmt_meminfo_name((enum kmt_meminfo)i)))
			counters->mem[i] = kib * 1024;
}

/* --- slabinfo 2.x, mm/slab_common.c cache_show() --- */

/*
 * name active total objsize objperslab pagesperslab : tunables limit batchcount sharedfactor
 *  : slabdata active_slabs num_slabs sharedavail
 *
 * Read from the end, since there have been names with blanks. What CONFIG_DEBUG_SLAB appends
 * (" : globalstat ...", " : cpustat ...") is cut off before.
 */
static bool read_slab_numbers(struct kmt_span *line, uint64_t numbers[SLAB_NUMBERS])
{
	static const char *const words[] = { NULL, NULL,       NULL, NULL, NULL,
					     ":",  "tunables", NULL, NULL, NULL,
					     ":",  "slabdata", NULL, NULL, NULL };
	size_t nr = SLAB_NUMBERS;

	for (size_t i = sizeof(words) / sizeof(words[0]); i-- > 0;) {
		struct kmt_span word = kmt_span_take_last_word(line);

		if (words[i] ? !kmt_span_is(word, words[i])
			     : !read_number(word, SLAB_OBJECTS_MAX, &numbers[--nr]))
			return false;
	}
	return true;
}

static bool is_sane(const struct kmt_slab *slab)
{
	return slab->object_bytes > 0 && slab->object_bytes <= SLAB_GEOMETRY_MAX &&
	       slab->objects_a_slab <= SLAB_GEOMETRY_MAX &&
	       slab->pages_a_slab <= SLAB_GEOMETRY_MAX && slab->limit <= SLAB_GEOMETRY_MAX &&
	       slab->batch <= SLAB_GEOMETRY_MAX && slab->shared <= SLAB_GEOMETRY_MAX &&
	       slab->objects <= SLAB_BYTES_MAX / slab->object_bytes &&
	       slab->active_objects <= SLAB_BYTES_MAX / slab->object_bytes;
}

static int add_slab(struct kmt_counters *counters, struct kmt_span line)
{
	static const char globalstat[] = " : globalstat ";
	const char *end = memmem(line.at, line.bytes, globalstat, sizeof(globalstat) - 1);
	uint64_t n[SLAB_NUMBERS];
	struct kmt_slab slab, *slabs;

	if (end)
		line.bytes = (size_t)(end - line.at);
	if (!read_slab_numbers(&line, n))
		return 0;
	slab = (struct kmt_slab){
		.active_objects = n[0],
		.objects = n[1],
		.object_bytes = n[2],
		.objects_a_slab = n[3],
		.pages_a_slab = n[4],
		.limit = n[5],
		.batch = n[6],
		.shared = n[7],
		.active_slabs = n[8],
		.slabs = n[9],
	};
	while (line.bytes && kmt_span_is_space(line.at[line.bytes - 1]))
		line.bytes--;
	if (!is_sane(&slab) || !is_printable(line) || counters->nr_slabs == KMT_COUNTERS_SLABS_MAX)
		return 0;
	slabs = make_room(counters->slabs, counters->nr_slabs, sizeof(slab));
	if (!slabs)
		return -ENOMEM;
	counters->slabs = slabs;
	slab.name = copy_name(line);
	if (!slab.name)
		return -ENOMEM;
	slabs[counters->nr_slabs++] = slab;
	counters->has_slabs = true;
	return 0;
}

/* --- vmallocinfo, mm/vmalloc.c vmalloc_info_show() --- */

static int by_caller(const void *a, const void *b)
{
	return strcmp(((const struct kmt_vmalloc_caller *)a)->caller,
		      ((const struct kmt_vmalloc_caller *)b)->caller);
}

/* "0xffffffffc0345030": code without a symbol, since its module is gone */
static bool is_address(struct kmt_span word)
{
	if (word.bytes < 3 || memcmp(word.at, "0x", 2) != 0)
		return false;
	for (size_t i = 2; i < word.bytes; i++)
		if (!isxdigit((unsigned char)word.at[i]))
			return false;
	return true;
}

/*
 * "foo+0x30/0x80" or "foo+0x30/0x80 [mod]", or an address; else there is no caller: "unpurged
 * vm_area", "vm_map_ram".
 */
static bool take_caller(struct kmt_span *line, struct kmt_span *ret_caller)
{
	struct kmt_span caller = kmt_span_take_word(line), rest = *line, module;

	if (!memmem(caller.at, caller.bytes, "+0x", 3) && !is_address(caller))
		return false;
	module = kmt_span_take_word(&rest);
	if (module.bytes > 2 && module.at[0] == '[' && module.at[module.bytes - 1] == ']') {
		caller.bytes = (size_t)(module.at + module.bytes - caller.at);
		*line = rest;
	}
	*ret_caller = caller;
	return is_printable(caller);
}

static uint64_t read_pages(struct kmt_span line)
{
	static const char key[] = "pages=";
	uint64_t pages;

	for (struct kmt_span word = kmt_span_take_word(&line); word.bytes;
	     word = kmt_span_take_word(&line)) {
		if (word.bytes < sizeof(key) || memcmp(word.at, key, sizeof(key) - 1) != 0)
			continue;
		word.at += sizeof(key) - 1;
		word.bytes -= sizeof(key) - 1;
		return read_number(word, CALLER_SUM_MAX, &pages) ? pages : 0;
	}
	return 0;
}

/* The entry of a caller, a new one if there is none yet. NULL: out of memory, or there are too
 * many. */
static struct kmt_vmalloc_caller *open_caller(struct kmt_counters *counters, struct kmt_span text,
					      int *ret_r)
{
	char name[KMT_COUNTERS_NAME_MAX + 1] = "";
	struct kmt_vmalloc_caller key = { .caller = name }, *entry, **found;

	memcpy(name, text.at,
	       text.bytes < KMT_COUNTERS_NAME_MAX ? text.bytes : KMT_COUNTERS_NAME_MAX);
	found = tfind(&key, &counters->caller_tree, by_caller);
	if (found)
		return *found;
	*ret_r = 0;
	if (counters->nr_callers == KMT_COUNTERS_CALLERS_MAX)
		return NULL;
	*ret_r = -ENOMEM;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->caller = strdup(name);
	if (!entry->caller || !tsearch(entry, &counters->caller_tree, by_caller)) {
		free_caller(entry);
		return NULL;
	}
	counters->nr_callers++;
	return entry;
}

static uint64_t add_up_to(uint64_t a, uint64_t b, uint64_t max)
{
	return b > max || a > max - b ? max : a + b;
}

static int add_vmalloc(struct kmt_counters *counters, struct kmt_span line)
{
	struct kmt_vmalloc_caller *entry;
	struct kmt_span range = kmt_span_take_word(&line), size = kmt_span_take_word(&line), caller;
	uint64_t bytes;
	int r;

	/* 0xffffc90000000000-0xffffc90000005000   20480 irq_init_percpu_irqstack+0xca/0x100 vmap */
	if (range.bytes < 5 || memcmp(range.at, "0x", 2) != 0 ||
	    !memmem(range.at, range.bytes, "-0x", 3) || !read_number(size, CALLER_SUM_MAX, &bytes))
		return 0;
	counters->has_callers = true;
	if (!take_caller(&line, &caller))
		return 0;
	entry = open_caller(counters, caller, &r);
	if (!entry)
		return r;
	entry->areas++;
	entry->bytes = add_up_to(entry->bytes, bytes, CALLER_SUM_MAX);
	entry->pages = add_up_to(entry->pages, read_pages(line), CALLER_SUM_MAX);
	return 0;
}

/* --- zoneinfo: "Node 0, zone      DMA" --- */

static void add_zone(struct kmt_counters *counters, struct kmt_span line)
{
	struct kmt_span number;
	uint64_t node;

	if (!kmt_span_is(kmt_span_take_word(&line), "Node"))
		return;
	number = kmt_span_take_word(&line);
	if (!number.bytes || number.at[--number.bytes] != ',' ||
	    !read_number(number, NODES_MAX - 1, &node))
		return;
	if (node + 1 > counters->nr_nodes)
		counters->nr_nodes = node + 1;
}

/* --- caches that can be shrunk --- */

static int add_reclaimable(struct kmt_counters *counters, struct kmt_span line)
{
	char **names, *name;

	counters->has_reclaimable = true;
	if (!is_printable(line) || counters->nr_reclaimable == RECLAIMABLE_MAX)
		return 0;
	names = make_room(counters->reclaimable, counters->nr_reclaimable, sizeof(*names));
	if (!names)
		return -ENOMEM;
	counters->reclaimable = names;
	name = copy_name(line);
	if (!name)
		return -ENOMEM;
	names[counters->nr_reclaimable++] = name;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_listed(const char *name, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

/*
 * SLAB_TEMPORARY is the same bit ("objects are short-lived", include/linux/slab.h), and some inodes
 * carry it that live as long as what they stand for: a socket, a mount. No shrinker frees any of
 * these (fs/jbd2, fs/ext4/page-io.c, mballoc.c, fs/btrfs/transaction.c, net/socket.c,
 * block/bdev.c).
 */
static bool is_pinned(const char *name)
{
	static const char *const names[] = {
		"bdev_cache",	       "bio_post_read_ctx",
		"btrfs_trans_handle",  "dax_cache",
		"debugfs_inode_cache", "ext4_allocation_context",
		"ext4_free_data",      "ext4_io_end",
		"jbd2_journal_handle", "jbd2_revoke_record_s",
		"jbd2_revoke_table_s", "jbd2_transaction_s",
		"rpc_inode_cache",     "sock_inode_cache",
		"tracefs_inode_cache",
	};

	return is_listed(name, names, sizeof(names) / sizeof(names[0]));
}

/*
 * What kmem_cache_create() got SLAB_RECLAIM_ACCOUNT for and a shrinker gives back: fs/dcache.c,
 * fs/inode.c, lib/radix-tree.c, fs/buffer.c, fs/mbcache.c, fs/ext4/extents_status.c,
 * fs/quota/dquot.c, fs/xfs/xfs_super.c, fs/btrfs/inode.c, mm/slab_common.c for kmalloc; nearly
 * every file system for its inodes.
 */
static bool is_reclaimable_name(const char *name)
{
	static const char *const names[] = {
		"btrfs_inode", "buffer_head",	  "dentry",	"dquot",       "ext4_extent_status",
		"erofs_inode", "extent_status",	  "fuse_inode", "inode_cache", "mb_cache_entry",
		"ovl_inode",   "radix_tree_node", "xfs_buf",	"xfs_ili",     "xfs_inode",
	};
	static const char *const others[] = {
		/* SLAB_ACCOUNT, and no more */
		"hugetlbfs_inode_cache",
		"mqueue_inode_cache",
		"shmem_inode_cache",
	};
	static const char suffix[] = "_inode_cache";
	size_t bytes = strlen(name);

	if (strncmp(name, "kmalloc-rcl-", 12) == 0)
		return true;
	if (bytes >= sizeof(suffix) && strcmp(name + bytes - (sizeof(suffix) - 1), suffix) == 0)
		return !is_listed(name, others, sizeof(others) / sizeof(others[0]));
	return is_listed(name, names, sizeof(names) / sizeof(names[0]));
}

bool kmt_counters_is_reclaimable(const struct kmt_counters *counters, const char *name)
{
	if (is_pinned(name))
		return false;
	if (!counters->has_reclaimable)
		return is_reclaimable_name(name);
	return counters->nr_reclaimable &&
	       bsearch(&name, counters->reclaimable, counters->nr_reclaimable,
		       sizeof(*counters->reclaimable), by_name);
}

/* --- all of them --- */

enum kmt_counter_file kmt_counter_file_of(const char *path, size_t bytes)
{
	static const struct {
		const char *path;
		enum kmt_counter_file file;
	} files[] = {
		{ "/proc/meminfo", KMT_COUNTERS_MEMINFO },
		{ "/proc/slabinfo", KMT_COUNTERS_SLABINFO },
		{ "/proc/vmallocinfo", KMT_COUNTERS_VMALLOCINFO },
		{ "/proc/zoneinfo", KMT_COUNTERS_ZONEINFO },
		{ "/sys/kernel/slab reclaim_account", KMT_COUNTERS_RECLAIM },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (kmt_span_is((struct kmt_span){ path, bytes }, files[i].path))
			return files[i].file;
	return KMT_COUNTERS_NO_FILE;
}

int kmt_counters_add_line(struct kmt_counters *counters, enum kmt_counter_file file,
			  const char *line, size_t bytes)
{
	struct kmt_span span = { line,
				 bytes < KMT_COUNTERS_LINE_MAX ? bytes : KMT_COUNTERS_LINE_MAX };

	span.bytes = strnlen(line, span.bytes);
	switch (file) {
	case KMT_COUNTERS_MEMINFO:
		add_meminfo(counters, span);
		return 0;
	case KMT_COUNTERS_SLABINFO:
		return add_slab(counters, span);
	case KMT_COUNTERS_VMALLOCINFO:
		return add_vmalloc(counters, span);
	case KMT_COUNTERS_ZONEINFO:
		add_zone(counters, span);
		return 0;
	case KMT_COUNTERS_RECLAIM:
		return add_reclaimable(counters, span);
	case KMT_COUNTERS_NO_FILE:
		break;
	}
	return 0;
}

int kmt_counters_add(struct kmt_counters *counters, enum kmt_counter_file file, const char *text,
		     size_t bytes)
{
	const char *end = text + bytes;
	int r = 0;

	while (r == 0 && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);

		r = kmt_counters_add_line(counters, file, text, length);
		text += length + 1;
	}
	return r;
}

static int by_slab(const void *a, const void *b)
{
	return strcmp(((const struct kmt_slab *)a)->name, ((const struct kmt_slab *)b)->name);
}

/* Names are unique in a kernel; whoever wrote this text twice isn't one. */
static void drop_same_slabs(struct kmt_counters *counters)
{
	size_t to = 0;

	for (size_t i = 0; i < counters->nr_slabs; i++) {
		if (to && by_slab(&counters->slabs[to - 1], &counters->slabs[i]) == 0)
			free((char *)counters->slabs[i].name);
		else
			counters->slabs[to++] = counters->slabs[i];
	}
	counters->nr_slabs = to;
}

struct shelf {
	struct kmt_vmalloc_caller *callers;
	size_t nr;
};

static void put_on_shelf(const void *node, VISIT visit, void *context)
{
	struct kmt_vmalloc_caller *caller = *(struct kmt_vmalloc_caller *const *)node;
	struct shelf *shelf = context;

	if (visit == postorder || visit == leaf)
		shelf->callers[shelf->nr++] = *caller;
}

int kmt_counters_finish(struct kmt_counters *counters)
{
	struct shelf shelf = { NULL, 0 };

	if (counters->nr_callers) {
		shelf.callers = calloc(counters->nr_callers, sizeof(*shelf.callers));
		if (!shelf.callers)
			return -ENOMEM;
		twalk_r(counters->caller_tree, put_on_shelf, &shelf);
		tdestroy(counters->caller_tree, free); /* the names are on the shelf */
		counters->caller_tree = NULL;
		counters->callers = shelf.callers;
	}
	if (counters->nr_reclaimable)
		qsort(counters->reclaimable, counters->nr_reclaimable,
		      sizeof(*counters->reclaimable), by_name);
	if (counters->nr_slabs)
		qsort(counters->slabs, counters->nr_slabs, sizeof(*counters->slabs), by_slab);
	drop_same_slabs(counters);
	for (size_t i = 0; i < counters->nr_slabs; i++)
		counters->slabs[i].is_reclaimable =
			kmt_counters_is_reclaimable(counters, counters->slabs[i].name);
	return 0;
}

const struct kmt_slab *kmt_counters_find_slab(const struct kmt_counters *counters, const char *name)
{
	struct kmt_slab key = { .name = name };

	return counters->nr_slabs ? bsearch(&key, counters->slabs, counters->nr_slabs,
					    sizeof(*counters->slabs), by_slab)
				  : NULL;
}

const struct kmt_vmalloc_caller *kmt_counters_find_caller(const struct kmt_counters *counters,
							  const char *caller)
{
	struct kmt_vmalloc_caller key = { .caller = caller };

	return counters->callers ? bsearch(&key, counters->callers, counters->nr_callers,
					   sizeof(*counters->callers), by_caller)
				 : NULL;
}
