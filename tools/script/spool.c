// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/chunk.h"
#include "kmemtape/tape.h"

#include "spool.h"

void spool_init(struct spool *spool, uint32_t cpu)
{
	*spool = (struct spool){ .cpu = cpu, .first_ns = UINT64_MAX };
}

void spool_deinit(struct spool *spool)
{
	free(spool->raw);
	free(spool->steps);
	spool_init(spool, spool->cpu);
}

uint8_t *spool_subbuf(struct spool *spool, const struct ring_layout *layout)
{
	size_t need = spool->raw_used + layout->subbuf_bytes;

	if (need > spool->raw_room) {
		size_t room = need + spool->raw_room / 2;
		uint8_t *grown = realloc(spool->raw, room);

		if (!grown)
			return NULL;
		memset(grown + spool->raw_room, 0, room - spool->raw_room);
		spool->raw = grown;
		spool->raw_room = room;
	}
	return spool->raw + spool->raw_used;
}

static int add_step(struct spool *spool, enum spool_kind kind, uint64_t drained_ns)
{
	if (spool->nr_steps == spool->steps_room) {
		size_t room = spool->steps_room * 2 + 16;
		struct spool_step *grown = reallocarray(spool->steps, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		spool->steps = grown;
		spool->steps_room = room;
	}
	spool->steps[spool->nr_steps++] = (struct spool_step){ kind, drained_ns };
	return 0;
}

int spool_close(struct spool *spool, const struct ring_layout *layout, uint64_t drained_ns)
{
	if (!spool->state.is_begun)
		return 0;
	ring_close(layout, &spool->state, spool->raw + spool->raw_used);
	spool->raw_used += layout->subbuf_bytes;
	spool->waiting++;
	return add_step(spool, SPOOL_SUBBUF, drained_ns);
}

int spool_flush(struct spool *spool, uint64_t drained_ns)
{
	spool->waiting = 0;
	return add_step(spool, SPOOL_FLUSH, drained_ns);
}

static int write_subbuf(struct kmt_chunk_writer *writer, const uint8_t *raw, size_t bytes,
			uint64_t drained_ns, struct kmt_err *err)
{
	size_t room;
	void *space = kmt_chunk_writer_space(writer, &room);

	memcpy(space, raw, bytes);
	return kmt_chunk_writer_add(writer, bytes, drained_ns, err);
}

static int write_steps(const struct spool *spool, const struct ring_layout *layout,
		       struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	const uint8_t *raw = spool->raw;
	int r;

	for (size_t i = 0; i < spool->nr_steps; i++) {
		const struct spool_step *step = &spool->steps[i];
		bool is_after_subbuf = i > 0 && spool->steps[i - 1].kind == SPOOL_SUBBUF;

		if (step->kind == SPOOL_SUBBUF) {
			r = write_subbuf(writer, raw, layout->subbuf_bytes, step->drained_ns, err);
			raw += layout->subbuf_bytes;
		} else if (is_after_subbuf && !kmt_chunk_writer_is_waiting(writer)) {
			r = 0; /* it made a full chunk, with that drained_ns */
		} else {
			r = kmt_chunk_writer_flush(writer, step->drained_ns, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int spool_write(const struct spool *spool, const struct ring_layout *layout, int dirfd,
		bool is_closed, uint64_t end_ns, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	char path[KMT_TAPE_CPU_PATH_BYTES];
	int r;

	kmt_tape_cpu_path(path, spool->cpu);
	r = kmt_chunk_writer_new(dirfd, path, spool->cpu, layout->subbuf_bytes, &writer, err);
	if (r < 0)
		return r;
	r = write_steps(spool, layout, writer, err);
	if (r < 0)
		return r;
	if (is_closed)
		return kmt_chunk_writer_finish(writer, end_ns, err);
	if (kmt_chunk_writer_is_waiting(writer))
		return kmt_chunk_writer_flush(writer, spool->last_ns, err);
	return 0;
}
