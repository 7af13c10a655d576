// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/tape-format.h"

#include "dat.h"

#define BUFFERS_MAX	  64u
#define OPTION_TEXT_BYTES 65536u
#define COUNT_MAX	  (UINT64_C(1) << 48) /* what a manifest takes */

struct kmt_dat_buffer *kmt_dat_buffer_of(struct kmt_dat *dat, const char *name)
{
	struct kmt_dat_buffer *grown;

	for (size_t i = 0; i < dat->nr_buffers; i++)
		if (strcmp(dat->buffers[i].name, name) == 0)
			return &dat->buffers[i];
	if (dat->nr_buffers >= BUFFERS_MAX)
		return NULL;
	grown = reallocarray(dat->buffers, dat->nr_buffers + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	dat->buffers = grown;
	grown += dat->nr_buffers;
	*grown = (struct kmt_dat_buffer){ .name = strdup(name), .page_bytes = dat->page_bytes };
	if (!grown->name)
		return NULL;
	dat->nr_buffers++;
	return grown;
}

static int no_buffer(const struct kmt_dat *dat, struct kmt_err *err)
{
	return dat->nr_buffers >= BUFFERS_MAX
		       ? kmt_fail(err, -EBADMSG,
				  "%s: the trace.dat makes no sense: too many buffers", dat->path)
		       : kmt_fail(err, -ENOMEM, "%s: out of memory", dat->path);
}

int kmt_dat_add_cpu(struct kmt_dat *dat, struct kmt_dat_buffer *buffer, uint64_t cpu,
		    uint64_t offset, uint64_t bytes, struct kmt_err *err)
{
	struct kmt_dat_cpu *grown;

	if (cpu >= KMT_CPUS_MAX)
		return kmt_fail(err, -EBADMSG, "%s: the trace.dat makes no sense: CPU %" PRIu64,
				dat->path, cpu);
	for (size_t i = 0; i < buffer->nr_cpus; i++)
		if (buffer->cpus[i].cpu == cpu)
			return kmt_fail(err, -EBADMSG,
					"%s: the trace.dat makes no sense: CPU %" PRIu64
					" is there twice",
					dat->path, cpu);
	if (bytes && (offset > dat->bytes || bytes > dat->bytes - offset))
		return kmt_fail(err, -ENODATA,
				"%s: cut short: the data of CPU %" PRIu64 " should be %" PRIu64
				" bytes at offset %" PRIu64 ", the file has %" PRIu64,
				dat->path, cpu, bytes, offset, dat->bytes);
	grown = reallocarray(buffer->cpus, buffer->nr_cpus + 1, sizeof(*grown));
	if (!grown)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", dat->path);
	buffer->cpus = grown;
	grown[buffer->nr_cpus++] = (struct kmt_dat_cpu){ (uint32_t)cpu, offset, bytes };
	return 0;
}

/* An option that is a text, zero-terminated or not; longer ones than @room are cut. */
static int get_text(struct kmt_dat_cursor *cursor, char *dst, size_t room, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	int r = kmt_dat_get_text(cursor, cursor->end - cursor->at, OPTION_TEXT_BYTES, &text, err);

	if (r == 0)
		(void)snprintf(dst, room, "%s", text);
	return r;
}

/* The content of trace_clock: "local global [mono] boot". */
static void take_clock(struct kmt_dat_buffer *buffer, const char *text)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (close && close - open < KMT_MANIFEST_TEXT_BYTES)
		(void)snprintf(buffer->clock, sizeof(buffer->clock), "%.*s",
			       (int)(close - open - 1), open + 1);
}

/* What is to be added to the trace clock, in microseconds. */
static void take_date(struct kmt_dat *dat, const char *text)
{
	int64_t us = strtoll(text, NULL, 0);

	if (__builtin_mul_overflow(us, 1000, &dat->wall_offset_ns))
		dat->wall_offset_ns = 0;
}

static uint64_t count_in(const char *text, const char *name)
{
	const char *p = strstr(text, name);
	uint64_t n = 0;

	if (p)
		n = strtoull(p + strlen(name), NULL, 10);
	return n > COUNT_MAX ? COUNT_MAX : n;
}

/*
 * per_cpu/cpuN/stats behind a line "CPU: N"; or, in front of those of an instance, "Buffer: NAME".
 */
static int take_stats(struct kmt_dat *dat, const char *text, char *stats_of, struct kmt_err *err)
{
	const char *named = strstr(text, "Buffer: "), *cpu = strstr(text, "CPU: ");
	struct kmt_dat_buffer *buffer;
	struct kmt_cpu_stats *grown;

	if (named) {
		named += strlen("Buffer: ");
		(void)snprintf(stats_of, KMT_DAT_STATS_OF_BYTES, "%.*s", (int)strcspn(named, "\n"),
			       named);
		return 0;
	}
	if (!cpu || count_in(text, "CPU: ") >= KMT_CPUS_MAX)
		return 0;
	buffer = kmt_dat_buffer_of(dat, stats_of);
	if (!buffer)
		return no_buffer(dat, err);
	if (buffer->nr_stats >= KMT_CPUS_MAX)
		return 0;
	grown = reallocarray(buffer->stats, buffer->nr_stats + 1, sizeof(*grown));
	if (!grown)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", dat->path);
	buffer->stats = grown;
	grown[buffer->nr_stats++] = (struct kmt_cpu_stats){
		.cpu = (uint32_t)count_in(text, "CPU: "),
		.overrun = count_in(text, "\noverrun: "),
		.commit_overrun = count_in(text, "\ncommit overrun: "),
		.dropped = count_in(text, "\ndropped events: "),
		.read = count_in(text, "\nread events: "),
	};
	return 0;
}

/* Version 7 says here what version 6 has at @offset. */
static int take_buffer_data(struct kmt_dat *dat, struct kmt_dat_buffer *buffer,
			    struct kmt_dat_cursor *cursor, struct kmt_err *err)
{
	uint64_t page_bytes, nr;
	int r;

	(void)((r = kmt_dat_get_word(cursor, buffer->clock, sizeof(buffer->clock), err)) < 0 ||
	       (r = kmt_dat_get_number(cursor, 4, &page_bytes, err)) < 0 ||
	       (r = kmt_dat_get_number(cursor, 4, &nr, err)) < 0);
	if (r < 0)
		return r;
	if (page_bytes > UINT32_MAX || buffer->nr_cpus)
		return kmt_dat_bad(cursor, "a buffer is there twice", err);
	buffer->page_bytes = (uint32_t)page_bytes;
	for (uint64_t i = 0; r == 0 && i < nr; i++) {
		uint64_t cpu = 0, offset = 0, bytes = 0;

		(void)((r = kmt_dat_get_number(cursor, 4, &cpu, err)) < 0 ||
		       (r = kmt_dat_get_number(cursor, 8, &offset, err)) < 0 ||
		       (r = kmt_dat_get_number(cursor, 8, &bytes, err)) < 0);
		if (r == 0)
			r = kmt_dat_add_cpu(dat, buffer, cpu, offset, bytes, err);
	}
	return r;
}

static int take_buffer(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err)
{
	char name[KMT_DAT_STATS_OF_BYTES];
	struct kmt_dat_buffer *buffer;
	uint64_t offset;
	int r;

	(void)((r = kmt_dat_get_number(cursor, 8, &offset, err)) < 0 ||
	       (r = kmt_dat_get_word(cursor, name, sizeof(name), err)) < 0);
	if (r < 0)
		return r;
	buffer = kmt_dat_buffer_of(dat, name);
	if (!buffer)
		return no_buffer(dat, err);
	buffer->offset = offset;
	return dat->version == 7 ? take_buffer_data(dat, buffer, cursor, err) : 0;
}

int kmt_dat_take_option(struct kmt_dat *dat, unsigned int id, struct kmt_dat_cursor *cursor,
			char stats_of[KMT_DAT_STATS_OF_BYTES], struct kmt_err *err)
{
	char text[1024];
	int r = 0;

	switch (id) {
	case KMT_DAT_BUFFER:
		return take_buffer(dat, cursor, err);
	case KMT_DAT_UNAME:
		return get_text(cursor, dat->uname, sizeof(dat->uname), err);
	case KMT_DAT_VERSION:
		return get_text(cursor, dat->recorder, sizeof(dat->recorder), err);
	case KMT_DAT_DATE:
	case KMT_DAT_TRACECLOCK:
	case KMT_DAT_CPUSTAT:
		r = get_text(cursor, text, sizeof(text), err);
		break;
	default:
		return 0;
	}
	if (r < 0)
		return r;
	if (id == KMT_DAT_DATE)
		take_date(dat, text);
	else if (id == KMT_DAT_CPUSTAT)
		return take_stats(dat, text, stats_of, err);
	else if (!dat->buffers[0].clock[0])
		take_clock(&dat->buffers[0], text);
	return 0;
}
