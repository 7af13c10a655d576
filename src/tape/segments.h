/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_SEGMENTS_H
#define KMT_TAPE_SEGMENTS_H

#include "kmemtape/chunk.h"
#include "kmemtape/members.h"

/*
 * A chunk file that goes on in others: cpu/0001.zst, then cpu/0001-000001.zst and so on. Of a ring
 * the first ones are gone. Whoever reads such a row sees one file.
 */
struct kmt_segments {
	uint32_t *numbers; /* ascending; 0 is the file without one */
	size_t nr;
};

/**
 * kmt_segments_parse() - is @path one of these?
 * @base: "cpu/0001"
 * Return: false if it isn't.
 */
bool kmt_segments_parse(const char *path, const char *base, uint32_t *ret_number);

/**
 * kmt_segments_find() - those of @base
 * @paths: in a sorted list; left behind them, for the next base, so that all can be found in one
 * walk
 *
 * Return: 0 or -ENOMEM
 */
int kmt_segments_find(char *const **paths, const char *base, struct kmt_segments *segments);
void kmt_segments_deinit(struct kmt_segments *segments);

/**
 * kmt_segments_open() - a reader of all of them
 * @prefix: of names in messages: "leak.tape/"; ""
 * @segments: taken on success
 *
 * Return: as kmt_chunk_reader_new_member(), of the first; -ENOENT if there is none.
 */
int kmt_segments_open(const struct kmt_members *members, const char *prefix, const char *base,
		      struct kmt_segments *segments, struct kmt_chunk_reader **ret_reader,
		      struct kmt_err *err);

#endif
