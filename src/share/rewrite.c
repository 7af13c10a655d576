// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/decoder.h"
#include "kmemtape/names.h"

#include "rewrite.h"
#include "subbuf.h"

/* A CPU file that is read beyond what is damaged. */
struct source {
	struct kmt_chunk_reader *reader;
	struct kmt_chunk_scratch *scratch;
	struct kmt_rewrite_cpu *cpu; /* what is found out; NULL: it is known already */
	uint64_t raw_bytes;	     /* of the chunks that were there, or are known to be missing */
	bool has_gap;		     /* something is missing before what comes next */
};

static void note_gap(struct source *source, const struct kmt_err *err)
{
	if (source->cpu && !source->has_gap && source->cpu->gaps++ == 0)
		source->cpu->damage = *err;
	if (source->cpu)
		source->cpu->last_gap_ns = source->cpu->last_ns;
	source->has_gap = true;
}

/* The header says how much should have been before it. */
static void count_lost(struct source *source, const struct kmt_chunk *chunk)
{
	if (chunk->raw_before > source->raw_bytes) {
		if (source->cpu)
			source->cpu->lost_bytes += chunk->raw_before - source->raw_bytes;
		source->raw_bytes = chunk->raw_before;
	}
	source->raw_bytes += chunk->raw_bytes;
}

/* Return: KMT_CHUNK_GOT, _IDLE, _END or _CUT, or negative errno; damage is an answer only. */
static int next_chunk(struct source *source, struct kmt_chunk *chunk, struct kmt_err *err)
{
	for (;;) {
		int r = kmt_chunk_reader_next(source->reader, source->scratch, chunk, err);

		if (r == KMT_CHUNK_CUT) {
			struct kmt_err cut = *err;

			r = kmt_chunk_reader_search(source->reader, err);
			if (r < 0)
				return r;
			if (r == 0) {
				*err = cut;
				return KMT_CHUNK_CUT;
			}
			note_gap(source, &cut);
			continue;
		}
		if (r == -EBADMSG || r == -EPROTONOSUPPORT) {
			note_gap(source, err);
			continue;
		}
		if (r >= 0)
			count_lost(source, chunk);
		return r;
	}
}

/* --- the first reading --- */

static int note_names(struct kmt_rewrite *rewrite, const struct kmt_batch *batch)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < batch->nr; i++)
		if (batch->events[i].kind == KMT_EVENT_TASK_NAME &&
		    batch->events[i].time_ns < rewrite->from_ns)
			r = kmt_task_names_note(rewrite->names, &batch->events[i]);
	return r;
}

static void count_marks(const struct kmt_rewrite *rewrite, const struct kmt_batch *batch,
			struct kmt_rewrite_cpu *cpu)
{
	for (size_t i = 0; i < batch->nr; i++) {
		const struct kmt_event *event = &batch->events[i];
		bool is_within =
			event->time_ns >= rewrite->from_ns && event->since_ns < rewrite->to_ns;

		if (event->kind != KMT_EVENT_LOSS)
			continue;
		cpu->marked += event->lost;
		cpu->marked_within += is_within ? event->lost : 0;
		cpu->unsized += event->lost == 0;
		cpu->unsized_within += is_within && event->lost == 0;
	}
}

static int look_at_chunk(struct kmt_rewrite *rewrite, struct kmt_decoder *decoder,
			 const struct kmt_chunk *chunk, struct kmt_batch *batch,
			 struct kmt_rewrite_cpu *cpu)
{
	int r = 0;

	batch->nr = 0;
	if (chunk && chunk->drained_ns > cpu->limit_ns)
		cpu->limit_ns = chunk->drained_ns;
	if (!chunk)
		r = kmt_decoder_finish(decoder, batch);
	else if (chunk->raw)
		r = kmt_decoder_run(decoder, chunk->raw, chunk->raw_bytes, "", 0, batch);
	if (r == 0 && rewrite->names)
		r = note_names(rewrite, batch);
	count_marks(rewrite, batch, cpu);
	if (batch->nr)
		cpu->last_ns = batch->events[batch->nr - 1].time_ns;
	if (chunk && chunk->drained_ns > cpu->last_ns && !chunk->raw)
		cpu->last_ns = chunk->drained_ns;
	return r;
}

static int look_at_chunks(struct kmt_rewrite *rewrite, struct kmt_decoder *decoder,
			  struct source *source, struct kmt_err *err)
{
	struct kmt_rewrite_cpu *cpu = source->cpu;
	struct kmt_batch batch = { 0 };
	struct kmt_chunk chunk;
	bool has_any = false;
	int r, s = 0;

	while (s == 0 && (r = next_chunk(source, &chunk, err)) > 0 && r != KMT_CHUNK_CUT) {
		has_any = true;
		source->has_gap = false;
		if (r == KMT_CHUNK_IDLE)
			chunk.raw = NULL;
		else
			cpu->raw_bytes += chunk.raw_bytes;
		s = look_at_chunk(rewrite, decoder, &chunk, &batch, cpu);
	}
	if (s == 0 && r >= 0)
		s = look_at_chunk(rewrite, decoder, NULL, &batch, cpu);
	kmt_batch_deinit(&batch);
	if (s < 0)
		return kmt_fail(err, s, "out of memory");
	if (r < 0)
		return r;
	cpu->is_cut = r == KMT_CHUNK_CUT;
	cpu->is_missing = cpu->is_cut && !has_any;
	if (cpu->is_cut && !cpu->damage.text[0])
		cpu->damage = *err;
	if (!cpu->is_cut && chunk.drained_ns > cpu->limit_ns)
		cpu->limit_ns = chunk.drained_ns;
	if (cpu->limit_ns < cpu->last_ns)
		cpu->limit_ns = cpu->last_ns;
	return 0;
}

static int look_at_cpu(struct kmt_rewrite *rewrite, struct kmt_names *names,
		       struct kmt_chunk_scratch *scratch, size_t index, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_decoder_freep) struct kmt_decoder *decoder = NULL;
	struct kmt_chunk_reader *reader = rewrite->tape->cpus[index];
	struct source source = { reader, scratch, &rewrite->cpus[index], 0, false };
	int r;

	kmt_chunk_reader_rewind(reader);
	r = kmt_decoder_new(rewrite->formats, names, NULL, (uint16_t)kmt_chunk_reader_cpu(reader),
			    &decoder, err);
	return r < 0 ? r : look_at_chunks(rewrite, decoder, &source, err);
}

static void find_end(struct kmt_rewrite *rewrite)
{
	uint64_t last_ns = 0;

	rewrite->cut_cpu = SIZE_MAX;
	rewrite->end_ns = UINT64_MAX;
	if (rewrite->tape->manifest.ended_ns && rewrite->to_ns > rewrite->tape->manifest.ended_ns)
		rewrite->to_ns = rewrite->tape->manifest.ended_ns + 1;
	for (size_t i = 0; i < rewrite->tape->nr_cpus; i++) {
		const struct kmt_rewrite_cpu *cpu = &rewrite->cpus[i];

		if (cpu->limit_ns > last_ns)
			last_ns = cpu->limit_ns;
		if (!cpu->is_cut || cpu->is_missing || cpu->limit_ns >= rewrite->end_ns)
			continue;
		rewrite->end_ns = cpu->limit_ns;
		rewrite->cut_cpu = i;
	}
	if (rewrite->cut_cpu == SIZE_MAX)
		rewrite->end_ns =
			rewrite->tape->manifest.end_ns ? rewrite->tape->manifest.end_ns : last_ns;
	else if (rewrite->to_ns > rewrite->end_ns + 1)
		rewrite->to_ns = rewrite->end_ns + 1;
	if (rewrite->end_ns > rewrite->to_ns)
		rewrite->end_ns = rewrite->to_ns;
}

int kmt_rewrite_look(struct kmt_rewrite *rewrite, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	KMT_CLEANUP(kmt_names_freep) struct kmt_names *names = NULL;
	size_t nr = rewrite->tape->nr_cpus;
	int r;

	rewrite->cpus = calloc(nr ? nr : 1, sizeof(*rewrite->cpus));
	if (!rewrite->cpus)
		return kmt_fail(err, -ENOMEM, "out of memory");
	r = kmt_chunk_scratch_new(&scratch, err);
	if (r == 0)
		r = kmt_names_new(&names, err);
	for (size_t i = 0; r == 0 && i < nr; i++)
		r = look_at_cpu(rewrite, names, scratch, i, err);
	if (r == 0)
		find_end(rewrite);
	return r;
}

void kmt_rewrite_deinit(struct kmt_rewrite *rewrite)
{
	free(rewrite->cpus);
	rewrite->cpus = NULL;
}

/* --- the second --- */

static int write_chunk(struct kmt_subbuf_cutter *cutter, const struct kmt_chunk *chunk,
		       struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	size_t subbuf_bytes = kmt_subbuf_bytes(cutter);
	uint64_t drained_ns = chunk->drained_ns;
	int r = 0;

	if (drained_ns >= cutter->to_ns)
		drained_ns = cutter->to_ns - 1;
	for (size_t at = 0; r == 0 && at + subbuf_bytes <= chunk->raw_bytes; at += subbuf_bytes) {
		size_t room;
		uint8_t *subbuf = kmt_chunk_writer_space(writer, &room);

		memcpy(subbuf, (const uint8_t *)chunk->raw + at, subbuf_bytes);
		if (kmt_subbuf_cut(cutter, subbuf))
			r = kmt_chunk_writer_add(writer, subbuf_bytes, drained_ns, err);
	}
	/* Nothing waits if the time has not begun, or is over. */
	if (r == 0 && (kmt_chunk_writer_is_waiting(writer) ||
		       (chunk->raw_bytes == 0 && drained_ns > cutter->from_ns &&
			chunk->drained_ns < cutter->to_ns)))
		r = kmt_chunk_writer_flush(writer, drained_ns, err);
	return r;
}

static int write_chunks(struct source *source, struct kmt_subbuf_cutter *cutter,
			struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	struct kmt_chunk chunk;
	int r, s = 0;

	while (s == 0 && (r = next_chunk(source, &chunk, err)) > 0 && r != KMT_CHUNK_CUT) {
		if (source->has_gap)
			cutter->has_gap = true;
		source->has_gap = false;
		if (r == KMT_CHUNK_IDLE)
			chunk.raw_bytes = 0;
		s = write_chunk(cutter, &chunk, writer, err);
	}
	if (source->has_gap)
		cutter->has_gap = true;
	return s < 0 ? s : r < 0 ? r : 0;
}

static int write_end(const struct kmt_rewrite *rewrite, struct kmt_subbuf_cutter *cutter,
		     struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	size_t room;
	uint8_t *subbuf = kmt_chunk_writer_space(writer, &room);
	int r = 0;

	if (kmt_subbuf_end_mark(cutter, rewrite->end_ns, subbuf))
		r = kmt_chunk_writer_add(writer, kmt_subbuf_bytes(cutter), rewrite->end_ns, err);
	return r < 0 ? r : kmt_chunk_writer_finish(writer, rewrite->end_ns, err);
}

static int write_cpu(struct kmt_rewrite *rewrite, struct kmt_chunk_scratch *scratch, size_t index,
		     int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	struct kmt_chunk_reader *reader = rewrite->tape->cpus[index];
	struct kmt_rewrite_cpu *cpu = &rewrite->cpus[index];
	struct source source = { reader, scratch, NULL, 0, false };
	struct kmt_subbuf_cutter cutter = {
		.formats = rewrite->formats,
		.from_ns = rewrite->from_ns,
		.to_ns = rewrite->to_ns,
		.has_gap = cpu->is_missing,
	};
	char path[KMT_TAPE_CPU_PATH_BYTES];
	int r;

	kmt_chunk_reader_rewind(reader);
	kmt_tape_cpu_path(path, kmt_chunk_reader_cpu(reader));
	r = kmt_chunk_writer_new_among(dirfd, path, kmt_chunk_reader_cpu(reader),
				       rewrite->tape->nr_cpus, (uint32_t)kmt_subbuf_bytes(&cutter),
				       &writer, err);
	if (r == 0)
		r = write_chunks(&source, &cutter, writer, err);
	if (r == 0)
		r = write_end(rewrite, &cutter, writer, err);
	if (cutter.damaged && !cpu->damage.text[0])
		(void)kmt_fail(&cpu->damage, 0, "%s: damaged sub-buffers", path);
	cpu->gaps += cutter.damaged;
	cpu->lost_bytes += cutter.damaged_bytes;
	return r;
}

int kmt_rewrite_write(struct kmt_rewrite *rewrite, int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	int r = kmt_chunk_scratch_new(&scratch, err);

	for (size_t i = 0; r == 0 && i < rewrite->tape->nr_cpus; i++)
		r = write_cpu(rewrite, scratch, i, dirfd, err);
	return r;
}
