// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/chunk.h"

#include "long-file.h"

/* What the beginning counts up to. */
static int look_at_begin(struct long_file *file, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	struct kmt_chunk chunk;
	struct stat st;
	int r, fd;

	file->begin_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->begin_fd < 0 || fstat(file->begin_fd, &st) < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	file->begin_bytes = (uint64_t)st.st_size;
	file->begin_sequence = 1;
	fd = dup(file->begin_fd);
	r = kmt_chunk_reader_new(fd, path, &reader, err);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	while ((r = kmt_chunk_reader_next(reader, NULL, &chunk, err)) == KMT_CHUNK_GOT) {
		file->begin_sequence = chunk.sequence + 1;
		file->begin_raw = chunk.raw_before + chunk.raw_bytes;
	}
	return r == KMT_CHUNK_CUT ? 0 : kmt_fail(err, -EBADMSG, "%s: has an end already", path);
}

int long_file_init(struct long_file *file, struct rings *rings, const char *path, unsigned int cpu,
		   uint64_t begin_rounds, struct kmt_err *err)
{
	const struct load *load = rings->load;
	uint64_t period_rounds = LONG_FILE_CHUNKS * PERIOD_CHUNK_ROUNDS;
	int r;

	*file = (struct long_file){
		.cpu = cpu,
		.nr_periods = (load->nr_rounds - begin_rounds) / period_rounds,
		.period_ns = period_rounds * LOAD_ROUND_EVENTS * LOAD_EVENT_NS,
		.end_ns = load_end_ns(load),
	};
	r = look_at_begin(file, path, err);
	for (unsigned int i = 0; r == 0 && i < LONG_FILE_CHUNKS; i++) {
		struct period_chunk *chunk = &file->chunks[i];

		r = period_chunk_init(chunk, rings, cpu, begin_rounds + i * PERIOD_CHUNK_ROUNDS,
				      err);
		file->chunk_at[i + 1] = file->chunk_at[i] + chunk->file_bytes;
		file->chunk_raw[i + 1] = file->chunk_raw[i] + chunk->raw_bytes;
		file->patched_to[i] = UINT64_MAX;
	}
	return r;
}

void long_file_deinit(struct long_file *file)
{
	kmt_close_fd(&file->begin_fd);
	for (unsigned int i = 0; i < LONG_FILE_CHUNKS; i++)
		period_chunk_deinit(&file->chunks[i]);
}

static uint64_t end_of_periods(const struct long_file *file)
{
	return file->begin_bytes + file->nr_periods * file->chunk_at[LONG_FILE_CHUNKS];
}

uint64_t long_file_bytes(const struct long_file *file)
{
	return end_of_periods(file) + PERIOD_HEAD_BYTES;
}

static ssize_t read_footer(const struct long_file *file, uint8_t *to, size_t size, uint64_t at)
{
	uint8_t footer[PERIOD_HEAD_BYTES];

	if (at >= sizeof(footer))
		return 0;
	if (size > sizeof(footer) - at)
		size = sizeof(footer) - at;
	period_put_footer(footer, file->cpu, file->chunks[0].unit_bytes,
			  file->begin_sequence + file->nr_periods * LONG_FILE_CHUNKS, file->end_ns,
			  file->begin_raw + file->nr_periods * file->chunk_raw[LONG_FILE_CHUNKS]);
	memcpy(to, footer + at, size);
	return (ssize_t)size;
}

static ssize_t read_period(struct long_file *file, uint8_t *to, size_t size, uint64_t at)
{
	uint64_t period = at / file->chunk_at[LONG_FILE_CHUNKS];
	struct period_chunk *chunk;
	unsigned int i = 0;

	at %= file->chunk_at[LONG_FILE_CHUNKS];
	while (at >= file->chunk_at[i + 1])
		i++;
	at -= file->chunk_at[i];
	chunk = &file->chunks[i];
	if (file->patched_to[i] != period) {
		period_chunk_patch(chunk, period * file->period_ns,
				   file->begin_sequence + period * LONG_FILE_CHUNKS + i,
				   file->begin_raw + period * file->chunk_raw[LONG_FILE_CHUNKS] +
					   file->chunk_raw[i]);
		file->patched_to[i] = period;
	}
	if (size > chunk->file_bytes - at)
		size = chunk->file_bytes - at;
	memcpy(to, chunk->file + at, size);
	return (ssize_t)size;
}

/* From one part of the file. */
static ssize_t read_part(struct long_file *file, uint8_t *to, size_t size, uint64_t offset)
{
	ssize_t n;

	if (offset >= end_of_periods(file))
		return read_footer(file, to, size, offset - end_of_periods(file));
	if (offset >= file->begin_bytes)
		return read_period(file, to, size, offset - file->begin_bytes);
	if (size > file->begin_bytes - offset)
		size = (size_t)(file->begin_bytes - offset);
	n = pread(file->begin_fd, to, size, (off_t)offset);
	return n < 0 ? -errno : n;
}

ssize_t long_file_read(struct long_file *file, uint8_t *to, size_t size, uint64_t offset)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read_part(file, to + used, size - used, offset + used);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}
