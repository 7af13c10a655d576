// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/capabilities.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/fs.h"
#include "kmemtape/record.h"
#include "kmemtape/units.h"

#include "abilities.h"

#define TRACING		     "sys/kernel/tracing"
#define EXE_BYTES	     64 /* of what is told in a line */
#define SMALL_FILE_BYTES_MAX 65536u
/* As `record` chooses them, see kmemtape-record(1): --buffer */
#define BUFFER_BYTES_MAX     (UINT64_C(16) << 20)
#define BUFFER_SHARE	     64u
#define BUFFER_BYTES_LOW     (UINT64_C(1) << 20) /* 7 ms of 1.6 million events/s */

/* What is asked of a host. */
struct looker {
	int root_fd;
	bool is_root;	  /* or may open what root may */
	bool has_tracefs; /* and may look into it */
	struct kmt_diagnosis *diagnosis;
};

static void answer(struct looker *looker, const char *name, enum kmt_answer answer, const char *fmt,
		   ...) __attribute__((format(printf, 4, 5)));

static void answer(struct looker *looker, const char *name, enum kmt_answer answer, const char *fmt,
		   ...)
{
	struct kmt_diagnosis *diagnosis = looker->diagnosis;
	struct kmt_diagnosis_ability *ability = &diagnosis->abilities[diagnosis->nr_abilities++];
	va_list args;

	*ability = (struct kmt_diagnosis_ability){ .name = name, .answer = answer };
	va_start(args, fmt);
	(void)vsnprintf(ability->text, sizeof(ability->text), fmt, args);
	va_end(args);
}

static bool exists(const struct looker *looker, const char *path)
{
	struct stat st; /* access() would ask for the rights of the real user */

	return fstatat(looker->root_fd, path, &st, 0) == 0;
}

/* Does the file have @word? */
static enum kmt_answer has_word(const struct looker *looker, const char *path, const char *word)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	if (kmt_read_file(looker->root_fd, path, SMALL_FILE_BYTES_MAX, &text, NULL, NULL) < 0)
		return KMT_ANSWER_UNKNOWN;
	return strstr(text, word) ? KMT_ANSWER_YES : KMT_ANSWER_NO;
}

/* Who isn't root records with capabilities of the executable: see kmemtape-record(1). */
static void look_at_privilege(struct looker *looker, bool is_root, uint64_t capabilities)
{
	char wanted[KMT_CAPABILITIES_BYTES], had[KMT_CAPABILITIES_BYTES], exe[EXE_BYTES] = "";

	(void)kmt_capabilities_text(wanted, KMT_CAPABILITIES_RECORD);
	(void)kmt_capabilities_text(had, capabilities & KMT_CAPABILITIES_RECORD);
	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		(void)snprintf(exe, sizeof(exe), "kmemtape");
	if (is_root)
		answer(looker, "privilege", KMT_ANSWER_YES, "root");
	else if (!looker->is_root)
		answer(looker, "privilege", KMT_ANSWER_NO,
		       "recording needs root, or as root: setcap %s=p %s", wanted, exe);
	else if ((capabilities & KMT_CAPABILITIES_RECORD) == KMT_CAPABILITIES_RECORD)
		answer(looker, "privilege", KMT_ANSWER_YES, "the capabilities of %s", exe);
	else
		answer(looker, "privilege", KMT_ANSWER_YES, "%s; all that help: setcap %s=p %s",
		       had, wanted, exe);
}

/* 17911ff38aa5 (v5.4), LOCKDOWN_TRACEFS: at the level "confidentiality" only */
static bool look_at_lockdown(struct looker *looker)
{
	if (has_word(looker, "sys/kernel/security/lockdown", "[confidentiality]") != KMT_ANSWER_YES)
		return false;
	answer(looker, "tracefs", KMT_ANSWER_NO,
	       "the kernel is locked down: boot it with lockdown=integrity or none");
	return true;
}

static void look_at_tracefs(struct looker *looker)
{
	if (look_at_lockdown(looker))
		return;
	looker->has_tracefs = exists(looker, TRACING "/instances");
	if (looker->has_tracefs &&
	    faccessat(looker->root_fd, TRACING "/instances", W_OK, AT_EACCESS) == 0)
		answer(looker, "tracefs", KMT_ANSWER_YES, "/" TRACING);
	else if (looker->has_tracefs && looker->is_root)
		answer(looker, "tracefs", KMT_ANSWER_NO,
		       "can't be written, as in a container: record on its host");
	else if (!looker->is_root)
		answer(looker, "tracefs", KMT_ANSWER_UNKNOWN, "root would see");
	else if (exists(looker, TRACING))
		answer(looker, "tracefs", KMT_ANSWER_YES,
		       "not mounted; record mounts it for as long as it runs");
	else
		answer(looker, "tracefs", KMT_ANSWER_NO,
		       "this kernel has none: it needs CONFIG_EVENT_TRACING");
}

static void look_at_events(struct looker *looker)
{
	static const char *const needed[] = { "kmalloc", "kfree", "kmem_cache_alloc",
					      "kmem_cache_free" };
	char path[64];

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		(void)snprintf(path, sizeof(path), TRACING "/events/kmem/%s/format", needed[i]);
		if (exists(looker, path))
			continue;
		answer(looker, "slab events", KMT_ANSWER_NO, "this kernel has no event kmem:%s",
		       needed[i]);
		return;
	}
	answer(looker, "slab events", KMT_ANSWER_YES, "kmalloc, kmem_cache_alloc, and their frees");
	/* 3544de8ee6e4 (v5.12); on allocations since 6.18 */
	if (has_word(looker, TRACING "/events/kmem/kmem_cache_free/format", " name;") ==
	    KMT_ANSWER_YES)
		answer(looker, "cache names", KMT_ANSWER_YES, "the events name their cache");
	else
		answer(looker, "cache names", KMT_ANSWER_NO,
		       "the events don't name their cache: kmalloc's are told by size");
}

static bool has_events(const struct looker *looker, const char *const events[2])
{
	char path[96];

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), TRACING "/events/%s/format", events[i]);
		if (!exists(looker, path))
			return false;
	}
	return true;
}

/* 9fdd8a875c6f (v4.1): before, the events have the address of a struct page instead. */
static void look_at_pages(struct looker *looker)
{
	static const char *const events[] = { "kmem/mm_page_alloc", "kmem/mm_page_free" };

	if (!has_events(looker, events))
		answer(looker, "page events", KMT_ANSWER_NO, "this kernel has no such events");
	else if (has_word(looker, TRACING "/events/kmem/mm_page_alloc/format", " pfn;") ==
		 KMT_ANSWER_NO)
		answer(looker, "page events", KMT_ANSWER_NO,
		       "the events don't tell which page it is (they do since Linux 4.1)");
	else
		answer(looker, "page events", KMT_ANSWER_YES, "record -e page");
}

static void look_at_percpu(struct looker *looker)
{
	static const char *const events[] = { "percpu/percpu_alloc_percpu",
					      "percpu/percpu_free_percpu" };

	if (has_events(looker, events))
		answer(looker, "per-CPU", KMT_ANSWER_YES, "record -e percpu");
	else
		answer(looker, "per-CPU", KMT_ANSWER_NO,
		       "this kernel has no such events (since Linux 4.14)");
}

/* An event's file of triggers tells which there are, as long as it has none. */
static void look_at_stacks(struct looker *looker)
{
	enum kmt_answer has_trigger =
		has_word(looker, TRACING "/events/kmem/kmalloc/trigger", "stacktrace");

	answer(looker, "stacks", has_trigger, "%s",
	       has_trigger == KMT_ANSWER_YES  ? "of allocations: record --stack"
	       : has_trigger == KMT_ANSWER_NO ? "this kernel has no trigger 'stacktrace'"
					      : "root would see");
}

static void look_at_filters(struct looker *looker)
{
	if (exists(looker, TRACING "/events/kmem/kmalloc/filter"))
		answer(looker, "filters", KMT_ANSWER_YES,
		       "record --sample, --cache, --min-size, --module, --pid, --comm");
	else
		answer(looker, "filters", KMT_ANSWER_NO, "this kernel's events have no filters");
}

static void look_at_frees(struct looker *looker)
{
	if (exists(looker, TRACING "/kprobe_events"))
		answer(looker, "kprobes", KMT_ANSWER_YES,
		       "frees by kfree_rcu() and in bulk, which have no event, can be probed");
	else
		answer(looker, "kprobes", KMT_ANSWER_NO,
		       "frees by kfree_rcu() and in bulk stay unseen; replay allows for them");
}

static void look_at_vmalloc(struct looker *looker)
{
	static const char *const events[] = { "vmalloc/alloc_vmap_area",
					      "vmalloc/free_vmap_area_noflush" };

	if (looker->has_tracefs && exists(looker, TRACING "/kprobe_events"))
		answer(looker, "vmalloc", KMT_ANSWER_YES,
		       "each area, and who takes it, by probes: record -e vmalloc");
	else if (looker->has_tracefs && has_events(looker, events))
		answer(looker, "vmalloc", KMT_ANSWER_YES,
		       "each area by its events: record -e vmalloc");
	else if (looker->diagnosis->has_callers)
		answer(looker, "vmalloc", KMT_ANSWER_YES,
		       "copies of vmallocinfo tell who takes areas and keeps them");
	else if (looker->is_root)
		answer(looker, "vmalloc", KMT_ANSWER_NO, "/proc/vmallocinfo can't be read");
	else
		answer(looker, "vmalloc", KMT_ANSWER_UNKNOWN, "root would see");
}

static void look_at_clock(struct looker *looker)
{
	if (has_word(looker, TRACING "/trace_clock", "mono") == KMT_ANSWER_YES)
		answer(looker, "clock", KMT_ANSWER_YES, "mono: the same on all CPUs");
	else
		answer(looker, "clock", KMT_ANSWER_NO,
		       "no mono (before Linux 4.1): boot or global instead");
}

/* A line of kallsyms begins with an address: zeros, if it is hidden from us. */
static void look_at_symbols(struct looker *looker)
{
	KMT_CLEANUP(kmt_close_fd)
	int fd = openat(looker->root_fd, "proc/kallsyms", O_RDONLY | O_CLOEXEC);
	char line[16];
	ssize_t n = fd >= 0 ? read(fd, line, sizeof(line)) : -1;
	bool is_hidden = true;

	if (n <= 0) {
		answer(looker, "symbols", KMT_ANSWER_NO,
		       "no /proc/kallsyms: call sites will have no names");
		return;
	}
	for (ssize_t i = 0; i < n && line[i] != ' '; i++)
		is_hidden &= line[i] == '0';
	/* The first symbol of x86 may be at 0: the per-CPU area. Then ask who may see them. */
	if (is_hidden && looker->is_root &&
	    has_word(looker, "proc/sys/kernel/kptr_restrict", "2") != KMT_ANSWER_YES)
		is_hidden = false;
	if (!is_hidden)
		answer(looker, "symbols", KMT_ANSWER_YES, "kallsyms");
	else if (looker->is_root)
		answer(looker, "symbols", KMT_ANSWER_NO,
		       "hidden: 'sysctl kernel.kptr_restrict=1' lets root see them");
	else
		answer(looker, "symbols", KMT_ANSWER_UNKNOWN, "root would see");
}

static void look_at_buffers(struct looker *looker)
{
	uint64_t nr_cpus = looker->diagnosis->nr_cpus ? looker->diagnosis->nr_cpus : 1;
	uint64_t bytes = looker->diagnosis->total_bytes / BUFFER_SHARE / nr_cpus;
	uint64_t own_bytes = KMT_RECORD_OWN_BYTES + KMT_RECORD_OWN_CPU_BYTES * nr_cpus;
	char each[KMT_UNITS_BYTES], all[KMT_UNITS_BYTES], own[KMT_UNITS_BYTES];

	if (bytes > BUFFER_BYTES_MAX)
		bytes = BUFFER_BYTES_MAX;
	answer(looker, "buffers", bytes >= BUFFER_BYTES_LOW ? KMT_ANSWER_YES : KMT_ANSWER_NO,
	       "%s for each of %" PRIu64 " CPUs, %s in all, and the recorder takes %s at most%s",
	       kmt_format_size(each, bytes), nr_cpus, kmt_format_size(all, bytes * nr_cpus),
	       kmt_format_size(own, own_bytes),
	       bytes >= BUFFER_BYTES_LOW ? "" : ": may lose events; see record --buffer");
}

void kmt_abilities_find(int root_fd, bool is_root, uint64_t capabilities,
			struct kmt_diagnosis *diagnosis)
{
	bool may_open = is_root || capabilities & KMT_CAPABILITY(CAP_DAC_OVERRIDE);
	struct looker looker = { root_fd, may_open, false, diagnosis };

	look_at_privilege(&looker, is_root, capabilities);
	look_at_tracefs(&looker);
	if (looker.has_tracefs) {
		look_at_events(&looker);
		look_at_frees(&looker);
		look_at_pages(&looker);
		look_at_percpu(&looker);
		look_at_stacks(&looker);
		look_at_filters(&looker);
		look_at_clock(&looker);
	}
	look_at_vmalloc(&looker);
	look_at_symbols(&looker);
	look_at_buffers(&looker);
}
