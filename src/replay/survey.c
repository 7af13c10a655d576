// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "kmemtape/decoder.h"
#include "kmemtape/replay.h"
#include "kmemtape/survey.h"
#include "kmemtape/units.h"

#include "limit.h"

static void note_problem(struct kmt_survey_file *file, const struct kmt_err *err)
{
	if (file->problems++ == 0)
		file->problem = *err;
}

static void count_events(struct kmt_survey_file *file, const struct kmt_batch *batch)
{
	for (size_t i = 0; i < batch->nr; i++)
		if (batch->events[i].kind == KMT_EVENT_LOSS) {
			file->losses++;
			file->lost = kmt_sum(file->lost, batch->events[i].lost);
		} else {
			file->events++;
		}
}

/* Headers only if there is no @decoder. Return: 0 or negative errno. */
static int survey_file(struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
		       struct kmt_decoder *decoder, struct kmt_survey_file *file,
		       struct kmt_err *err)
{
	struct kmt_batch batch = { 0 };
	struct kmt_chunk chunk;
	int r;

	kmt_chunk_reader_rewind(reader);
	while ((r = kmt_chunk_reader_next(reader, scratch, &chunk, err)) != KMT_CHUNK_END) {
		if (r == KMT_CHUNK_CUT) {
			note_problem(file, err);
			break;
		}
		if (r == -EBADMSG || r == -EPROTONOSUPPORT) {
			note_problem(file, err);
			continue;
		}
		if (r < 0)
			break;
		if (chunk.drained_ns)
			file->drained_ns = chunk.drained_ns;
		file->marks += r == KMT_CHUNK_IDLE;
		file->chunks += r == KMT_CHUNK_GOT;
		if (r == KMT_CHUNK_GOT && decoder) {
			batch.nr = 0;
			r = kmt_decoder_run(decoder, chunk.raw, chunk.raw_bytes,
					    kmt_chunk_reader_name(reader), file->raw_bytes, &batch);
			if (r < 0) {
				(void)kmt_fail(err, r, "out of memory");
				break;
			}
			count_events(file, &batch);
			kmt_progress_add(kmt_chunk_reader_progress(reader), 0, batch.nr);
		}
		file->raw_bytes += chunk.raw_bytes;
		file->zstd_bytes += chunk.zstd_bytes;
	}
	kmt_batch_deinit(&batch);
	return r < 0 ? r : 0;
}

static int survey_deep(struct kmt_tape *tape, struct kmt_survey_file *files, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = NULL;
	KMT_CLEANUP(kmt_names_freep) struct kmt_names *names = NULL;
	struct kmt_limit limit;
	int r;

	(void)((r = kmt_chunk_scratch_new(&scratch, err)) < 0 ||
	       (r = kmt_replay_formats(tape, &formats, err)) < 0 ||
	       (r = kmt_names_new(&names, err)) < 0);
	if (r == 0) { /* nobody asks for them */
		kmt_limit_of(tape, &limit);
		kmt_names_set_max(names, limit.name_bytes);
	}
	for (size_t i = 0; r >= 0 && i < tape->nr_cpus; i++) {
		KMT_CLEANUP(kmt_decoder_freep) struct kmt_decoder *decoder = NULL;
		const struct kmt_decoder_stats *stats;

		r = kmt_decoder_new(formats, names, NULL, (uint16_t)files[i].cpu, &decoder, err);
		if (r < 0)
			return r;
		r = survey_file(tape->cpus[i], scratch, decoder, &files[i], err);
		stats = kmt_decoder_stats(decoder);
		if (stats->damaged_subbufs) {
			note_problem(&files[i], &stats->damage);
			files[i].problems += stats->damaged_subbufs - 1;
		}
	}
	return r;
}

int kmt_survey(struct kmt_tape *tape, bool is_deep, struct kmt_survey_file **ret_files,
	       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) struct kmt_survey_file *files = NULL;
	int r = 0;

	files = calloc(tape->nr_cpus ? tape->nr_cpus : 1, sizeof(*files));
	if (!files)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < tape->nr_cpus; i++)
		files[i].cpu = kmt_chunk_reader_cpu(tape->cpus[i]);
	if (is_deep && !tape->manifest.is_distilled) /* which has no events */
		r = survey_deep(tape, files, err);
	else
		for (size_t i = 0; r >= 0 && i < tape->nr_cpus; i++)
			r = survey_file(tape->cpus[i], NULL, NULL, &files[i], err);
	if (r < 0)
		return r;
	*ret_files = KMT_STEAL(files);
	return 0;
}
