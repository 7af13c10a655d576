// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "segments.h"

#define SUFFIX ".zst"
#define DIGITS 6

void kmt_segment_path(char path[KMT_SEGMENT_PATH_BYTES], const char *base, uint32_t number)
{
	if (number)
		(void)snprintf(path, KMT_SEGMENT_PATH_BYTES, "%s-%0*u" SUFFIX, base, DIGITS,
			       number);
	else
		(void)snprintf(path, KMT_SEGMENT_PATH_BYTES, "%s" SUFFIX, base);
}

bool kmt_segments_parse(const char *path, const char *base, uint32_t *ret_number)
{
	char back[KMT_SEGMENT_PATH_BYTES];
	size_t bytes = strlen(base);
	unsigned long number;

	if (strncmp(path, base, bytes) != 0 || strlen(path) >= sizeof(back))
		return false;
	number = path[bytes] == '-' ? strtoul(path + bytes + 1, NULL, 10) : 0;
	if (number > KMT_SEGMENT_NUMBER_MAX)
		return false;
	kmt_segment_path(back, base, (uint32_t)number);
	if (strcmp(path, back) != 0)
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

static int compare_numbers(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

int kmt_segments_find(char *const **paths, const char *base, struct kmt_segments *segments)
{
	size_t bytes = strlen(base);
	uint32_t number;
	int order;

	*segments = (struct kmt_segments){ NULL, 0 };
	for (; **paths && (order = strncmp(**paths, base, bytes)) <= 0; (*paths)++) {
		uint32_t *grown;

		if (order < 0 || !kmt_segments_parse(**paths, base, &number))
			continue;
		grown = reallocarray(segments->numbers, segments->nr + 1, sizeof(*grown));
		if (!grown) {
			kmt_segments_deinit(segments);
			return -ENOMEM;
		}
		segments->numbers = grown;
		segments->numbers[segments->nr++] = number;
	}
	if (segments->nr)
		qsort(segments->numbers, segments->nr, sizeof(*segments->numbers), compare_numbers);
	return 0;
}

void kmt_segments_deinit(struct kmt_segments *segments)
{
	free(segments->numbers);
	*segments = (struct kmt_segments){ NULL, 0 };
}

int kmt_segments_open(const struct kmt_members *members, const char *prefix, const char *base,
		      struct kmt_segments *segments, struct kmt_chunk_reader **ret_reader,
		      struct kmt_err *err)
{
	KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	char path[KMT_SEGMENT_PATH_BYTES], name[KMT_ERR_BYTES / 2];
	int r;

	kmt_segment_path(path, base, segments->nr ? segments->numbers[0] : 0);
	(void)snprintf(name, sizeof(name), "%s%s", prefix, path);
	r = kmt_members_get(members, path, &member);
	if (r < 0)
		return kmt_fail(err, r, "%s: %s", name, kmt_members_strerror(r));
	r = kmt_chunk_reader_new_member(&member, name, &reader, err);
	if (r < 0)
		return r;
	member.fd = -1; /* taken */
	r = kmt_chunk_reader_set_segments(reader, members, prefix, base, segments->numbers,
					  segments->nr);
	if (r < 0)
		return kmt_fail(err, r, "%s: out of memory", name);
	*segments = (struct kmt_segments){ NULL, 0 };
	*ret_reader = KMT_STEAL(reader);
	return 0;
}
