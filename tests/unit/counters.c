// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>

#include "kmemtape/counters.h"
#include "kmemtape/snapshots.h"

#include "check.h"
#include "fixture.h"

static const char *const kernels[] = { "3.10", "5.10", "6.1", "6.12", "6.18" };

#define NR_KERNELS (sizeof(kernels) / sizeof(kernels[0]))

static char *read_counters_file(const char *kernel, const char *file, size_t *ret_bytes)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "counters/%s/%s", kernel, file);
	return read_fixture(path, ret_bytes);
}

/* All that tests/counters/@kernel has; finished. */
static void load(struct kmt_counters *counters, const char *kernel)
{
	static const char *const names[] = { "meminfo", "slabinfo", "vmallocinfo", "zoneinfo" };

	kmt_counters_init(counters);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char proc[32];
		size_t bytes;
		char *text = read_counters_file(kernel, names[i], &bytes);

		(void)snprintf(proc, sizeof(proc), "/proc/%s", names[i]);
		if (text)
			CHECK_EQ(kmt_counters_add(counters, kmt_counter_file_of(proc, strlen(proc)),
						  text, bytes),
				 0);
		free(text);
	}
	CHECK_EQ(kmt_counters_finish(counters), 0);
}

static void add_text(struct kmt_counters *counters, enum kmt_counter_file file, const char *text)
{
	CHECK_EQ(kmt_counters_add(counters, file, text, strlen(text)), 0);
}

/* --- whole files of real kernels, against another way to read them --- */

TEST(each_cache_of_slabinfo_is_read)
{
	for (size_t k = 0; k < NR_KERNELS; k++) {
		KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;
		unsigned long long active, all, size, objects, pages;
		size_t bytes, nr = 0;
		char *text = read_counters_file(kernels[k], "slabinfo", &bytes);
		char name[64];

		CHECK(text);
		load(&counters, kernels[k]);
		CHECK(counters.has_slabs);
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			const struct kmt_slab *slab;

			if (sscanf(line, "%63s %llu %llu %llu %llu %llu :", name, &active, &all,
				   &size, &objects, &pages) != 6)
				continue; /* heads, and the one with blanks in its name */
			slab = kmt_counters_find_slab(&counters, name);
			if (!slab)
				fail_msg("%s: %s is missing", kernels[k], name);
			CHECK(slab->active_objects == active && slab->objects == all);
			CHECK(slab->object_bytes == size && slab->objects_a_slab == objects);
			CHECK_EQ(slab->pages_a_slab, pages);
			nr++;
		}
		CHECK_EQ(counters.nr_slabs, nr + (k == 0));
		free(text);
	}
}

TEST(areas_are_summed_up_by_caller)
{
	for (size_t k = 0; k < NR_KERNELS; k++) {
		KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;
		uint64_t areas = 0, size_sum = 0, sum = 0, nr = 0;
		char *text, *line;
		size_t bytes;

		text = read_counters_file(kernels[k], "vmallocinfo", &bytes);
		load(&counters, kernels[k]);
		CHECK(counters.has_callers);
		for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			unsigned long long size;
			char caller[128];

			if (sscanf(line, "%*s %llu %127s", &size, caller) != 2 ||
			    (!strchr(caller, '/') && caller[0] != '0'))
				continue;
			nr++;
			sum += size;
		}
		for (size_t i = 0; i < counters.nr_callers; i++) {
			areas += counters.callers[i].areas;
			size_sum += counters.callers[i].bytes;
			CHECK(i == 0 || strcmp(counters.callers[i - 1].caller,
					       counters.callers[i].caller) < 0);
		}
		CHECK(nr > 0);
		CHECK_EQ(areas, nr);
		CHECK_EQ(size_sum, sum);
		free(text);
	}
}

TEST(meminfo_is_in_bytes)
{
	KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;

	load(&counters, "3.10");
	CHECK_EQ(counters.mem[KMT_MEM_TOTAL], UINT64_C(1016284) * 1024);
	CHECK_EQ(counters.mem[KMT_MEM_SUNRECLAIM], 11264 * 1024);
	CHECK_EQ(counters.mem[KMT_MEM_VMALLOC_USED], 4120 * 1024);
	CHECK_EQ(counters.mem[KMT_MEM_PERCPU], KMT_COUNTER_UNKNOWN); /* came with Linux 4.20 */
	for (size_t i = 0; i < KMT_MEM_KINDS; i++)
		CHECK(kmt_meminfo_name((enum kmt_meminfo)i));
}

TEST(nodes_are_counted)
{
	KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;

	kmt_counters_init(&counters);
	CHECK_EQ(counters.nr_nodes, 1);
	add_text(&counters, KMT_COUNTERS_ZONEINFO,
		 "Node 0, zone   DMA\n  pages free 1\nNode 3, zone Normal\n"
		 "Node 18446744073709551615, zone x\nNode 1024, zone x\n");
	CHECK_EQ(counters.nr_nodes, 4);
}

/* --- the odd ones --- */

TEST(tunables_and_blanks_in_names_are_read)
{
	KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;
	const struct kmt_slab *slab;

	load(&counters, "3.10");
	slab = kmt_counters_find_slab(&counters, "scsi cmd cache");
	CHECK(slab);
	CHECK(slab->active_objects == 12 && slab->limit == 54 && slab->batch == 27 &&
	      slab->shared == 8);
	CHECK(slab->slabs == 2);
}

TEST(callers_are_told_with_module_and_without_symbol)
{
	KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;
	const struct kmt_vmalloc_caller *caller;

	load(&counters, "3.10");
	caller = kmt_counters_find_caller(&counters, "lab_take+0x1e/0x60 [lab_vmalloc]");
	CHECK(caller && caller->areas == 2 && caller->bytes == 24576 && caller->pages == 4);
	caller = kmt_counters_find_caller(&counters, "0xffffffffa0345030");
	CHECK(caller && caller->areas == 1);
	caller = kmt_counters_find_caller(&counters, "acpi_os_map_memory+0xfb/0x152");
	CHECK(caller && caller->bytes == 8192 && caller->pages == 0); /* device memory */
	CHECK_EQ(counters.nr_callers, 4);
}

TEST(nonsense_is_passed_over)
{
	static const char *const lines[] = {
		"a 1 2 3 4 5 : tunables 0 0 0 : slabdata 1 1", /* too short */
		"a 1 2 3 4 x : tunables 0 0 0 : slabdata 1 1 0",
		"a 99999999999999999999 2 3 4 5 : tunables 0 0 0 : slabdata 1 1 0",
		"a 1099511627776 1 16777216 4 5 : tunables 0 0 0 : slabdata 1 1 0", /* 2^64 bytes */
		"a 1 2 0 4 5 : tunables 0 0 0 : slabdata 1 1 0",
		"a\x1b[31m 1 2 3 4 5 : tunables 0 0 0 : slabdata 1 1 0",
		" 1 2 3 4 5 : tunables 0 0 0 : slabdata 1 1 0",
		"",
	};
	KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;

	kmt_counters_init(&counters);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		add_text(&counters, KMT_COUNTERS_SLABINFO, lines[i]);
	CHECK(!counters.has_slabs && counters.nr_slabs == 0);
	add_text(&counters, KMT_COUNTERS_VMALLOCINFO,
		 "0x1-0x2 -5 f+0x1/0x2\nf+0x1/0x2\n0x1-0x2 99999999999999999999 f+0x1\n");
	CHECK_EQ(counters.nr_callers, 0);
	add_text(&counters, KMT_COUNTERS_MEMINFO,
		 "SUnreclaim: 18014398509481984 kB\nPercpu: 1 MB\nPageTables: kB\n");
	CHECK_EQ(counters.mem[KMT_MEM_SUNRECLAIM], KMT_COUNTER_UNKNOWN);
	CHECK_EQ(counters.mem[KMT_MEM_PERCPU], KMT_COUNTER_UNKNOWN);
	CHECK_EQ(counters.mem[KMT_MEM_PAGE_TABLES], KMT_COUNTER_UNKNOWN);
	CHECK_EQ(kmt_counters_finish(&counters), 0);
	CHECK(!kmt_counters_find_slab(&counters, "a"));
}

TEST(what_is_too_much_is_passed_over)
{
	KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;
	char line[160];

	kmt_counters_init(&counters);
	for (unsigned int i = 0; i < 20000; i++) {
		(void)snprintf(line, sizeof(line),
			       "c%u 1 2 64 64 1 : tunables 0 0 0 : slabdata 1 1 0", i);
		add_text(&counters, KMT_COUNTERS_SLABINFO, line);
		(void)snprintf(line, sizeof(line), "0x1-0x2 8192 f%u+0x1/0x2 pages=1", i % 18000);
		add_text(&counters, KMT_COUNTERS_VMALLOCINFO, line);
	}
	CHECK_EQ(counters.nr_slabs, KMT_COUNTERS_SLABS_MAX);
	CHECK_EQ(counters.nr_callers, KMT_COUNTERS_CALLERS_MAX);
	CHECK_EQ(kmt_counters_finish(&counters), 0);
	CHECK_EQ(kmt_counters_find_caller(&counters, "f7+0x1/0x2")->areas, 2); /* 7 and 18007 */
}

TEST(a_cache_that_is_there_twice_counts_once)
{
	KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;

	kmt_counters_init(&counters);
	for (int i = 0; i < 3; i++)
		add_text(&counters, KMT_COUNTERS_SLABINFO,
			 "a 1 2 64 64 1 : tunables 0 0 0 : slabdata 1 1 0");
	CHECK_EQ(kmt_counters_finish(&counters), 0);
	CHECK_EQ(counters.nr_slabs, 1);
}

TEST(what_pressure_gives_back_is_as_the_kernel_said)
{
	KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;

	kmt_counters_init(&counters);
	CHECK(kmt_counters_is_reclaimable(&counters, "dentry")); /* by name: nobody said anything */
	CHECK(kmt_counters_is_reclaimable(&counters, "ext4_inode_cache"));
	CHECK(kmt_counters_is_reclaimable(&counters, "kmalloc-rcl-64"));
	CHECK(!kmt_counters_is_reclaimable(&counters, "shmem_inode_cache"));
	CHECK(!kmt_counters_is_reclaimable(&counters, "kmalloc-64"));
	CHECK(!kmt_counters_is_reclaimable(&counters, "sock_inode_cache")); /* sockets pin them */
	add_text(&counters, KMT_COUNTERS_RECLAIM,
		 "zfs_znode\ndentry\nsock_inode_cache\njbd2_journal_handle");
	CHECK_EQ(kmt_counters_finish(&counters), 0);
	CHECK(kmt_counters_is_reclaimable(&counters, "zfs_znode"));
	CHECK(kmt_counters_is_reclaimable(&counters, "dentry"));
	CHECK(!kmt_counters_is_reclaimable(&counters,
					   "ext4_inode_cache")); /* it wasn't in the list */
	CHECK(!kmt_counters_is_reclaimable(&counters, "sock_inode_cache"));
	CHECK(!kmt_counters_is_reclaimable(&counters, "jbd2_journal_handle")); /* SLAB_TEMPORARY */
}

TEST(callers_that_serve_others_are_excused)
{
	bool is_stack;

	CHECK(kmt_vmalloc_excuse("kernel_clone+0x94/0x3e0", &is_stack) && is_stack);
	CHECK(kmt_vmalloc_excuse("load_module+0x79c/0x21f0", &is_stack) && !is_stack);
	CHECK(!kmt_vmalloc_excuse("n_tty_open+0x14/0xa0", &is_stack) && !is_stack);
	CHECK(!kmt_vmalloc_excuse("bpf_take+0x1/0x2 [mine]", &is_stack));
}

/* --- snapshots --- */

#define SLAB_LINE(active) "a " active " 99 64 64 1 : tunables 0 0 0 : slabdata 1 1 0\n"

static const char three[] =
	"==> snapshot 0 at 100 start <==\n"
	"==> /sys/kernel/slab reclaim_account <==\na\n"
	"==> /proc/meminfo <==\nSUnreclaim: 4 kB\n"
	"==> /proc/slabinfo <==\n" SLAB_LINE("1") "==> /proc/vmstat <==\n" SLAB_LINE(
		"77") "==> snapshot 1 at 200 interval <==\n"
		      "==> /proc/slabinfo <==\n" SLAB_LINE(
			      "2") "==> /proc/vmstat <==\nx 1\n"
				   "==> snapshot 2 at 300 end <==\n"
				   "==> /proc/slabinfo <==\n" SLAB_LINE("3");

struct taken {
	uint64_t times_ns[8], active[8];
	char why[8][16];
	bool is_reclaimable[8];
	size_t nr;
	uint64_t unwanted_ns;
};

static bool want(void *context, const struct kmt_snapshot_head *head)
{
	return head->time_ns != ((struct taken *)context)->unwanted_ns;
}

static int take(void *context, const struct kmt_snapshot_head *head, struct kmt_counters *counters)
{
	struct taken *taken = context;

	CHECK(taken->nr < 8);
	taken->times_ns[taken->nr] = counters->time_ns;
	memcpy(taken->why[taken->nr], head->why, sizeof(head->why));
	taken->is_reclaimable[taken->nr] = counters->nr_slabs && counters->slabs[0].is_reclaimable;
	taken->active[taken->nr++] = counters->nr_slabs ? counters->slabs[0].active_objects : 0;
	return 0;
}

/* In pieces of @piece bytes. */
static void read_snapshots(const char *text, size_t piece, bool is_whole, struct taken *taken)
{
	KMT_CLEANUP(kmt_snapshots_freep) struct kmt_snapshots *snapshots = NULL;
	struct kmt_snapshot_sink sink = { taken, want, take };
	size_t left = strlen(text);

	taken->nr = 0;
	CHECK_EQ(kmt_snapshots_new(&sink, &snapshots, NULL), 0);
	while (left) {
		size_t bytes = left < piece ? left : piece;

		CHECK_EQ(kmt_snapshots_add(snapshots, text, bytes), 0);
		text += bytes;
		left -= bytes;
	}
	CHECK_EQ(kmt_snapshots_finish(snapshots, is_whole), 0);
}

TEST(snapshots_are_the_same_in_pieces_of_any_size)
{
	for (size_t piece = 1; piece < sizeof(three) + 1; piece++) {
		struct taken taken = { .nr = 0 };

		read_snapshots(three, piece, true, &taken);
		CHECK_EQ(taken.nr, 3);
		for (size_t i = 0; i < 3; i++) {
			CHECK_EQ(taken.times_ns[i], (i + 1) * 100);
			CHECK_EQ(taken.active[i], i + 1);
		}
		CHECK(taken.is_reclaimable[0] && !taken.is_reclaimable[1]);
		CHECK_TEXT(taken.why[0], "start");
		CHECK_TEXT(taken.why[2], "end");
	}
}

TEST(a_snapshot_that_was_cut_is_dropped)
{
	struct taken taken = { .nr = 0 };

	read_snapshots(three, 1000, false, &taken);
	CHECK_EQ(taken.nr, 2); /* nothing shows that the third was whole */
}

TEST(unwanted_snapshots_are_told_without_numbers)
{
	struct taken taken = { .unwanted_ns = 200 };

	read_snapshots(three, 7, true, &taken);
	CHECK_EQ(taken.nr, 3);
	CHECK(taken.active[0] == 1 && taken.active[1] == 0 && taken.active[2] == 3);
}

TEST(a_hole_drops_the_snapshot_around_it)
{
	KMT_CLEANUP(kmt_snapshots_freep) struct kmt_snapshots *snapshots = NULL;
	struct taken taken = { .nr = 0 };
	struct kmt_snapshot_sink sink = { &taken, want, take };
	const char *second = strstr(three, "==> snapshot 1");

	CHECK_EQ(kmt_snapshots_new(&sink, &snapshots, NULL), 0);
	CHECK_EQ(kmt_snapshots_add(snapshots, three, 150), 0);
	kmt_snapshots_skip(snapshots);
	CHECK_EQ(kmt_snapshots_add(snapshots, second, strlen(second)), 0);
	CHECK_EQ(kmt_snapshots_finish(snapshots, true), 0);
	CHECK_EQ(taken.nr, 2);
	CHECK_EQ(taken.times_ns[0], 200);
}

TEST(heads_that_make_no_sense_are_no_heads)
{
	struct taken taken = { .nr = 0 };

	read_snapshots(
		"==> snapshot 0 at 99999999999999999999 start <==\n==> snapshot x at 1 start <==\n"
		"==> snapshot 1 at 5 start <== \n==> snapshot 1 at 5 aaaaaaaaaaaaaaaaaaaaaaaa <==\n"
		"==> <==\n==> \n ==> snapshot 0 at 7 start <==\n",
		3, true, &taken);
	CHECK_EQ(taken.nr, 0);
}

TEST(a_line_without_an_end_takes_no_memory)
{
	KMT_CLEANUP(kmt_snapshots_freep) struct kmt_snapshots *snapshots = NULL;
	struct taken taken = { .nr = 0 };
	struct kmt_snapshot_sink sink = { &taken, want, take };
	static char piece[65536];

	memset(piece, 'x', sizeof(piece));
	CHECK_EQ(kmt_snapshots_new(&sink, &snapshots, NULL), 0);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(kmt_snapshots_add(snapshots, piece, sizeof(piece)), 0);
	CHECK_EQ(kmt_snapshots_add(snapshots, "\n", 1), 0);
	CHECK_EQ(kmt_snapshots_add(snapshots, three, strlen(three)), 0);
	CHECK_EQ(kmt_snapshots_finish(snapshots, true), 0);
	CHECK_EQ(taken.nr, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(each_cache_of_slabinfo_is_read),
		ROW(areas_are_summed_up_by_caller),
		ROW(meminfo_is_in_bytes),
		ROW(nodes_are_counted),
		ROW(tunables_and_blanks_in_names_are_read),
		ROW(callers_are_told_with_module_and_without_symbol),
		ROW(nonsense_is_passed_over),
		ROW(what_is_too_much_is_passed_over),
		ROW(a_cache_that_is_there_twice_counts_once),
		ROW(what_pressure_gives_back_is_as_the_kernel_said),
		ROW(callers_that_serve_others_are_excused),
		ROW(snapshots_are_the_same_in_pieces_of_any_size),
		ROW(a_snapshot_that_was_cut_is_dropped),
		ROW(unwanted_snapshots_are_told_without_numbers),
		ROW(a_hole_drops_the_snapshot_around_it),
		ROW(heads_that_make_no_sense_are_no_heads),
		ROW(a_line_without_an_end_takes_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
