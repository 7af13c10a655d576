// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kmemtape/replay.h"
#include "kmemtape/report.h"
#include "kmemtape/survey.h"

#include "chunk-file.h"
#include "fuzz.h"
#include "tar-file.h"

/*
 * A whole tape, from its files to the report. Input: a digit for the kernel whose formats are on it
 * (bits 0 and 1), a letter for what is asked for, then sections: a letter, their length as two
 * bytes, the lower first, and so many bytes.
 *
 *   t  "PATH\n", and the file
 *   z  "PATH\n", and the text of a chunk file
 *   c  a CPU as a byte, a sub-buffer of 4096 bytes; the rest of it is zeros
 *   m  a CPU as a byte, up to when it was drained as 8 bytes: a mark
 *   x  a CPU as a byte: its file has no footer
 *
 * So headers, checksums and compression are right, and what is changed gets to where it is read. A
 * file that comes twice is the later one; what isn't given is as it usually is.
 */
#define SUBBUF_BYTES 4096u
#define CPUS_MAX     4u
#define FILES_MAX    64u
#define PATH_BYTES   64u

static const char *const kernels[] = { "6.12", "i386", "s390x", "3.10" };
static const char *const systems[] = { "ftrace", "kmem", "kmemtape", "module",
				       "percpu", "task", "vmalloc" };

struct input_file {
	char path[PATH_BYTES];
	const uint8_t *bytes;
	size_t size;
	bool is_chunks;
};

/* What every tape of a kernel has; read once. */
struct kernel {
	struct input_file files[FILES_MAX];
	size_t nr;
	char manifest[4096];
};

struct input {
	const struct kernel *kernel;
	struct input_file files[FILES_MAX];
	size_t nr;
	struct chunk_file cpus[CPUS_MAX];
	bool is_cut[CPUS_MAX];
};

static void load_file(struct kernel *kernel, const char *name, const char *path)
{
	struct input_file *file = &kernel->files[kernel->nr++];
	char fixture[256], *text;

	MUST(kernel->nr <= FILES_MAX);
	(void)snprintf(fixture, sizeof(fixture), "formats/%s/%s%s", name, path,
		       strchr(path, '/') ? "/format" : "");
	text = fuzz_read_fixture(fixture, &file->size);
	file->bytes = (const uint8_t *)text;
	(void)snprintf(file->path, sizeof(file->path), "events/%s%s", path,
		       strchr(path, '/') ? "/format" : "");
}

/* By name: the order must not depend on the file system. */
static void load_system(struct kernel *kernel, const char *name, const char *system, char *events,
			size_t room)
{
	struct dirent **entries;
	char path[4096];
	int nr;

	(void)snprintf(path, sizeof(path), "%s/formats/%s/%s", getenv("KMT_TESTS"), name, system);
	nr = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < nr; i++) {
		size_t used = strlen(events);

		if (entries[i]->d_name[0] != '.') {
			(void)snprintf(path, sizeof(path), "%s/%.40s", system, entries[i]->d_name);
			load_file(kernel, name, path);
			*strchr(path, '/') = ':';
			(void)snprintf(events + used, room - used, "%s\"%.50s\"", used ? "," : "",
				       path);
		}
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
}

static const struct kernel *load(unsigned int number)
{
	static struct kernel loaded[4];
	struct kernel *kernel = &loaded[number];
	char events[2048] = "";

	if (kernel->nr)
		return kernel;
	load_file(kernel, kernels[number], "header_page");
	load_file(kernel, kernels[number], "header_event");
	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
		load_system(kernel, kernels[number], systems[i], events, sizeof(events));
	(void)snprintf(
		kernel->manifest, sizeof(kernel->manifest),
		"{\"format\":\"kmemtape\",\"format_version\":1,\"incompat\":[],\"kernel\":{"
		"\"release\":\"%s\",\"arch\":\"any\",\"big_endian\":%s,\"long_bytes\":%d,"
		"\"page_bytes\":4096},\"buffer\":{\"subbuf_bytes\":4096},\"clock\":{\"name\":"
		"\"mono\"},\"time\":{\"start_ns\":1000,\"allocs_on_ns\":1000,\"allocs_off_ns\":"
		"9000000000,\"end_ns\":10000000000},\"closed\":true,\"symbols\":\"good\",\"sets\":"
		"\"slab,page,percpu,vmalloc\",\"vmalloc\":\"probes\",\"stacks\":\"slab,page\","
		"\"possible_cpus\":4,\"pairs\":[{\"name\":\"dentry\",\"alloc\":\"a\",\"free\":\"b\","
		"\"module\":\"\",\"count\":false},{\"name\":\"device\",\"alloc\":\"c\",\"free\":"
		"\"d\",\"module\":\"\",\"count\":true}],\"free_probes\":\"on\",\"cpus\":[],"
		"\"events\":[%s]}",
		kernels[number], number == 2 ? "true" : "false", number == 1 ? 4 : 8, events);
	return kernel;
}

/* --- sections --- */

static void take_file(struct input *input, const uint8_t *bytes, size_t size, bool is_chunks)
{
	const uint8_t *end = size ? memchr(bytes, '\n', size) : NULL;
	struct input_file *file = &input->files[input->nr];

	if (!end || end == bytes || (size_t)(end - bytes) >= PATH_BYTES || input->nr == FILES_MAX)
		return;
	memset(file->path, 0, sizeof(file->path));
	memcpy(file->path, bytes, (size_t)(end - bytes));
	file->bytes = end + 1;
	file->size = size - (size_t)(end + 1 - bytes);
	file->is_chunks = is_chunks;
	input->nr++;
}

static struct chunk_file *cpu_of(struct input *input, unsigned int cpu)
{
	struct chunk_file *file = &input->cpus[cpu];

	if (!file->bytes)
		chunk_file_init(file, cpu, SUBBUF_BYTES);
	return file;
}

static void take_cpu(struct input *input, uint8_t kind, const uint8_t *bytes, size_t size)
{
	uint8_t subbuf[SUBBUF_BYTES] = { 0 };
	uint64_t drained_ns = 0;
	unsigned int cpu;

	if (size < 1)
		return;
	cpu = bytes[0] % CPUS_MAX;
	size = size - 1 < SUBBUF_BYTES ? size - 1 : SUBBUF_BYTES;
	memcpy(subbuf, bytes + 1, size);
	if (kind == 'x')
		input->is_cut[cpu] = true;
	else if (kind == 'c')
		chunk_file_add(cpu_of(input, cpu), subbuf, SUBBUF_BYTES, 0);
	else {
		memcpy(&drained_ns, subbuf, sizeof(drained_ns));
		chunk_file_add(cpu_of(input, cpu), NULL, 0, drained_ns);
	}
}

static void take_sections(struct input *input, const uint8_t *bytes, size_t size)
{
	while (size >= 3) {
		size_t length = bytes[1] | (size_t)bytes[2] << 8;
		uint8_t kind = bytes[0];

		bytes += 3;
		size -= 3;
		length = length < size ? length : size;
		if (kind == 't' || kind == 'z')
			take_file(input, bytes, length, kind == 'z');
		else if (kind == 'c' || kind == 'm' || kind == 'x')
			take_cpu(input, kind, bytes, length);
		bytes += length;
		size -= length;
	}
}

/* --- the tape --- */

/* A tar in which a file is twice is no tape: that is fuzz-packed.c's. */
static bool is_given(const struct input *input, const char *path, size_t from)
{
	for (size_t i = from; i < input->nr; i++)
		if (strcmp(input->files[i].path, path) == 0)
			return true;
	return false;
}

static void add_file(struct tar_file *tar, const struct input_file *file)
{
	struct chunk_file chunks;

	if (!file->is_chunks) {
		tar_file_add(tar, file->path, file->bytes, file->size);
		return;
	}
	chunk_file_init(&chunks, 0, 1);
	if (file->size)
		chunk_file_add(&chunks, file->bytes, file->size, 0);
	chunk_file_close(&chunks);
	tar_file_add(tar, file->path, chunks.bytes, chunks.size);
	free(chunks.bytes);
}

static int build(struct input *input)
{
	const struct kernel *kernel = input->kernel;
	struct tar_file tar = { 0 };
	int fd = memfd_create("fuzz-tape", MFD_CLOEXEC);

	if (!is_given(input, "manifest.json", 0))
		tar_file_add(&tar, "manifest.json", kernel->manifest, strlen(kernel->manifest));
	for (size_t i = 0; i < kernel->nr; i++)
		if (!is_given(input, kernel->files[i].path, 0))
			add_file(&tar, &kernel->files[i]);
	for (unsigned int cpu = 0; cpu < CPUS_MAX; cpu++) {
		char path[KMT_TAPE_CPU_PATH_BYTES];

		if (!input->cpus[cpu].bytes)
			continue;
		if (!input->is_cut[cpu])
			chunk_file_close(&input->cpus[cpu]);
		kmt_tape_cpu_path(path, cpu);
		if (!is_given(input, path, 0))
			tar_file_add(&tar, path, input->cpus[cpu].bytes, input->cpus[cpu].size);
		free(input->cpus[cpu].bytes);
	}
	for (size_t i = 0; i < input->nr; i++)
		if (!is_given(input, input->files[i].path, i + 1))
			add_file(&tar, &input->files[i]);
	tar_file_close(&tar);
	MUST(fd >= 0 && write(fd, tar.bytes, tar.size) == (ssize_t)tar.size);
	free(tar.bytes);
	return fd;
}

/* --- what must be true of any result --- */

static void check_books(const struct kmt_result *result)
{
	const struct kmt_totals *t = &result->totals;

	MUST(t->allocs - t->failed_allocs - t->zero_size - t->replaced + t->split ==
	     t->paired + t->reused + t->live);
	MUST(t->frees - t->null_frees - t->deferred_frees + t->joined ==
	     t->paired + t->unknown_frees + t->unknown_other_frees + t->filtered_frees);
	MUST(t->live <= t->peak_live && t->uncertain <= t->live);
	MUST(result->verdict.confidence >= 0 && result->verdict.confidence <= 1);
}

/* Nothing that a terminal would obey, and nothing but text. */
static void check_output(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		MUST(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
}

static void report(const struct kmt_result *result)
{
	struct kmt_report_options options = { 0 };
	char *text = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);

	MUST(file);
	kmt_report_text(result, &options, file);
	kmt_report_explain(result, &options, file);
	MUST(kmt_report_intervals(result, file, NULL) == 0);
	MUST(kmt_report_json(result, &options, file, NULL) == 0);
	MUST(fclose(file) == 0);
	check_output(text, bytes);
	free(text);
}

static void replay(struct kmt_tape *tape, unsigned int asked)
{
	static const enum kmt_group only_by[] = { KMT_BY_SITE, KMT_BY_CACHE, KMT_BY_MODULE,
						  KMT_BY_COMM, KMT_BY_PID };
	static const char *const only[] = { "alloc_pipe_info", "kmalloc-128", "e1000e", "swapper",
					    "42" };
	struct kmt_replay_options options = { .group = (enum kmt_group)(asked % 7) };
	struct kmt_result *result;
	struct kmt_err err = { "" };
	int r;

	if (asked >= 7 && asked < 12) {
		options.interval_ns = UINT64_C(1000000);
		options.only_by = only_by[asked - 7];
		options.only = only[asked - 7];
	}
	if (asked == 12) {
		options.group = KMT_BY_SITE;
		options.explain = "alloc_pipe_info";
	}
	if (asked == 13)
		options.older_ns = 5000;
	r = kmt_replay(tape, &options, &result, &err);
	MUST(r <= 0 && (r == 0 || err.text[0]));
	if (r < 0)
		return;
	check_books(result);
	report(result);
	(void)kmt_result_free(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kmt_survey_file *files;
	struct kmt_err err = { "" };
	struct input input = { 0 };
	struct kmt_tape *tape;
	char path[32];
	int fd, r;

	if (size < 2)
		return 0;
	input.kernel = load(data[0] & 3);
	take_sections(&input, data + 2, size - 2);
	fd = build(&input);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = kmt_tape_open(path, &tape, &err);
	MUST(r <= 0 && (r < 0) == (err.text[0] != '\0'));
	(void)close(fd);
	if (r < 0)
		return 0;
	if (kmt_survey(tape, true, &files, &err) == 0)
		free(files);
	replay(tape, (data[1] - (unsigned int)'a') % 16);
	(void)kmt_tape_free(tape);
	return 0;
}
