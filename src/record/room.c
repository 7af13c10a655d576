// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "kmemtape/record.h"
#include "kmemtape/tape-format.h"
#include "room.h"

#define DEFAULT_BYTES_MIN (UINT64_C(64) << 20)
#define DEFAULT_BYTES_MAX (UINT64_C(1) << 30)
/* Each CPU has a chunk that waits, and may be writing one before it looks. */
#define MARGIN_A_CPU	  (2 * (uint64_t)KMT_CHUNK_ZSTD_BYTES_MAX)

static int look(int fd, uint64_t *ret_all, uint64_t *ret_available)
{
	struct statvfs st;

	if (fstatvfs(fd, &st) < 0)
		return -errno;
	*ret_all = (uint64_t)st.f_blocks * st.f_frsize;
	*ret_available = (uint64_t)st.f_bavail * st.f_frsize; /* root may take more: not we */
	return 0;
}

static uint64_t default_reserve(uint64_t all)
{
	uint64_t reserve = all / 100;

	if (reserve < DEFAULT_BYTES_MIN)
		reserve = DEFAULT_BYTES_MIN;
	if (reserve > DEFAULT_BYTES_MAX)
		reserve = DEFAULT_BYTES_MAX;
	return reserve < all / 4 ? reserve : all / 4;
}

int kmt_room_init(struct kmt_room *room, int fd, uint64_t reserve_bytes, size_t nr_cpus,
		  struct kmt_err *err)
{
	char free_text[KMT_UNITS_BYTES], reserve_text[KMT_UNITS_BYTES];
	uint64_t all, available;

	*room = (struct kmt_room){ .fd = fd };
	if (!reserve_bytes || look(fd, &all, &available) < 0)
		return 0;
	room->reserve_bytes =
		reserve_bytes == KMT_RECORD_RESERVE ? default_reserve(all) : reserve_bytes;
	if (available <= room->reserve_bytes)
		return kmt_fail(err, -ENOSPC,
				"%s are free on the disk, and --reserve keeps %s: free some, or "
				"choose a smaller reserve",
				kmt_format_size(free_text, available),
				kmt_format_size(reserve_text, room->reserve_bytes));
	room->margin_bytes = nr_cpus * MARGIN_A_CPU;
	if (room->margin_bytes > (available - room->reserve_bytes) / 4)
		room->margin_bytes = (available - room->reserve_bytes) / 4;
	return 0;
}

uint64_t kmt_room_left(const struct kmt_room *room)
{
	uint64_t all, available;

	if (!room->reserve_bytes || look(room->fd, &all, &available) < 0)
		return UINT64_MAX;
	return available > room->reserve_bytes ? available - room->reserve_bytes : 0;
}

/* @left without @margin, on top of @bytes. */
static uint64_t limit(uint64_t bytes, uint64_t left, uint64_t margin)
{
	return left > margin ? bytes + (left - margin) : bytes;
}

void kmt_room_limits(const struct kmt_room *room, uint64_t file_bytes, uint64_t *ret_end,
		     uint64_t *ret_stop)
{
	uint64_t left = kmt_room_left(room);

	*ret_end = *ret_stop = UINT64_MAX;
	if (left == UINT64_MAX)
		return;
	*ret_end = limit(file_bytes, left, room->margin_bytes);
	*ret_stop = limit(file_bytes, left, room->margin_bytes / 2);
}
