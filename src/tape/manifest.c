// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/manifest.h"
#include "kmemtape/units.h"

#define CLOCK_SET_NS INT64_C(1000000000) /* less is read, or corrected, in parts */

void kmt_manifest_init(struct kmt_manifest *manifest)
{
	*manifest = (struct kmt_manifest){ .sample = 1 };
}

void kmt_manifest_deinit(struct kmt_manifest *manifest)
{
	free(manifest->cpus);
	for (size_t i = 0; i < manifest->nr_events; i++)
		free(manifest->events[i]);
	free(manifest->events);
	free(manifest->recorder_pids);
	free(manifest->stats);
	free(manifest->probes);
	free(manifest->pairs);
	free(manifest->filters);
	kmt_manifest_init(manifest);
}

/* Room for one more, at the end. Return: false if out of memory, with the array unchanged. */
#define GROW(array, nr)                                                         \
	({                                                                      \
		void *_grown = reallocarray(array, (nr) + 1, sizeof(*(array))); \
		if (_grown)                                                     \
			(array) = _grown;                                       \
		_grown != NULL;                                                 \
	})

int kmt_manifest_add_cpu(struct kmt_manifest *manifest, uint32_t cpu)
{
	size_t at = 0;

	while (at < manifest->nr_cpus && manifest->cpus[at] < cpu)
		at++;
	if (at < manifest->nr_cpus && manifest->cpus[at] == cpu)
		return 0;
	if (!GROW(manifest->cpus, manifest->nr_cpus))
		return -ENOMEM;
	memmove(manifest->cpus + at + 1, manifest->cpus + at,
		(manifest->nr_cpus - at) * sizeof(*manifest->cpus));
	manifest->cpus[at] = cpu;
	manifest->nr_cpus++;
	return 0;
}

int kmt_manifest_add_event(struct kmt_manifest *manifest, const char *name)
{
	char *copy = strdup(name);

	if (!copy || !GROW(manifest->events, manifest->nr_events)) {
		free(copy);
		return -ENOMEM;
	}
	manifest->events[manifest->nr_events++] = copy;
	return 0;
}

int kmt_manifest_add_recorder_pid(struct kmt_manifest *manifest, int32_t pid)
{
	size_t at = 0;

	while (at < manifest->nr_recorder_pids && manifest->recorder_pids[at] < pid)
		at++;
	if (!GROW(manifest->recorder_pids, manifest->nr_recorder_pids))
		return -ENOMEM;
	memmove(manifest->recorder_pids + at + 1, manifest->recorder_pids + at,
		(manifest->nr_recorder_pids - at) * sizeof(*manifest->recorder_pids));
	manifest->recorder_pids[at] = pid;
	manifest->nr_recorder_pids++;
	return 0;
}

int kmt_manifest_add_stats(struct kmt_manifest *manifest, const struct kmt_cpu_stats *stats)
{
	if (!GROW(manifest->stats, manifest->nr_stats))
		return -ENOMEM;
	manifest->stats[manifest->nr_stats++] = *stats;
	return 0;
}

int kmt_manifest_add_probe(struct kmt_manifest *manifest, const struct kmt_probe_stats *probe)
{
	if (!GROW(manifest->probes, manifest->nr_probes))
		return -ENOMEM;
	manifest->probes[manifest->nr_probes++] = *probe;
	return 0;
}

int kmt_manifest_add_pair(struct kmt_manifest *manifest, const struct kmt_pair *pair)
{
	if (!GROW(manifest->pairs, manifest->nr_pairs))
		return -ENOMEM;
	manifest->pairs[manifest->nr_pairs++] = *pair;
	return 0;
}

int kmt_manifest_add_filter(struct kmt_manifest *manifest, const char *event, const char *text)
{
	struct kmt_manifest_filter *filter;

	if (!GROW(manifest->filters, manifest->nr_filters))
		return -ENOMEM;
	filter = &manifest->filters[manifest->nr_filters++];
	(void)snprintf(filter->event, sizeof(filter->event), "%s", event);
	(void)snprintf(filter->text, sizeof(filter->text), "%s", text);
	return 0;
}

void kmt_manifest_note_disturbance(struct kmt_manifest *manifest, uint64_t from_ns, uint64_t to_ns,
				   const char *what)
{
	size_t nr = manifest->nr_disturbances;
	struct kmt_disturbance *last = nr ? &manifest->disturbances[nr - 1] : NULL;

	if (last && (nr == KMT_DISTURBANCES_MAX ||
		     (last->to_ns == from_ns && strcmp(last->what, what) == 0))) {
		last->to_ns = to_ns;
		return;
	}
	last = &manifest->disturbances[manifest->nr_disturbances++];
	*last = (struct kmt_disturbance){ .from_ns = from_ns, .to_ns = to_ns };
	(void)snprintf(last->what, sizeof(last->what), "%s", what);
}

int64_t kmt_manifest_clock_set_ns(const struct kmt_manifest *manifest)
{
	int64_t ns;

	/* Only these run as fast as the wall clock does: "global" isn't corrected by NTP. */
	if (strcmp(manifest->clock, "mono") != 0 && strcmp(manifest->clock, "boot") != 0)
		return 0;
	if (!manifest->wall_offset_ns || !manifest->wall_offset_end_ns ||
	    __builtin_sub_overflow(manifest->wall_offset_end_ns, manifest->wall_offset_ns, &ns))
		return 0;
	/* What stands still during suspend falls back behind the wall clock. */
	if (strcmp(manifest->clock, "mono") == 0 &&
	    __builtin_sub_overflow(ns, (int64_t)manifest->suspended_ns, &ns))
		return 0;
	return ns <= -CLOCK_SET_NS || ns >= CLOCK_SET_NS ? ns : 0;
}

uint64_t kmt_manifest_lost(const struct kmt_manifest *manifest)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < manifest->nr_stats; i++) {
		lost = kmt_sum(lost, manifest->stats[i].overrun);
		lost = kmt_sum(lost, manifest->stats[i].commit_overrun);
		lost = kmt_sum(lost, manifest->stats[i].dropped);
	}
	return lost;
}
