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
#include "perfetto.h"
#include "walk.h"

/*
 * Numbers of fields, by message, as in trace_packet.proto and those it includes of
 * https://github.com/google/perfetto/tree/main/protos/perfetto/trace
 */
enum {
	TRACE_PACKET = 1,

	PACKET_CLOCK_SNAPSHOT = 6,
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE = 10,
	PACKET_TRACK_EVENT = 11,
	PACKET_SEQUENCE_FLAGS = 13,
	PACKET_PROFILE = 37,
	PACKET_TRACK_DESCRIPTOR = 60,

	CLOCKS = 1,
	CLOCK_ID = 1,
	CLOCK_TIMESTAMP = 2,

	TRACK_UUID = 1,
	TRACK_NAME = 2,
	TRACK_PROCESS = 3,
	TRACK_PARENT = 5,
	TRACK_COUNTER = 8,

	PROCESS_PID = 1,
	PROCESS_NAME = 6,

	COUNTER_UNIT = 3,

	EVENT_TYPE = 9,
	EVENT_TRACK = 11,
	EVENT_NAME = 23,
	EVENT_COUNTER = 30,
};

enum {
	CLOCK_REALTIME_ID = 1,
	CLOCK_MONOTONIC_ID = 3,
	CLOCK_MONOTONIC_COARSE_ID = 4, /* of heap profiles */
	CLOCK_BOOTTIME_ID = 6,	       /* of all else */

	TYPE_INSTANT = 3,
	TYPE_COUNTER = 4,
	UNIT_SIZE_BYTES = 3,
	STATE_CLEARED = 1,
};

/* The parent of all threads of the kernel: it has to be some process. */
#define KERNEL_PID 2

enum {
	UUID_KERNEL = 1,
	UUID_NOTES,
	UUID_TOTAL,
	UUID_ROWS,
};

#define CURVES_MAX 100u /* rows of which there is a curve, unless --top says otherwise */

struct curve {
	uint64_t live_bytes[KMT_HISTORY_POINTS];
};

struct perfetto {
	const struct kmt_result *result;
	FILE *file;
	struct kmt_proto packet, message, part;
	struct kmt_intern names; /* of curves */
	struct curve *curves, total;
	size_t curves_max;
	uint64_t nr_packets;
};

static void deinit(struct perfetto *perfetto)
{
	kmt_proto_deinit(&perfetto->packet);
	kmt_proto_deinit(&perfetto->message);
	kmt_proto_deinit(&perfetto->part);
	kmt_intern_deinit(&perfetto->names);
	free(perfetto->curves);
}

/* Writes ->message as a packet. */
static int put_packet(struct perfetto *perfetto, uint32_t field, uint64_t time_ns)
{
	struct kmt_proto *packet = &perfetto->packet, *part = &perfetto->part;

	kmt_proto_clear(part);
	kmt_proto_put_uint(part, PACKET_TIMESTAMP, time_ns);
	kmt_proto_put_uint(part, PACKET_SEQUENCE, 1);
	if (perfetto->nr_packets++ == 0)
		kmt_proto_put_uint(part, PACKET_SEQUENCE_FLAGS, STATE_CLEARED);
	kmt_proto_put_message(part, field, &perfetto->message);
	kmt_proto_clear(packet);
	kmt_proto_put_message(packet, TRACE_PACKET, part);
	if (packet->has_failed)
		return -ENOMEM;
	(void)fwrite(packet->bytes, 1, packet->nr, perfetto->file);
	kmt_proto_clear(&perfetto->message);
	return 0;
}

static void put_clock(struct perfetto *perfetto, uint64_t id, uint64_t time_ns)
{
	kmt_proto_clear(&perfetto->part);
	kmt_proto_put_uint(&perfetto->part, CLOCK_ID, id);
	kmt_proto_put_uint(&perfetto->part, CLOCK_TIMESTAMP, time_ns);
	kmt_proto_put_message(&perfetto->message, CLOCKS, &perfetto->part);
}

/* The tape's clock stands for those of Perfetto, whichever it was. */
static int put_clocks(struct perfetto *perfetto)
{
	static const uint64_t clocks[] = { CLOCK_BOOTTIME_ID, CLOCK_MONOTONIC_ID,
					   CLOCK_MONOTONIC_COARSE_ID };
	const struct kmt_result *result = perfetto->result;
	int64_t wall_ns;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
		put_clock(perfetto, clocks[i], result->start_ns);
	if (kmt_walk_wall_time(result, result->start_ns, &wall_ns))
		put_clock(perfetto, CLOCK_REALTIME_ID, (uint64_t)wall_ns);
	return put_packet(perfetto, PACKET_CLOCK_SNAPSHOT, result->start_ns);
}

static int put_kernel(struct perfetto *perfetto)
{
	const struct kmt_result *result = perfetto->result;
	char host[KMT_ESCAPED_BYTES], kernel[KMT_ESCAPED_BYTES], name[KMT_NAME_BYTES];

	(void)snprintf(name, sizeof(name), "kernel %s%s%s",
		       kmt_escape(kernel, sizeof(kernel), result->kernel), *result->host ? " " : "",
		       kmt_escape(host, sizeof(host), result->host));
	kmt_proto_clear(&perfetto->part);
	kmt_proto_put_uint(&perfetto->part, PROCESS_PID, KERNEL_PID);
	kmt_proto_put_text(&perfetto->part, PROCESS_NAME, name);
	kmt_proto_put_uint(&perfetto->message, TRACK_UUID, UUID_KERNEL);
	kmt_proto_put_message(&perfetto->message, TRACK_PROCESS, &perfetto->part);
	return put_packet(perfetto, PACKET_TRACK_DESCRIPTOR, result->start_ns);
}

static int put_track(struct perfetto *perfetto, uint64_t uuid, const char *name, bool is_counter)
{
	kmt_proto_put_uint(&perfetto->message, TRACK_UUID, uuid);
	kmt_proto_put_uint(&perfetto->message, TRACK_PARENT, UUID_KERNEL);
	kmt_proto_put_text(&perfetto->message, TRACK_NAME, name);
	if (is_counter) {
		kmt_proto_clear(&perfetto->part);
		kmt_proto_put_uint(&perfetto->part, COUNTER_UNIT, UNIT_SIZE_BYTES);
		kmt_proto_put_message(&perfetto->message, TRACK_COUNTER, &perfetto->part);
	}
	return put_packet(perfetto, PACKET_TRACK_DESCRIPTOR, perfetto->result->start_ns);
}

static void put_note(void *context, const char *line)
{
	struct perfetto *perfetto = context;

	kmt_proto_put_uint(&perfetto->message, EVENT_TYPE, TYPE_INSTANT);
	kmt_proto_put_uint(&perfetto->message, EVENT_TRACK, UUID_NOTES);
	kmt_proto_put_text(&perfetto->message, EVENT_NAME, line);
	(void)put_packet(perfetto, PACKET_TRACK_EVENT, perfetto->result->start_ns);
}

static int put_notes(struct perfetto *perfetto, const struct kmt_report_options *options)
{
	int r = put_track(perfetto, UUID_NOTES, "kmemtape", false);

	if (r == 0)
		kmt_walk_remarks(perfetto->result, options, put_note, perfetto);
	return r;
}

static int put_curve(struct perfetto *perfetto, uint64_t uuid, const char *name,
		     const struct curve *curve)
{
	const struct kmt_result *result = perfetto->result;
	int r = put_track(perfetto, uuid, name, true);

	for (size_t i = 0; r == 0 && i < result->grid.nr; i++) {
		uint64_t ended_ns = result->grid.start_ns + (i + 1) * result->grid.width_ns;

		kmt_proto_put_uint(&perfetto->message, EVENT_TYPE, TYPE_COUNTER);
		kmt_proto_put_uint(&perfetto->message, EVENT_TRACK, uuid);
		kmt_proto_put_uint(&perfetto->message, EVENT_COUNTER, curve->live_bytes[i]);
		r = put_packet(perfetto, PACKET_TRACK_EVENT,
			       ended_ns < result->end_ns ? ended_ns : result->end_ns);
	}
	return r;
}

static void add_to_curve(struct curve *curve, const struct kmt_history *history)
{
	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++)
		curve->live_bytes[i] += history->live_bytes[i];
}

/* Of one call site, whatever its stacks. */
static void add_row(struct perfetto *perfetto, const struct kmt_walk_sample *sample)
{
	struct kmt_history history;
	char name[KMT_NAME_BYTES];
	uint32_t number;

	if (!sample->row->history)
		return;
	kmt_history_unpack(sample->row->history, &history);
	add_to_curve(&perfetto->total, &history);
	kmt_walk_frame_name(name, &sample->frames[0]);
	if (perfetto->names.nr == perfetto->curves_max && !kmt_intern_has(&perfetto->names, name))
		return;
	number = kmt_intern_add(&perfetto->names, name, NULL);
	add_to_curve(&perfetto->curves[number], &history);
}

static int put_curves(struct perfetto *perfetto, const struct kmt_report_options *options)
{
	struct kmt_walk_sample sample;
	struct kmt_walk walk;
	int r;

	kmt_walk_start(&walk, perfetto->result, options);
	perfetto->curves_max = options->top || walk.nr < CURVES_MAX ? walk.nr : CURVES_MAX;
	perfetto->curves = calloc(perfetto->curves_max + 1, sizeof(*perfetto->curves));
	if (!perfetto->curves)
		return -ENOMEM;
	while (kmt_walk_next(&walk, &sample))
		add_row(perfetto, &sample);
	if (perfetto->names.has_failed)
		return -ENOMEM;
	r = put_curve(perfetto, UUID_TOTAL, "live", &perfetto->total);
	for (size_t i = 0; r == 0 && i < perfetto->names.nr; i++)
		r = put_curve(perfetto, UUID_ROWS + i, perfetto->names.texts[i],
			      &perfetto->curves[i]);
	return r;
}

int kmt_report_perfetto(const struct kmt_result *result, const struct kmt_report_options *options,
			FILE *file, struct kmt_err *err)
{
	KMT_CLEANUP(deinit) struct perfetto perfetto = { .result = result, .file = file };
	int r;

	(void)((r = put_clocks(&perfetto)) < 0 || (r = put_kernel(&perfetto)) < 0 ||
	       (r = put_notes(&perfetto, options)) < 0 ||
	       (r = put_curves(&perfetto, options)) < 0 ||
	       (r = kmt_perfetto_heap_fill(result, options, KERNEL_PID, &perfetto.message)) < 0 ||
	       (r = put_packet(&perfetto, PACKET_PROFILE, result->end_ns)) < 0);
	return r < 0 ? kmt_fail(err, r, "out of memory") : 0;
}
