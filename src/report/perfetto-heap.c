// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/units.h"

#include "intern.h"
#include "perfetto-heap.h"
#include "walk.h"

/*
 * Numbers of fields, by message, as in profile_packet.proto and profile_common.proto of
 * https://github.com/google/perfetto/tree/main/protos/perfetto/trace/profiling
 */
enum {
	PACKET_STRINGS = 1,
	PACKET_FRAMES = 2,
	PACKET_CALLSTACKS = 3,
	PACKET_MAPPINGS = 4,
	PACKET_DUMPS = 5,

	DUMP_PID = 1,
	DUMP_SAMPLES = 2,
	DUMP_TIMESTAMP = 9,

	SAMPLE_CALLSTACK = 1,
	SAMPLE_ALLOCATED = 2,
	SAMPLE_FREED = 3,
	SAMPLE_ALLOC_COUNT = 5,
	SAMPLE_FREE_COUNT = 6,

	STRING_ID = 1,
	STRING_BYTES = 2,

	MAPPING_ID = 1,
	MAPPING_BUILD_ID = 2,
	MAPPING_START = 4,
	MAPPING_END = 5,
	MAPPING_PATH = 7,

	FRAME_ID = 1,
	FRAME_FUNCTION = 2,
	FRAME_MAPPING = 3,
	FRAME_PC = 4,

	CALLSTACK_ID = 1,
	CALLSTACK_FRAMES = 2,
};

#define BUILD_ID_BYTES_MAX 64

struct heap {
	const struct kmt_result *result;
	struct kmt_proto *packet;
	struct kmt_proto dump, part;
	struct kmt_intern texts, mappings, frames; /* ids are numbers plus 1: 0 is none */
	uint64_t nr_callstacks;
};

static void deinit(struct heap *heap)
{
	kmt_proto_deinit(&heap->dump);
	kmt_proto_deinit(&heap->part);
	kmt_intern_deinit(&heap->texts);
	kmt_intern_deinit(&heap->mappings);
	kmt_intern_deinit(&heap->frames);
}

/* @key: what tells it from others; @bytes: what it is */
static uint64_t put_string(struct heap *heap, const char *key, const void *bytes, size_t nr)
{
	bool is_new;
	uint64_t id = kmt_intern_add(&heap->texts, key, &is_new) + UINT64_C(1);

	if (!is_new)
		return id;
	kmt_proto_clear(&heap->part);
	kmt_proto_put_uint(&heap->part, STRING_ID, id);
	kmt_proto_put_bytes(&heap->part, STRING_BYTES, bytes, nr);
	kmt_proto_put_message(heap->packet, PACKET_STRINGS, &heap->part);
	return id;
}

static uint64_t put_text(struct heap *heap, const char *text)
{
	return put_string(heap, text, text, strlen(text));
}

/* In Perfetto a build-id is its bytes. Return: how many; 0: it is none. */
static size_t read_hex(const char *hex, uint8_t bytes[BUILD_ID_BYTES_MAX])
{
	size_t nr = 0;

	for (; hex[0] && hex[1] && nr < BUILD_ID_BYTES_MAX; hex += 2) {
		const char digits[] = { hex[0], hex[1], '\0' };
		char *end;

		bytes[nr++] = (uint8_t)strtoul(digits, &end, 16);
		if (*end)
			return 0;
	}
	return *hex ? 0 : nr;
}

/* Each is as large as all memory, so that a place in it is an address. */
static uint64_t put_mapping(struct heap *heap, const char *module)
{
	const char *hex = kmt_result_build_id(heap->result, module);
	uint8_t bytes[BUILD_ID_BYTES_MAX];
	char name[KMT_NAME_BYTES], key[2 * BUILD_ID_BYTES_MAX + 16];
	uint64_t id, path, build_id = 0;
	size_t nr = hex ? read_hex(hex, bytes) : 0;
	bool is_new;

	(void)kmt_escape(name, sizeof(name), module ? module : "vmlinux");
	id = kmt_intern_add(&heap->mappings, name, &is_new) + UINT64_C(1);
	if (!is_new)
		return id;
	path = put_text(heap, name);
	(void)snprintf(key, sizeof(key), "\n%s", hex ? hex : "");
	if (nr)
		build_id = put_string(heap, key, bytes, nr);
	kmt_proto_clear(&heap->part);
	kmt_proto_put_uint(&heap->part, MAPPING_ID, id);
	if (build_id)
		kmt_proto_put_uint(&heap->part, MAPPING_BUILD_ID, build_id);
	kmt_proto_put_uint(&heap->part, MAPPING_START, 0);
	kmt_proto_put_uint(&heap->part, MAPPING_END, UINT64_MAX);
	kmt_proto_put_uint(&heap->part, MAPPING_PATH, path);
	kmt_proto_put_message(heap->packet, PACKET_MAPPINGS, &heap->part);
	return id;
}

static uint64_t put_frame(struct heap *heap, const struct kmt_frame *frame)
{
	uint64_t id, mapping, function;
	char name[KMT_NAME_BYTES];
	bool is_new;

	kmt_walk_frame_name(name, frame);
	id = kmt_intern_addf(&heap->frames, &is_new, "%" PRIx64 "\n%s", frame->address, name) +
	     UINT64_C(1);
	if (!is_new)
		return id;
	mapping = put_mapping(heap, frame->module);
	function = put_text(heap, name);
	kmt_proto_clear(&heap->part);
	kmt_proto_put_uint(&heap->part, FRAME_ID, id);
	kmt_proto_put_uint(&heap->part, FRAME_FUNCTION, function);
	kmt_proto_put_uint(&heap->part, FRAME_MAPPING, mapping);
	kmt_proto_put_uint(&heap->part, FRAME_PC, frame->address);
	kmt_proto_put_message(heap->packet, PACKET_FRAMES, &heap->part);
	return id;
}

/* The outermost first. */
static uint64_t put_callstack(struct heap *heap, const struct kmt_walk_sample *sample)
{
	uint64_t ids[KMT_WALK_FRAMES_MAX], id = ++heap->nr_callstacks;
	size_t nr = 0;

	for (size_t i = sample->nr_frames; i > 0 && nr < KMT_WALK_FRAMES_MAX; i--)
		ids[nr++] = put_frame(heap, &sample->frames[i - 1]);
	kmt_proto_clear(&heap->part);
	kmt_proto_put_uint(&heap->part, CALLSTACK_ID, id);
	for (size_t i = 0; i < nr; i++) /* proto2 packs nothing that doesn't say so */
		kmt_proto_put_uint(&heap->part, CALLSTACK_FRAMES, ids[i]);
	kmt_proto_put_message(heap->packet, PACKET_CALLSTACKS, &heap->part);
	return id;
}

/* What it shows as unreleased is what is left of the allocated. */
static void put_sample(struct heap *heap, const struct kmt_walk_sample *sample)
{
	const struct kmt_row *row = sample->row;
	uint64_t callstack = put_callstack(heap, sample);
	/* Parts of larger blocks are live that were never allocated as such. */
	uint64_t bytes = row->alloc_bytes > row->live_bytes ? row->alloc_bytes : row->live_bytes;
	uint64_t objects = row->allocs > row->live_objects ? row->allocs : row->live_objects;

	kmt_proto_clear(&heap->part);
	kmt_proto_put_uint(&heap->part, SAMPLE_CALLSTACK, callstack);
	kmt_proto_put_uint(&heap->part, SAMPLE_ALLOCATED, bytes);
	kmt_proto_put_uint(&heap->part, SAMPLE_FREED, bytes - row->live_bytes);
	kmt_proto_put_uint(&heap->part, SAMPLE_ALLOC_COUNT, objects);
	kmt_proto_put_uint(&heap->part, SAMPLE_FREE_COUNT, objects - row->live_objects);
	kmt_proto_put_message(&heap->dump, DUMP_SAMPLES, &heap->part);
}

int kmt_perfetto_heap_fill(const struct kmt_result *result,
			   const struct kmt_report_options *options, uint64_t pid,
			   struct kmt_proto *packet)
{
	KMT_CLEANUP(deinit) struct heap heap = { .result = result, .packet = packet };
	struct kmt_walk_sample sample;
	struct kmt_walk walk;

	kmt_proto_put_uint(&heap.dump, DUMP_PID, pid);
	kmt_proto_put_uint(&heap.dump, DUMP_TIMESTAMP, result->end_ns);
	kmt_walk_start(&walk, result, options);
	while (kmt_walk_next(&walk, &sample))
		put_sample(&heap, &sample);
	kmt_proto_put_message(packet, PACKET_DUMPS, &heap.dump);
	return packet->has_failed || heap.part.has_failed || heap.texts.has_failed ||
			       heap.mappings.has_failed || heap.frames.has_failed
		       ? -ENOMEM
		       : 0;
}
