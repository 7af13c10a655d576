// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/fs.h"
#include "kmemtape/manifest.h"
#include "kmemtape/tape-format.h"

#include "fuzz.h"

/* Input: manifest.json. What is accepted must be in range, and must survive being written. */
static char directory[] = "/tmp/kmt-fuzz-manifest-XXXXXX";
static int tape_fd = -1;

static void clean_up(void)
{
	(void)unlinkat(tape_fd, "manifest.json", 0);
	(void)rmdir(directory);
}

static void check_ranges(const struct kmt_manifest *m)
{
	MUST(m->long_bytes == 4 || m->long_bytes == 8);
	MUST(m->subbuf_bytes >= 64 && m->subbuf_bytes <= KMT_CHUNK_RAW_BYTES_MAX);
	MUST(m->page_bytes > 0 && m->sample > 0);
	MUST(m->nr_cpus <= KMT_CPUS_MAX);
	for (size_t i = 0; i < m->nr_cpus; i++)
		MUST(m->cpus[i] < KMT_CPUS_MAX && (i == 0 || m->cpus[i - 1] < m->cpus[i]));
	for (size_t i = 0; i < m->nr_events; i++)
		MUST(strchr(m->events[i], ':') && !strpbrk(m->events[i], "/. "));
	for (size_t i = 0; i < m->nr_recorder_pids; i++)
		MUST(m->recorder_pids[i] >= 0);
	for (size_t i = 0; i < m->nr_stats; i++)
		MUST(m->stats[i].cpu < KMT_CPUS_MAX);
	(void)kmt_manifest_lost(m);
}

static void check_round_trip(const struct kmt_manifest *m)
{
	struct kmt_manifest again;
	struct kmt_err err = { "" };
	char *text;
	size_t bytes;

	if (tape_fd < 0) {
		MUST(mkdtemp(directory));
		tape_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		MUST(tape_fd >= 0);
		(void)atexit(clean_up);
	}
	MUST(kmt_manifest_write(m, tape_fd, NULL) == 0);
	MUST(kmt_read_file(tape_fd, "manifest.json", KMT_MANIFEST_BYTES_MAX, &text, &bytes, NULL) ==
	     0);
	kmt_manifest_init(&again);
	MUST(kmt_manifest_parse(&again, text, bytes, "again", &err) == 0);
	MUST(again.nr_cpus == m->nr_cpus && again.nr_events == m->nr_events &&
	     again.nr_stats == m->nr_stats && again.nr_recorder_pids == m->nr_recorder_pids);
	MUST(strcmp(again.kernel, m->kernel) == 0 && again.start_ns == m->start_ns &&
	     again.end_ns == m->end_ns && again.wall_offset_ns == m->wall_offset_ns &&
	     again.sample == m->sample && again.symbols == m->symbols &&
	     again.is_closed == m->is_closed);
	kmt_manifest_deinit(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kmt_manifest manifest;
	struct kmt_err err = { "" };
	int r;

	kmt_manifest_init(&manifest);
	r = kmt_manifest_parse(&manifest, (const char *)data, size, "fuzz", &err);
	MUST((r < 0) == (err.text[0] != '\0'));
	if (r == 0) {
		check_ranges(&manifest);
		check_round_trip(&manifest);
	}
	kmt_manifest_deinit(&manifest);
	return 0;
}
