// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/tape.h"
#include "kmemtape/trace-dat.h"

#include "dat.h"

#define PAGE_BYTES_MIN 1024u

bool kmt_is_trace_dat(const char *path)
{
	KMT_CLEANUP(kmt_close_fd)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char magic[KMT_DAT_MAGIC_BYTES];
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	       memcmp(magic, KMT_DAT_MAGIC, sizeof(magic)) == 0;
}

struct kmt_dat_cursor kmt_dat_cursor_at(const struct kmt_dat *dat, uint64_t offset)
{
	return (struct kmt_dat_cursor){
		.path = dat->path,
		.fd = dat->fd,
		.at = offset,
		.end = dat->bytes,
		.is_big_endian = dat->is_big_endian,
	};
}

static int open_file(struct kmt_dat *dat, struct kmt_err *err)
{
	struct stat st;

	dat->fd = open(dat->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (dat->fd < 0 || fstat(dat->fd, &st) < 0)
		return kmt_fail(err, -errno, "%s: %s", dat->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return kmt_fail(err, -EBADMSG, "%s: not a trace.dat: not a regular file",
				dat->path);
	dat->bytes = (uint64_t)st.st_size;
	return 0;
}

/* Up to where the versions differ. */
static int read_start(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err)
{
	char magic[KMT_DAT_MAGIC_BYTES], version[8];
	uint64_t order, long_bytes, page_bytes;
	int r;

	r = kmt_dat_get(cursor, magic, sizeof(magic), err);
	if (r < 0 || memcmp(magic, KMT_DAT_MAGIC, sizeof(magic)) != 0)
		return kmt_fail(err, -EBADMSG, "%s: not a trace.dat", dat->path);
	r = kmt_dat_get_word(cursor, version, sizeof(version), err);
	if (r < 0)
		return r;
	if (strcmp(version, "6") != 0 && strcmp(version, "7") != 0)
		return kmt_fail(
			err, -EPROTONOSUPPORT,
			"%s: a trace.dat of a version that isn't 6 or 7: 'trace-cmd convert' "
			"makes one of it",
			dat->path);
	dat->version = version[0] == '6' ? 6 : 7;
	(void)((r = kmt_dat_get_number(cursor, 1, &order, err)) < 0 ||
	       (r = kmt_dat_get_number(cursor, 1, &long_bytes, err)) < 0);
	if (r < 0)
		return r;
	dat->is_big_endian = cursor->is_big_endian = order != 0;
	r = kmt_dat_get_number(cursor, 4, &page_bytes, err);
	if (r < 0)
		return r;
	if (page_bytes < PAGE_BYTES_MIN || page_bytes > KMT_CHUNK_RAW_BYTES_MAX ||
	    (page_bytes & (page_bytes - 1)))
		return kmt_dat_bad(cursor, "pages of no possible size", err);
	dat->page_bytes = (uint32_t)page_bytes;
	return kmt_dat_buffer_of(dat, "") ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}

/*
 * Each byte of the file is of one CPU at most: so what comes out can't be many times what goes in.
 * And pages are of a size that a tape can hold.
 */
static int check(const struct kmt_dat *dat, struct kmt_err *err)
{
	uint64_t bytes = 0;

	if (!dat->header_page || !dat->header_event)
		return kmt_fail(err, -EBADMSG,
				"%s: the trace.dat makes no sense: it has no header_page",
				dat->path);
	for (size_t i = 0; i < dat->nr_buffers; i++) {
		const struct kmt_dat_buffer *buffer = &dat->buffers[i];

		if (buffer->page_bytes < PAGE_BYTES_MIN ||
		    buffer->page_bytes > KMT_CHUNK_RAW_BYTES_MAX)
			return kmt_fail(err, -EBADMSG,
					"%s: the trace.dat makes no sense: sub-buffers of %u bytes",
					dat->path, buffer->page_bytes);
		for (size_t k = 0; k < buffer->nr_cpus; k++)
			bytes += buffer->cpus[k].bytes;
	}
	return bytes <= dat->bytes
		       ? 0
		       : kmt_fail(err, -EBADMSG,
				  "%s: the trace.dat makes no sense: CPUs share their data",
				  dat->path);
}

int kmt_dat_open(const char *path, struct kmt_dat **ret_dat, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_dat_freep) struct kmt_dat *dat = calloc(1, sizeof(*dat));
	struct kmt_dat_cursor cursor;
	int r;

	if (!dat)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	dat->fd = -1;
	dat->path = strdup(path);
	if (!dat->path)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	r = open_file(dat, err);
	if (r < 0)
		return r;
	cursor = kmt_dat_cursor_at(dat, 0);
	r = read_start(dat, &cursor, err);
	if (r == 0)
		r = dat->version == 6 ? kmt_dat_read_version_6(dat, &cursor, err)
				      : kmt_dat_read_version_7(dat, &cursor, err);
	if (r == 0)
		r = check(dat, err);
	if (r < 0)
		return r;
	*ret_dat = KMT_STEAL(dat);
	return 0;
}

struct kmt_dat *kmt_dat_free(struct kmt_dat *dat)
{
	if (!dat)
		return NULL;
	for (size_t i = 0; i < dat->nr_buffers; i++) {
		free(dat->buffers[i].name);
		free(dat->buffers[i].cpus);
		free(dat->buffers[i].stats);
	}
	free(dat->buffers);
	for (size_t i = 0; i < dat->nr_formats; i++) {
		free(dat->formats[i].name);
		free(dat->formats[i].text);
	}
	free(dat->formats);
	free(dat->header_page);
	free(dat->header_event);
	free(dat->kallsyms);
	free(dat->cmdlines);
	(void)kmt_unpacker_free(dat->unpacker);
	kmt_close_fd(&dat->fd);
	free(dat->path);
	free(dat);
	return NULL;
}
