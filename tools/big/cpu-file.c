// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "kmemtape/tape.h"

#include "cpu-file.h"

struct sink {
	struct kmt_chunk_writer *writer;
	size_t subbuf_bytes;
};

static int take_subbuf(void *context, const uint8_t *subbuf, uint64_t drained_ns,
		       struct kmt_err *err)
{
	const struct sink *sink = context;
	size_t room;

	memcpy(kmt_chunk_writer_space(sink->writer, &room), subbuf, sink->subbuf_bytes);
	return kmt_chunk_writer_add(sink->writer, sink->subbuf_bytes, drained_ns, err);
}

int cpu_file_write(struct rings *rings, int dirfd, unsigned int cpu, uint64_t nr_rounds,
		   struct kmt_chunk_writer **ret_writer, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	struct sink sink = { .subbuf_bytes = rings->layout->subbuf_bytes };
	char path[KMT_TAPE_CPU_PATH_BYTES];
	int r;

	kmt_tape_cpu_path(path, cpu);
	r = kmt_chunk_writer_new_among(dirfd, path, cpu, rings->load->nr_cpus,
				       rings->layout->subbuf_bytes, &writer, err);
	if (r < 0)
		return r;
	sink.writer = writer;
	r = rings_run(rings, cpu, 0, nr_rounds, take_subbuf, &sink, err);
	if (r == 0)
		*ret_writer = KMT_STEAL(writer);
	return r;
}
