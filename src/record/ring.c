// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "kmemtape/tape.h"
#include "kmemtape/units.h"
#include "ring.h"

#define BYTES_A_CPU_MIN	  (UINT64_C(8) << 20) /* several segments, and a chunk on its way */
#define SEGMENTS_A_CPU	  8
#define SEGMENT_BYTES_MAX (UINT64_C(64) << 20)

struct segment {
	uint32_t cpu, number;
	uint64_t bytes, end_ns;
};

struct kmt_ring {
	int tape_fd;
	uint64_t max_bytes; /* a chunk of each CPU less than what was asked for */
	uint64_t segment_bytes;

	pthread_mutex_t lock; /* of all below; drains wait for nobody of lower priority */
	uint64_t used_bytes;
	uint64_t dropped_ns;
	size_t first, nr, room; /* closed ones, oldest first, around the end */
	struct segment segments[];
};

uint64_t kmt_ring_snapshot_bytes(uint64_t max_bytes)
{
	return max_bytes / 8;
}

int kmt_ring_new(int tape_fd, uint64_t max_bytes, size_t nr_cpus, struct kmt_ring **ret_ring,
		 struct kmt_err *err)
{
	uint64_t segment_bytes = max_bytes / nr_cpus / SEGMENTS_A_CPU;
	char least[KMT_UNITS_BYTES];
	pthread_mutexattr_t attr;
	struct kmt_ring *ring;
	size_t room;

	if (max_bytes / nr_cpus < BYTES_A_CPU_MIN)
		return kmt_fail(err, -EINVAL,
				"a ring of %zu CPUs needs a --max-size of at least %s", nr_cpus,
				kmt_format_size(least, BYTES_A_CPU_MIN * nr_cpus));
	if (segment_bytes > SEGMENT_BYTES_MAX)
		segment_bytes = SEGMENT_BYTES_MAX;
	room = (size_t)(max_bytes / segment_bytes) + nr_cpus;
	ring = calloc(1, sizeof(*ring) + room * sizeof(ring->segments[0]));
	if (!ring)
		return kmt_fail(err, -ENOMEM, "out of memory");
	(void)pthread_mutexattr_init(&attr);
	(void)pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	(void)pthread_mutex_init(&ring->lock, &attr);
	(void)pthread_mutexattr_destroy(&attr);
	ring->tape_fd = tape_fd;
	ring->max_bytes =
		max_bytes - kmt_ring_snapshot_bytes(max_bytes) - nr_cpus * KMT_CHUNK_ZSTD_BYTES_MAX;
	ring->segment_bytes = segment_bytes;
	ring->room = room;
	*ret_ring = ring;
	return 0;
}

uint64_t kmt_ring_segment_bytes(const struct kmt_ring *ring)
{
	return ring->segment_bytes;
}

/* Return: the bytes of the oldest, which is gone */
static uint64_t remove_oldest(struct kmt_ring *ring)
{
	const struct segment *oldest = &ring->segments[ring->first];
	char base[KMT_TAPE_CPU_PATH_BYTES], path[KMT_SEGMENT_PATH_BYTES];

	kmt_tape_cpu_base(base, oldest->cpu);
	kmt_segment_path(path, base, oldest->number);
	(void)unlinkat(ring->tape_fd, path, 0);
	if (oldest->end_ns > ring->dropped_ns)
		ring->dropped_ns = oldest->end_ns;
	ring->first = (ring->first + 1) % ring->room;
	ring->nr--;
	ring->used_bytes -= oldest->bytes;
	return oldest->bytes;
}

uint64_t kmt_ring_grow(struct kmt_ring *ring, uint64_t bytes)
{
	uint64_t removed = 0;

	(void)pthread_mutex_lock(&ring->lock);
	ring->used_bytes += bytes;
	while (ring->used_bytes > ring->max_bytes && ring->nr)
		removed += remove_oldest(ring);
	(void)pthread_mutex_unlock(&ring->lock);
	return removed;
}

void kmt_ring_close(struct kmt_ring *ring, uint32_t cpu, uint32_t number, uint64_t bytes,
		    uint64_t end_ns)
{
	(void)pthread_mutex_lock(&ring->lock);
	if (ring->nr == ring->room) /* each has segment_bytes: there are never so many */
		(void)remove_oldest(ring);
	ring->segments[(ring->first + ring->nr++) % ring->room] =
		(struct segment){ cpu, number, bytes, end_ns };
	(void)pthread_mutex_unlock(&ring->lock);
}

uint64_t kmt_ring_dropped_ns(struct kmt_ring *ring)
{
	uint64_t ns;

	(void)pthread_mutex_lock(&ring->lock);
	ns = ring->dropped_ns;
	(void)pthread_mutex_unlock(&ring->lock);
	return ns;
}

struct kmt_ring *kmt_ring_free(struct kmt_ring *ring)
{
	if (!ring)
		return NULL;
	(void)pthread_mutex_destroy(&ring->lock);
	free(ring);
	return NULL;
}
