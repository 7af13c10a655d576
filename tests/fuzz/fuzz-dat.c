// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kmemtape/fs.h"
#include "kmemtape/tape.h"
#include "kmemtape/trace-dat.h"

#include "fuzz.h"

/* Input: a trace.dat. */

/* Made once, and empty before each run. */
static const char *work_directory(void)
{
	static char path[256];
	const char *parent = getenv("TMPDIR");

	if (!path[0]) {
		(void)snprintf(path, sizeof(path), "%s/fuzz-dat-XXXXXX", parent ? parent : "/tmp");
		MUST(mkdtemp(path));
	}
	return path;
}

static void remove_work_directory(void)
{
	kmt_remove_tree(work_directory(), false);
}

static size_t nr_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t nr = 0;

	MUST(dir);
	while (readdir(dir))
		nr++;
	(void)closedir(dir);
	return nr - 2; /* . and .. */
}

/* What came out is a tape, whose data is readable. */
static void check_tape(const char *path)
{
	struct kmt_chunk_scratch *scratch = NULL;
	struct kmt_err err = { "" };
	struct kmt_chunk chunk;
	struct kmt_tape *tape;
	int r;

	MUST(kmt_tape_open(path, &tape, &err) == 0);
	MUST(tape->manifest.is_closed);
	MUST(kmt_chunk_scratch_new(&scratch, NULL) == 0);
	for (size_t i = 0; i < tape->nr_cpus; i++) {
		while ((r = kmt_chunk_reader_next(tape->cpus[i], scratch, &chunk, &err)) > 0)
			MUST(r == KMT_CHUNK_GOT);
		MUST(r == KMT_CHUNK_END);
	}
	(void)kmt_chunk_scratch_free(scratch);
	(void)kmt_tape_free(tape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct kmt_err err = { "" };
	char path[64], tape_path[300];
	int fd = memfd_create("fuzz-dat", MFD_CLOEXEC), r;

	if (!is_ready)
		(void)atexit(remove_work_directory);
	is_ready = true;
	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)snprintf(tape_path, sizeof(tape_path), "%s/tape", work_directory());
	r = kmt_trace_dat_import(path, tape_path, NULL, &err);
	MUST((r < 0) == (err.text[0] != '\0'));
	MUST(r <= 0);
	if (r == 0)
		check_tape(tape_path);
	else
		MUST(nr_entries(work_directory()) == 0); /* nothing is left of it */
	kmt_remove_tree(tape_path, false);
	(void)close(fd);
	return 0;
}
