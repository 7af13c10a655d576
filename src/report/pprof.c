// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/units.h"

#include "intern.h"
#include "json-rows.h"
#include "pprof.h"
#include "proto-wire.h"
#include "walk.h"

/* Numbers of fields, by message, as in
 * https://github.com/google/pprof/blob/main/proto/profile.proto */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME_NANOS = 9,
	PROFILE_PERIOD_TYPE = 11,
	PROFILE_PERIOD = 12,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_SAMPLE_TYPE = 14,

	VALUE_TYPE_TYPE = 1,
	VALUE_TYPE_UNIT = 2,

	SAMPLE_LOCATION = 1,
	SAMPLE_VALUE = 2,
	SAMPLE_LABEL = 3,

	LABEL_KEY = 1,
	LABEL_TEXT = 2,

	MAPPING_ID = 1,
	MAPPING_FILE = 5,
	MAPPING_BUILD_ID = 6,
	MAPPING_HAS_FUNCTIONS = 7,

	LOCATION_ID = 1,
	LOCATION_MAPPING = 2,
	LOCATION_ADDRESS = 3,
	LOCATION_LINE = 4,

	LINE_FUNCTION = 1,
	LINE_LINE = 2,

	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_SYSTEM_NAME = 3,
	FUNCTION_FILE = 4,
};

struct pprof {
	const struct kmt_result *result;
	struct kmt_proto profile, message, part;
	struct kmt_intern texts, mappings, functions, locations; /* ids are numbers plus 1 */
};

static void deinit(struct pprof *pprof)
{
	kmt_proto_deinit(&pprof->profile);
	kmt_proto_deinit(&pprof->message);
	kmt_proto_deinit(&pprof->part);
	kmt_intern_deinit(&pprof->texts);
	kmt_intern_deinit(&pprof->mappings);
	kmt_intern_deinit(&pprof->functions);
	kmt_intern_deinit(&pprof->locations);
}

static uint32_t text_of(struct pprof *pprof, const char *text)
{
	char escaped[KMT_NAME_BYTES];

	return kmt_intern_add(&pprof->texts, kmt_escape(escaped, sizeof(escaped), text), NULL);
}

static void put_value_type(struct pprof *pprof, uint32_t field, const char *type, const char *unit)
{
	kmt_proto_clear(&pprof->message);
	kmt_proto_put_uint(&pprof->message, VALUE_TYPE_TYPE, text_of(pprof, type));
	kmt_proto_put_uint(&pprof->message, VALUE_TYPE_UNIT, text_of(pprof, unit));
	kmt_proto_put_message(&pprof->profile, field, &pprof->message);
}

/* Names and order are those of Go's heap profiles, which is what everybody knows. */
static void put_types(struct pprof *pprof)
{
	(void)kmt_intern_add(&pprof->texts, "", NULL); /* number 0 has to be */
	put_value_type(pprof, PROFILE_SAMPLE_TYPE, "alloc_objects", "count");
	put_value_type(pprof, PROFILE_SAMPLE_TYPE, "alloc_space", "bytes");
	put_value_type(pprof, PROFILE_SAMPLE_TYPE, "inuse_objects", "count");
	put_value_type(pprof, PROFILE_SAMPLE_TYPE, "inuse_space", "bytes");
	put_value_type(pprof, PROFILE_PERIOD_TYPE, "space", "bytes");
	kmt_proto_put_uint(&pprof->profile, PROFILE_PERIOD, 1);
	kmt_proto_put_uint(&pprof->profile, PROFILE_DEFAULT_SAMPLE_TYPE,
			   text_of(pprof, "inuse_space"));
}

/* Of the kernel (NULL) or a module. Functions are known: nobody has to look for files. */
static uint64_t mapping_of(struct pprof *pprof, const char *module)
{
	const char *build_id = kmt_result_build_id(pprof->result, module);
	char file[KMT_ESCAPED_BYTES] = "vmlinux";
	struct kmt_proto *message = &pprof->message;
	uint64_t id;
	bool is_new;

	if (module)
		(void)snprintf(file, sizeof(file), "%.*s.ko", KMT_ESCAPED_BYTES - 4, module);
	id = kmt_intern_add(&pprof->mappings, file, &is_new) + UINT64_C(1);
	if (!is_new)
		return id;
	kmt_proto_clear(message);
	kmt_proto_put_uint(message, MAPPING_ID, id);
	kmt_proto_put_uint(message, MAPPING_FILE, text_of(pprof, file));
	if (build_id)
		kmt_proto_put_uint(message, MAPPING_BUILD_ID, text_of(pprof, build_id));
	kmt_proto_put_uint(message, MAPPING_HAS_FUNCTIONS, 1);
	kmt_proto_put_message(&pprof->profile, PROFILE_MAPPING, message);
	return id;
}

/*
 * "fs/dcache.c:1764", or of inlined calls "a.c:3 < b.c:9", of which the last is in the function
 * itself. Return: its line; 0 unknown, and @file "" then.
 */
static uint64_t split_lines(const char *lines, char file[KMT_ESCAPED_BYTES])
{
	const char *last = lines ? strrchr(lines, '<') : NULL;
	const char *colon;
	uint64_t line = 0;

	*file = '\0';
	if (!lines)
		return 0;
	last = last ? last + 1 + strspn(last + 1, " ") : lines;
	colon = strrchr(last, ':');
	if (!colon || kmt_parse_uint(colon + 1, &line) < 0 || line > INT32_MAX)
		return 0;
	(void)snprintf(file, KMT_ESCAPED_BYTES, "%.*s", (int)(colon - last), last);
	return line;
}

static uint64_t function_of(struct pprof *pprof, const char *name, const char *file)
{
	struct kmt_proto *message = &pprof->message;
	uint64_t id;
	bool is_new;

	id = kmt_intern_addf(&pprof->functions, &is_new, "%s\n%s", name, file) + UINT64_C(1);
	if (!is_new)
		return id;
	kmt_proto_clear(message);
	kmt_proto_put_uint(message, FUNCTION_ID, id);
	kmt_proto_put_uint(message, FUNCTION_NAME, text_of(pprof, name));
	kmt_proto_put_uint(message, FUNCTION_SYSTEM_NAME, text_of(pprof, name));
	if (*file)
		kmt_proto_put_uint(message, FUNCTION_FILE, text_of(pprof, file));
	kmt_proto_put_message(&pprof->profile, PROFILE_FUNCTION, message);
	return id;
}

static uint64_t location_of(struct pprof *pprof, const struct kmt_frame *frame)
{
	char name[KMT_NAME_BYTES], address[32], file[KMT_ESCAPED_BYTES];
	uint64_t id, mapping, function, line;
	bool is_new;

	id = kmt_intern_addf(&pprof->locations, &is_new, "%" PRIx64 "\n%s\n%s\n%" PRIx64 "\n%s",
			     frame->address, frame->module ? frame->module : "",
			     frame->function ? frame->function : "", frame->offset,
			     frame->lines ? frame->lines : "") +
	     UINT64_C(1);
	if (!is_new)
		return id;
	(void)snprintf(address, sizeof(address), "0x%" PRIx64, frame->address);
	(void)snprintf(name, sizeof(name), "%s", frame->function ? frame->function : address);
	line = split_lines(frame->lines, file);
	/* What is no code is in no file. */
	mapping = frame->address ? mapping_of(pprof, frame->module) : 0;
	function = function_of(pprof, name, file);

	kmt_proto_clear(&pprof->part);
	kmt_proto_put_uint(&pprof->part, LINE_FUNCTION, function);
	if (line)
		kmt_proto_put_uint(&pprof->part, LINE_LINE, line);
	kmt_proto_clear(&pprof->message);
	kmt_proto_put_uint(&pprof->message, LOCATION_ID, id);
	if (mapping)
		kmt_proto_put_uint(&pprof->message, LOCATION_MAPPING, mapping);
	kmt_proto_put_uint(&pprof->message, LOCATION_ADDRESS, frame->address);
	kmt_proto_put_message(&pprof->message, LOCATION_LINE, &pprof->part);
	kmt_proto_put_message(&pprof->profile, PROFILE_LOCATION, &pprof->message);
	return id;
}

static void put_label(struct pprof *pprof, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	kmt_proto_clear(&pprof->part);
	kmt_proto_put_uint(&pprof->part, LABEL_KEY, text_of(pprof, key));
	kmt_proto_put_uint(&pprof->part, LABEL_TEXT, text_of(pprof, text));
	kmt_proto_put_message(&pprof->message, SAMPLE_LABEL, &pprof->part);
}

/* A signed number on the wire */
static uint64_t value(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : n;
}

/* By host and kernel profiles that were put together can be told apart again. */
static void put_labels(struct pprof *pprof, const struct kmt_row *row)
{
	put_label(pprof, "cache", row->cache);
	put_label(pprof, "module", row->module);
	put_label(pprof, "space", kmt_json_space(row->space));
	if (row->space == KMT_SPACE_PAGE)
		put_label(pprof, "use", kmt_json_use(row->use));
	put_label(pprof, "host", pprof->result->host);
	put_label(pprof, "kernel", pprof->result->kernel);
}

static void put_sample(struct pprof *pprof, const struct kmt_walk_sample *sample)
{
	size_t nr =
		sample->nr_frames < KMT_WALK_FRAMES_MAX ? sample->nr_frames : KMT_WALK_FRAMES_MAX;
	const struct kmt_row *row = sample->row;
	uint64_t ids[KMT_WALK_FRAMES_MAX];
	const uint64_t values[] = { value(row->allocs), value(row->alloc_bytes),
				    value(row->live_objects), value(row->live_bytes) };

	for (size_t i = 0; i < nr; i++)
		ids[i] = location_of(pprof, &sample->frames[i]);
	kmt_proto_clear(&pprof->message);
	kmt_proto_put_uints(&pprof->message, SAMPLE_LOCATION, ids, nr);
	kmt_proto_put_uints(&pprof->message, SAMPLE_VALUE, values,
			    sizeof(values) / sizeof(values[0]));
	put_labels(pprof, row);
	kmt_proto_put_message(&pprof->profile, PROFILE_SAMPLE, &pprof->message);
}

static void put_comment(void *context, const char *line)
{
	struct pprof *pprof = context;

	/* It is escaped. */
	kmt_proto_put_uint(&pprof->profile, PROFILE_COMMENT,
			   kmt_intern_add(&pprof->texts, line, NULL));
}

/*
 * What is live is so at the end. As in Go's there is no duration: with one, Parca divides what is
 * live by it, and shows bytes per second.
 */
static void put_time(struct pprof *pprof)
{
	const struct kmt_result *result = pprof->result;
	char line[64], size[KMT_UNITS_BYTES];
	int64_t wall_ns;

	if (kmt_walk_wall_time(result, result->end_ns, &wall_ns))
		kmt_proto_put_int(&pprof->profile, PROFILE_TIME_NANOS, wall_ns);
	(void)snprintf(line, sizeof(line), "recorded for %s",
		       kmt_format_time(size, result->duration_ns));
	put_comment(pprof, line);
}

static void fill(struct pprof *pprof, const struct kmt_report_options *options)
{
	struct kmt_walk_sample sample;
	struct kmt_walk walk;

	put_types(pprof);
	put_time(pprof);
	(void)mapping_of(pprof, NULL); /* the first one is the program */
	kmt_walk_start(&walk, pprof->result, options);
	while (kmt_walk_next(&walk, &sample))
		put_sample(pprof, &sample);
	kmt_walk_remarks(pprof->result, options, put_comment, pprof);
	for (size_t i = 0; i < pprof->texts.nr; i++)
		kmt_proto_put_text(&pprof->profile, PROFILE_STRING, pprof->texts.texts[i]);
}

static bool is_whole(const struct pprof *pprof)
{
	return !pprof->profile.has_failed && !pprof->message.has_failed &&
	       !pprof->part.has_failed && !pprof->texts.has_failed && !pprof->mappings.has_failed &&
	       !pprof->functions.has_failed && !pprof->locations.has_failed;
}

#define GZIP_WINDOW (15 + 16) /* the largest; with a header of gzip, that has no time or name */
#define GZIP_MEMORY 8	      /* zlib's own default */

static int compress_to(FILE *file, const uint8_t *bytes, size_t nr, struct kmt_err *err)
{
	z_stream stream = { 0 };
	uint8_t out[65536];
	int r;

	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return kmt_fail(err, -ENOMEM, "out of memory");
	stream.next_in = (Bytef *)(uintptr_t)bytes;
	do {
		size_t part = nr < UINT32_MAX ? nr : UINT32_MAX;

		if (stream.avail_in == 0) {
			stream.avail_in = (uInt)part;
			nr -= part;
		}
		stream.next_out = out;
		stream.avail_out = sizeof(out);
		r = deflate(&stream, nr ? Z_NO_FLUSH : Z_FINISH);
		(void)fwrite(out, 1, sizeof(out) - stream.avail_out, file);
	} while (r == Z_OK || r == Z_BUF_ERROR);
	(void)deflateEnd(&stream);
	return r == Z_STREAM_END ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}

int kmt_report_pprof(const struct kmt_result *result, const struct kmt_report_options *options,
		     FILE *file, struct kmt_err *err)
{
	KMT_CLEANUP(deinit) struct pprof pprof = { .result = result };

	fill(&pprof, options);
	if (!is_whole(&pprof))
		return kmt_fail(err, -ENOMEM, "out of memory");
	return compress_to(file, pprof.profile.bytes, pprof.profile.nr, err);
}
