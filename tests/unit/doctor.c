// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../../src/cli/abilities.h"
#include "../../src/cli/diagnose.h"
#include "kmemtape/capabilities.h"

#include "check.h"
#include "dir.h"

#define GIB (UINT64_C(1) << 30)
#define KIB UINT64_C(1024)

static void write_file(const struct dir *dir, const char *path, const char *text)
{
	char name[256];
	FILE *file;

	(void)snprintf(name, sizeof(name), "%s/%s", dir->path, path);
	for (char *slash = strchr(name + 6, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(name, 0755);
		*slash = '/';
	}
	file = fopen(name, "w");
	CHECK(file);
	CHECK(fputs(text, file) >= 0);
	CHECK_EQ(fclose(file), 0);
}

/* A machine of 8 GiB; what it holds, in KiB, and the rest is free. */
struct machine {
	uint64_t unreclaimable, reclaimable, percpu, unaccounted;
	const char *slabs, *callers; /* lines; NULL: can't be read */
};

static void write_machine(const struct dir *dir, const struct machine *machine)
{
	uint64_t total = 8 * GIB / KIB, anon = 102400;
	char text[4096];

	(void)snprintf(
		text, sizeof(text),
		"MemTotal: %llu kB\nMemFree: %llu kB\nBuffers: 0 kB\nCached: 0 kB\nAnonPages: %llu kB\n"
		"SReclaimable: %llu kB\nSUnreclaim: %llu kB\nPercpu: %llu kB\nVmallocUsed: 0 kB\n",
		(unsigned long long)total,
		(unsigned long long)(total - anon - machine->unreclaimable - machine->reclaimable -
				     machine->percpu - machine->unaccounted),
		(unsigned long long)anon, (unsigned long long)machine->reclaimable,
		(unsigned long long)machine->unreclaimable, (unsigned long long)machine->percpu);
	write_file(dir, "meminfo", text);
	if (machine->slabs)
		write_file(dir, "slabinfo", machine->slabs);
	if (machine->callers)
		write_file(dir, "vmallocinfo", machine->callers);
}

/* Readings of one machine after another. */
static struct kmt_diagnosis *diagnose(const struct machine *machines, size_t nr,
				      const char *modules)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_host_deinit) struct kmt_host host;
	struct kmt_diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));

	CHECK(diagnosis);
	kmt_host_init(&host);
	if (modules)
		write_file(&dir, "modules", modules);
	CHECK_EQ(kmt_host_read_once(&host, dir.fd, -1), 0);
	for (size_t i = 0; i < nr; i++) {
		write_machine(&dir, &machines[i]);
		CHECK_EQ(kmt_host_read(&host, dir.fd, NULL), 0);
	}
	diagnosis->nr_cpus = 2;
	diagnosis->watched_ns = nr > 1 ? UINT64_C(10000000000) : 0;
	CHECK_EQ(kmt_diagnose(&host, diagnosis), 0);
	return diagnosis;
}

#define EMPTY_SLABS \
	"slabinfo - version: 2.1\nsmall 1 64 64 64 1 : tunables 0 0 0 : slabdata 1 1 0\n"
#define EMPTY_CALLERS "0x1-0x2 8192 f+0x1/0x2 pages=1\n"

static const struct machine usual = { 102400, 512000, 1024, 102400, EMPTY_SLABS, EMPTY_CALLERS };

TEST(a_usual_machine_does_not_stand_out)
{
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = diagnose(&usual, 1, NULL);

	CHECK(diagnosis->suspicion == KMT_SUSPICION_NONE);
	CHECK_HAS(diagnosis->headline, "NOTHING STANDS OUT");
	CHECK_EQ(diagnosis->nr_findings, 0);
	CHECK(!diagnosis->has_modules);
	CHECK_HAS(diagnosis->command, "kmemtape record -o leak.tape -d 5m");
}

TEST(a_large_share_is_worth_watching_and_no_more)
{
	struct machine machine = usual;
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = NULL;

	machine.unreclaimable = 2 * GIB / KIB;
	diagnosis = diagnose(&machine, 1, NULL);
	CHECK(diagnosis->suspicion == KMT_SUSPICION_WATCH);
	CHECK_HAS(diagnosis->headline, "WORTH WATCHING: 2.00 GiB, 25 % of the memory");
	CHECK_HAS(diagnosis->headline, "SUnreclaim");
}

TEST(what_can_be_given_back_is_never_large)
{
	struct machine machine = usual;
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = NULL;

	machine.reclaimable = 6 * GIB / KIB;
	machine.slabs =
		"dentry 20000000 20000000 192 21 1 : tunables 0 0 0 : slabdata 1000000 1000000 0\n";
	diagnosis = diagnose(&machine, 1, NULL);
	CHECK(diagnosis->suspicion == KMT_SUSPICION_NONE);
	CHECK(diagnosis->caches[0].is_reclaimable);
}

TEST(memory_in_no_counter_is_told)
{
	struct machine machine = usual;
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = NULL;

	machine.unaccounted = 3 * GIB / KIB;
	diagnosis = diagnose(&machine, 1, NULL);
	CHECK(diagnosis->suspicion == KMT_SUSPICION_WATCH);
	CHECK_HAS(diagnosis->headline, "no counter shows");
}

#define CACHE(objects, slabs)                                                                      \
	"kmalloc-512 " objects " " objects " 512 8 1 : tunables 0 0 0 : slabdata " slabs " " slabs \
	" 0\n"

TEST(a_cache_that_keeps_growing_is_named)
{
	struct machine machines[4] = { usual, usual, usual, usual };
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = NULL;

	machines[0].slabs = CACHE("800", "100");
	machines[1].slabs = CACHE("1600", "200");
	machines[2].slabs = CACHE("2400", "300");
	machines[3].slabs = CACHE("3200", "400");
	diagnosis = diagnose(machines, 4, NULL);
	CHECK(diagnosis->suspicion == KMT_SUSPICION_GROWING);
	CHECK_HAS(diagnosis->headline,
		  "GROWING: the cache kmalloc-512 grows: +1.17 MiB, 422 MiB an hour");
	CHECK(diagnosis->caches[0].is_growing && diagnosis->caches[0].grown_count == 2400);
}

TEST(what_swings_does_not_grow)
{
	struct machine machines[4] = { usual, usual, usual, usual };
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = NULL;

	machines[0].slabs = CACHE("800", "100");
	machines[1].slabs = CACHE("2400", "300");
	machines[2].slabs = CACHE("1600", "200");
	machines[3].slabs = CACHE("3200", "400");
	diagnosis = diagnose(machines, 4, NULL);
	CHECK(diagnosis->suspicion == KMT_SUSPICION_NONE);
}

TEST(what_tasks_take_is_no_finding_and_not_denied)
{
	struct machine machines[2] = { usual, usual };
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = NULL;

	machines[1].callers = "0x1-0x2 10526720 kernel_clone+0x1/0x2 pages=2560\n";
	diagnosis = diagnose(machines, 2, NULL);
	CHECK(diagnosis->callers[0].is_growing);
	CHECK_HAS(diagnosis->headline, "only what tasks and files take kept growing in 10.0 s");
}

TEST(vmalloc_by_a_module_is_named_and_stacks_are_not)
{
	struct machine machines[2] = { usual, usual };
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = NULL;

	machines[1].callers = "0x1-0x2 1052672 take+0x1/0x2 [mine] pages=256\n"
			      "0x1-0x2 10526720 kernel_clone+0x1/0x2 pages=2560\n";
	diagnosis =
		diagnose(machines, 2, "mine 16384 0 - Live 0x0 (OE)\nvfat 20480 1 - Live 0x0\n");
	CHECK(diagnosis->suspicion == KMT_SUSPICION_GROWING);
	CHECK_HAS(diagnosis->headline, "vmalloc by take+0x1/0x2 [mine] grows: +1.00 MiB");
	for (size_t i = 0; i < diagnosis->nr_findings; i++)
		CHECK(!strstr(diagnosis->findings[i].text, "kernel_clone"));
	CHECK_EQ(diagnosis->nr_modules, 2);
	CHECK_TEXT(diagnosis->modules[0].name, "mine");
	CHECK_TEXT(diagnosis->modules[0].taint, "OE");
	CHECK_TEXT(diagnosis->modules[1].taint, "");
}

TEST(without_root_it_says_what_root_would_see)
{
	struct machine machine = usual;
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = NULL;

	machine.slabs = machine.callers = NULL;
	diagnosis = diagnose(&machine, 1, NULL);
	CHECK(diagnosis->suspicion == KMT_SUSPICION_UNKNOWN);
	CHECK_EQ(diagnosis->nr_findings, 1);
	CHECK_HAS(diagnosis->findings[0].text, "root would see");
	CHECK(!diagnosis->has_caches && !diagnosis->has_callers);
}

TEST(a_proc_without_meminfo_is_refused)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_host_deinit) struct kmt_host host;
	struct kmt_err err = { "" };

	kmt_host_init(&host);
	CHECK_EQ(kmt_host_read(&host, dir.fd, &err), -ENOENT);
	write_file(&dir, "meminfo", "nonsense\n");
	CHECK_EQ(kmt_host_read(&host, dir.fd, &err), -EBADMSG);
	CHECK_EQ(host.nr_readings, 0);
}

TEST(removed_cgroups_that_stay_are_told)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_host_deinit) struct kmt_host host;
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));

	CHECK(diagnosis);
	kmt_host_init(&host);
	write_file(&dir, "fs/cgroup/cgroup.stat", "nr_descendants 12\nnr_dying_descendants 4711\n");
	CHECK_EQ(kmt_host_read_once(&host, dir.fd, dir.fd), 0);
	write_machine(&dir, &usual);
	CHECK_EQ(kmt_host_read(&host, dir.fd, NULL), 0);
	CHECK_EQ(kmt_diagnose(&host, diagnosis), 0);
	CHECK(diagnosis->suspicion == KMT_SUSPICION_WATCH);
	CHECK_HAS(diagnosis->headline, "4711 removed cgroups");
}

static const struct kmt_diagnosis_ability *ability(const struct kmt_diagnosis *diagnosis,
						   const char *name)
{
	for (size_t i = 0; i < diagnosis->nr_abilities; i++)
		if (strcmp(diagnosis->abilities[i].name, name) == 0)
			return &diagnosis->abilities[i];
	return NULL;
}

TEST(abilities_are_looked_up_and_nothing_is_changed)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));

	CHECK(diagnosis);
	diagnosis->nr_cpus = 4;
	diagnosis->total_bytes = 8 * GIB;
	write_file(&dir, "sys/kernel/tracing/instances/keep", "");
	write_file(&dir, "sys/kernel/tracing/trace_clock", "[local] global mono\n");
	write_file(&dir, "sys/kernel/tracing/events/kmem/kmalloc/format", "");
	write_file(&dir, "sys/kernel/tracing/events/kmem/kfree/format", "");
	write_file(&dir, "sys/kernel/tracing/events/kmem/kmem_cache_free/format",
		   "field:const void * ptr;\n");
	write_file(&dir, "proc/kallsyms", "ffffffff81000000 T _stext\n");
	kmt_abilities_find(dir.fd, true, 0, diagnosis);
	CHECK(ability(diagnosis, "tracefs")->answer == KMT_ANSWER_YES);
	CHECK(ability(diagnosis, "slab events")->answer == KMT_ANSWER_NO);
	CHECK_HAS(ability(diagnosis, "slab events")->text, "kmem:kmem_cache_alloc");
	CHECK(ability(diagnosis, "kprobes")->answer == KMT_ANSWER_NO);
	CHECK(ability(diagnosis, "page events")->answer == KMT_ANSWER_NO);
	CHECK(ability(diagnosis, "stacks")->answer == KMT_ANSWER_UNKNOWN);
	CHECK(ability(diagnosis, "filters")->answer == KMT_ANSWER_NO);
	CHECK(ability(diagnosis, "vmalloc")->answer == KMT_ANSWER_NO);
	CHECK(ability(diagnosis, "clock")->answer == KMT_ANSWER_YES);
	CHECK(ability(diagnosis, "symbols")->answer == KMT_ANSWER_YES);
	CHECK_HAS(
		ability(diagnosis, "buffers")->text,
		"16.0 MiB for each of 4 CPUs, 64.0 MiB in all, and the recorder takes 28.0 MiB at "
		"most");

	write_file(&dir, "sys/kernel/tracing/events/kmem/kmem_cache_alloc/format", "");
	write_file(&dir, "sys/kernel/tracing/events/kmem/mm_page_alloc/format", "");
	write_file(&dir, "sys/kernel/tracing/events/percpu/percpu_alloc_percpu/format", "");
	write_file(&dir, "sys/kernel/tracing/events/percpu/percpu_free_percpu/format", "");
	write_file(&dir, "sys/kernel/tracing/events/vmalloc/alloc_vmap_area/format", "");
	write_file(&dir, "sys/kernel/tracing/events/vmalloc/free_vmap_area_noflush/format", "");
	write_file(&dir, "sys/kernel/tracing/events/kmem/kmalloc/filter", "none\n");
	write_file(&dir, "sys/kernel/tracing/events/kmem/kmalloc/trigger",
		   "# Available triggers:\n# traceon traceoff stacktrace\n");
	diagnosis->nr_abilities = 0;
	kmt_abilities_find(dir.fd, true, 0, diagnosis);
	CHECK(ability(diagnosis, "slab events")->answer == KMT_ANSWER_YES);
	CHECK(ability(diagnosis, "page events")->answer == KMT_ANSWER_NO); /* without frees */
	CHECK_HAS(ability(diagnosis, "page events")->text, "no such events");
	CHECK(ability(diagnosis, "per-CPU")->answer == KMT_ANSWER_YES);
	CHECK(ability(diagnosis, "vmalloc")->answer == KMT_ANSWER_YES);
	CHECK_HAS(ability(diagnosis, "vmalloc")->text, "-e vmalloc");
	CHECK(ability(diagnosis, "stacks")->answer == KMT_ANSWER_YES);
	CHECK(ability(diagnosis, "filters")->answer == KMT_ANSWER_YES);

	write_file(&dir, "sys/kernel/tracing/events/kmem/kmalloc/trigger",
		   "# Available triggers:\n# traceon traceoff\n");
	write_file(&dir, "sys/kernel/tracing/kprobe_events", "");
	write_file(&dir, "sys/kernel/tracing/events/kmem/mm_page_free/format", "");
	diagnosis->nr_abilities = 0;
	kmt_abilities_find(dir.fd, true, 0, diagnosis);
	CHECK(ability(diagnosis, "page events")->answer == KMT_ANSWER_NO);
	CHECK_HAS(ability(diagnosis, "page events")->text, "which page");
	CHECK(ability(diagnosis, "stacks")->answer == KMT_ANSWER_NO);
	CHECK_HAS(ability(diagnosis, "vmalloc")->text, "by probes");

	write_file(&dir, "sys/kernel/tracing/events/kmem/mm_page_alloc/format",
		   "\tfield:unsigned long pfn;\n");
	diagnosis->nr_abilities = 0;
	kmt_abilities_find(dir.fd, true, 0, diagnosis);
	CHECK(ability(diagnosis, "page events")->answer == KMT_ANSWER_YES);

	write_file(&dir, "sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	diagnosis->nr_abilities = 0;
	kmt_abilities_find(dir.fd, true, 0, diagnosis);
	CHECK(ability(diagnosis, "tracefs")->answer == KMT_ANSWER_NO);
	CHECK(!ability(diagnosis, "slab events"));
}

TEST(a_tiny_machine_with_many_cpus_is_warned)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));

	CHECK(diagnosis);
	diagnosis->nr_cpus = 8;
	diagnosis->total_bytes = GIB / 8;
	kmt_abilities_find(dir.fd, false, 0, diagnosis);
	CHECK(ability(diagnosis, "buffers")->answer == KMT_ANSWER_NO);
	CHECK(ability(diagnosis, "privilege")->answer == KMT_ANSWER_NO);
	CHECK(ability(diagnosis, "tracefs")->answer == KMT_ANSWER_UNKNOWN);
}

TEST(an_executable_with_capabilities_may_record)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));

	CHECK(diagnosis);
	kmt_abilities_find(dir.fd, false, 0, diagnosis);
	CHECK(strstr(ability(diagnosis, "privilege")->text,
		     "setcap cap_dac_override,cap_ipc_lock,cap_sys_nice,cap_syslog=p /"));
	diagnosis->nr_abilities = 0;
	kmt_abilities_find(dir.fd, false, KMT_CAPABILITY(CAP_DAC_OVERRIDE), diagnosis);
	CHECK(ability(diagnosis, "privilege")->answer == KMT_ANSWER_YES);
	CHECK(strstr(ability(diagnosis, "privilege")->text, "all that help: setcap"));
	CHECK(ability(diagnosis, "tracefs")->answer != KMT_ANSWER_UNKNOWN);
	diagnosis->nr_abilities = 0;
	kmt_abilities_find(dir.fd, false, KMT_CAPABILITIES_RECORD, diagnosis);
	CHECK(strstr(ability(diagnosis, "privilege")->text, "the capabilities of /"));
	diagnosis->nr_abilities = 0;
	kmt_abilities_find(dir.fd, false, KMT_CAPABILITY(CAP_SYSLOG), diagnosis);
	CHECK(ability(diagnosis, "privilege")->answer == KMT_ANSWER_NO);
}

/* --- on the screen --- */

TEST(the_screen_is_80_columns_wide_and_safe)
{
	struct machine machines[2] = { usual, usual };
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = NULL;
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	FILE *file;

	machines[1].unreclaimable = 4 * GIB / KIB;
	machines[1].unaccounted = 2 * GIB / KIB;
	machines[1].slabs =
		"a_cache_whose_name_is_much_longer_than_any_table_can_take_it 99999999 99999999 64 64 1 : "
		"tunables 0 0 0 : slabdata 1562500 1562500 0\n";
	machines[1].callers =
		"0x1-0x2 1052672 a_function_of_a_very_long_name.isra.0.constprop+0x1/0x2 "
		"[a_module_of_a_long_name] pages=99999\n";
	diagnosis = diagnose(machines, 2, "evil\x1b[31m 16384 0 - Live 0x0 (POE)\n");
	file = open_memstream(&text, &bytes);
	CHECK(file);
	kmt_diagnosis_text(diagnosis, file);
	CHECK_EQ(fclose(file), 0);
	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		CHECK(end);
		if (end - line > 80)
			fail_msg("%.*s", (int)(end - line), line);
	}
	CHECK(!strchr(text, '\x1b'));
	CHECK_HAS(text, "evil\\x1b[31m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_usual_machine_does_not_stand_out),
		ROW(a_large_share_is_worth_watching_and_no_more),
		ROW(what_can_be_given_back_is_never_large),
		ROW(memory_in_no_counter_is_told),
		ROW(a_cache_that_keeps_growing_is_named),
		ROW(what_swings_does_not_grow),
		ROW(what_tasks_take_is_no_finding_and_not_denied),
		ROW(vmalloc_by_a_module_is_named_and_stacks_are_not),
		ROW(without_root_it_says_what_root_would_see),
		ROW(a_proc_without_meminfo_is_refused),
		ROW(removed_cgroups_that_stay_are_told),
		ROW(abilities_are_looked_up_and_nothing_is_changed),
		ROW(a_tiny_machine_with_many_cpus_is_warned),
		ROW(an_executable_with_capabilities_may_record),
		ROW(the_screen_is_80_columns_wide_and_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
