// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "dat.h"

#define OPTIONS_MAX 65536u
#define WORD_BYTES  10 /* "options  ", "flyrecord", "latency  ", with its zero byte */

/* Version 6: options up to a zero, of the file or of an instance. */
static int read_options_6(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, uint64_t *nr_cpus,
			  struct kmt_err *err)
{
	char stats_of[KMT_DAT_STATS_OF_BYTES] = "";

	for (unsigned int i = 0; i < OPTIONS_MAX; i++) {
		struct kmt_dat_cursor option = *cursor;
		uint64_t id, bytes;
		int r;

		r = kmt_dat_get_number(cursor, 2, &id, err);
		if (r < 0 || id == KMT_DAT_DONE)
			return r;
		r = kmt_dat_get_number(cursor, 4, &bytes, err);
		if (r < 0)
			return r;
		option.at = cursor->at;
		r = kmt_dat_skip(cursor, bytes, err);
		if (r < 0)
			return r;
		option.end = cursor->at;
		r = id == KMT_DAT_CPUCOUNT
			    ? kmt_dat_get_number(&option, 4, nr_cpus, err)
			    : kmt_dat_take_option(dat, (unsigned int)id, &option, stats_of, err);
		if (r < 0)
			return r;
	}
	return kmt_dat_bad(cursor, "too many options", err);
}

/* Options if there are some, then where the data of each CPU is. @index: of the buffer. */
static int read_buffer_6(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, uint64_t nr_cpus,
			 size_t index, struct kmt_err *err)
{
	char word[WORD_BYTES];
	int r = kmt_dat_get(cursor, word, sizeof(word), err);

	if (r == 0 && memcmp(word, "options  ", sizeof(word)) == 0) {
		r = read_options_6(dat, cursor, &nr_cpus, err);
		if (r == 0)
			r = kmt_dat_get(cursor, word, sizeof(word), err);
	}
	if (r < 0)
		return r;
	if (memcmp(word, "latency  ", sizeof(word)) == 0)
		return index ? 0
			     : kmt_fail(err, -ENODATA,
					"%s: holds the text of a latency tracer, no events",
					dat->path);
	if (memcmp(word, "flyrecord", sizeof(word)) != 0)
		return kmt_dat_bad(cursor, "neither options nor data", err);
	for (uint64_t cpu = 0; cpu < nr_cpus; cpu++) {
		uint64_t offset = 0, bytes = 0;

		(void)((r = kmt_dat_get_number(cursor, 8, &offset, err)) < 0 ||
		       (r = kmt_dat_get_number(cursor, 8, &bytes, err)) < 0);
		if (r == 0 && (offset || bytes)) /* else the machine has no such CPU */
			r = kmt_dat_add_cpu(dat, &dat->buffers[index], cpu, offset, bytes, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int kmt_dat_read_version_6(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err)
{
	uint64_t printk_bytes, nr_cpus;
	size_t nr_buffers;
	int r;

	(void)((r = kmt_unpacker_new(dat->path, "none", &dat->unpacker, err)) < 0 ||
	       (r = kmt_dat_read_headers(dat, cursor, err)) < 0 ||
	       (r = kmt_dat_read_ftrace(dat, cursor, err)) < 0 ||
	       (r = kmt_dat_read_events(dat, cursor, err)) < 0 ||
	       (r = kmt_dat_read_kallsyms(dat, cursor, err)) < 0 ||
	       (r = kmt_dat_get_number(cursor, 4, &printk_bytes, err)) < 0 ||
	       (r = kmt_dat_skip(cursor, printk_bytes, err)) < 0 ||
	       (r = kmt_dat_read_cmdlines(dat, cursor, err)) < 0 ||
	       (r = kmt_dat_get_number(cursor, 4, &nr_cpus, err)) < 0 ||
	       (r = read_buffer_6(dat, cursor, nr_cpus, 0, err)) < 0);
	nr_buffers = dat->nr_buffers; /* an instance has none of its own */
	for (size_t i = 1; r == 0 && i < nr_buffers; i++) {
		struct kmt_dat_cursor data = kmt_dat_cursor_at(dat, dat->buffers[i].offset);

		memcpy(dat->buffers[i].clock, dat->buffers[0].clock, sizeof(dat->buffers[i].clock));
		if (dat->buffers[i].offset) /* else there are only counts of it */
			r = read_buffer_6(dat, &data, nr_cpus, i, err);
	}
	return r;
}
