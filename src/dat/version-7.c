// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/tape.h"

#include "dat.h"

#define SECTION_COMPRESSED  1u
#define OPTIONS_MAX	    65536u /* in all */
#define OPTION_SECTIONS_MAX 256u   /* trace-cmd writes one, and one more for each instance */
#define OPTION_BYTES_MAX    (16u << 20)

/* A section, decompressed if need be. */
struct section {
	struct kmt_dat_cursor cursor;
	unsigned int id, flags;
	uint8_t *memory; /* NULL: not compressed */
};

static void drop_section(struct section *section)
{
	free(section->memory);
	section->memory = NULL;
}

static int read_section_head(struct kmt_dat *dat, uint64_t offset, struct section *section,
			     struct kmt_err *err)
{
	struct kmt_dat_cursor *cursor = &section->cursor;
	uint64_t id, flags, words, bytes;
	int r;

	*cursor = kmt_dat_cursor_at(dat, offset);
	(void)((r = kmt_dat_get_number(cursor, 2, &id, err)) < 0 ||
	       (r = kmt_dat_get_number(cursor, 2, &flags, err)) < 0 ||
	       (r = kmt_dat_get_number(cursor, 4, &words, err)) < 0 ||
	       (r = kmt_dat_get_number(cursor, 8, &bytes, err)) < 0);
	if (r < 0)
		return r;
	if (bytes > cursor->end - cursor->at)
		return kmt_dat_bad(cursor, "a section is longer than the file", err);
	cursor->end = cursor->at + bytes;
	section->id = (unsigned int)id;
	section->flags = (unsigned int)flags;
	return 0;
}

static int unpack_section(struct kmt_dat *dat, struct section *section, struct kmt_err *err)
{
	size_t limit = section->id == KMT_DAT_DONE ? OPTION_BYTES_MAX : KMT_TAPE_SYMBOLS_BYTES_MAX;
	struct kmt_dat_cursor *cursor = &section->cursor;
	KMT_CLEANUP(kmt_freep) char *packed = NULL;
	uint64_t packed_bytes, bytes;
	int r;

	(void)((r = kmt_dat_get_number(cursor, 4, &packed_bytes, err)) < 0 ||
	       (r = kmt_dat_get_number(cursor, 4, &bytes, err)) < 0 ||
	       (r = kmt_dat_get_text(cursor, packed_bytes, limit, &packed, err)) < 0);
	if (r < 0)
		return r;
	if (bytes > limit)
		return kmt_dat_bad(cursor, "a section is too long", err);
	section->memory = malloc(bytes ? bytes : 1);
	if (!section->memory)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", dat->path);
	r = kmt_unpacker_run(dat->unpacker, packed, packed_bytes, section->memory, bytes, err);
	cursor->memory = section->memory;
	cursor->at = 0;
	cursor->end = bytes;
	return r;
}

static int read_section(struct kmt_dat *dat, uint64_t offset, unsigned int id,
			struct section *section, struct kmt_err *err)
{
	int r = read_section_head(dat, offset, section, err);

	if (r == 0 && section->id != id)
		return kmt_dat_bad(&section->cursor, "a section is not where it should be", err);
	if (r == 0 && (section->flags & SECTION_COMPRESSED))
		r = unpack_section(dat, section, err);
	return r;
}

static int read_known_section(struct kmt_dat *dat, unsigned int id, uint64_t offset,
			      struct kmt_err *err)
{
	KMT_CLEANUP(drop_section) struct section section = { 0 };
	int r = read_section(dat, offset, id, &section, err);

	if (r < 0)
		return r;
	switch (id) {
	case KMT_DAT_HEADER_INFO:
		return kmt_dat_read_headers(dat, &section.cursor, err);
	case KMT_DAT_FTRACE_EVENTS:
		return kmt_dat_read_ftrace(dat, &section.cursor, err);
	case KMT_DAT_EVENT_FORMATS:
		return kmt_dat_read_events(dat, &section.cursor, err);
	case KMT_DAT_KALLSYMS:
		return kmt_dat_read_kallsyms(dat, &section.cursor, err);
	default:
		return kmt_dat_read_cmdlines(dat, &section.cursor, err);
	}
}

static bool is_known_section(uint64_t id)
{
	return id >= KMT_DAT_HEADER_INFO && id <= KMT_DAT_CMDLINES && id != KMT_DAT_PRINTK;
}

/*
 * One options section. *@nr counts the options of all, since sections could name each other in a
 * ring.
 */
static int read_options_7(struct kmt_dat *dat, uint64_t offset, unsigned int *nr, char *stats_of,
			  uint64_t *ret_next, struct kmt_err *err)
{
	KMT_CLEANUP(drop_section) struct section section = { 0 };
	struct kmt_dat_cursor *cursor = &section.cursor;
	uint64_t id, bytes, where;
	int r = read_section(dat, offset, KMT_DAT_DONE, &section, err);

	while (r == 0) {
		struct kmt_dat_cursor option;

		if ((*nr)++ >= OPTIONS_MAX)
			return kmt_dat_bad(cursor, "too many options", err);
		(void)((r = kmt_dat_get_number(cursor, 2, &id, err)) < 0 ||
		       (r = kmt_dat_get_number(cursor, 4, &bytes, err)) < 0);
		if (r < 0)
			return r;
		option = *cursor;
		r = kmt_dat_skip(cursor, bytes, err);
		if (r < 0)
			return r;
		option.end = cursor->at;
		if (id == KMT_DAT_DONE)
			return kmt_dat_get_number(&option, 8, ret_next, err);
		if (!is_known_section(id)) {
			r = kmt_dat_take_option(dat, (unsigned int)id, &option, stats_of, err);
			continue;
		}
		if (dat->seen_sections & 1u << id)
			return kmt_dat_bad(cursor, "a section is there twice", err);
		dat->seen_sections |= 1u << id;
		r = kmt_dat_get_number(&option, 8, &where, err);
		if (r == 0)
			r = read_known_section(dat, (unsigned int)id, where, err);
	}
	return r;
}

int kmt_dat_read_version_7(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err)
{
	char packing[32], packing_version[32], stats_of[KMT_DAT_STATS_OF_BYTES] = "";
	unsigned int nr = 0, nr_sections = 0;
	uint64_t next;
	int r;

	(void)((r = kmt_dat_get_word(cursor, packing, sizeof(packing), err)) < 0 ||
	       (r = kmt_dat_get_word(cursor, packing_version, sizeof(packing_version), err)) < 0 ||
	       (r = kmt_unpacker_new(dat->path, packing, &dat->unpacker, err)) < 0 ||
	       (r = kmt_dat_get_number(cursor, 8, &next, err)) < 0);
	while (r == 0 && next) {
		if (nr_sections++ >= OPTION_SECTIONS_MAX)
			return kmt_dat_bad(cursor, "too many options", err);
		r = read_options_7(dat, next, &nr, stats_of, &next, err);
	}
	for (size_t i = 0; r == 0 && i < dat->nr_buffers; i++) {
		struct section section = { 0 };

		if (!dat->buffers[i].offset)
			continue;
		r = read_section_head(dat, dat->buffers[i].offset, &section, err);
		dat->buffers[i].is_compressed = section.flags & SECTION_COMPRESSED;
	}
	return r;
}
