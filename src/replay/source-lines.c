// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>

#include "source-lines.h"

#define NOTES_SHOWN 6 /* a kernel has hundreds of modules */

/* One fill. */
struct filler {
	struct kmt_lines *lines;
	const struct kmt_symbols *symbols;
	struct kmt_result *result;
};

/* "kernel HEX" on the first line of symbols/build-ids; all else is of modules. */
static void read_build_id(const struct kmt_tape *tape, char **ret_id)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;

	if (kmt_tape_read_text(tape, "symbols/build-ids", &text, &bytes, NULL) < 0 ||
	    sscanf(text, "kernel %m[0-9a-f]", ret_id) != 1)
		*ret_id = NULL;
}

int kmt_source_lines_open(const struct kmt_tape *tape, const struct kmt_replay_options *options,
			  struct kmt_lines **ret_lines, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *id = NULL;
	struct kmt_lines_options wanted = {
		.kernel = tape->manifest.kernel,
		.debuginfo = options->debuginfo,
	};

	*ret_lines = NULL;
	if (!options->wants_lines)
		return 0;
	read_build_id(tape, &id);
	wanted.build_id = id ? id : "";
	return kmt_lines_new(&wanted, ret_lines, err);
}

/* @place knows all but what the tape says of the module or the kernel. */
static int find(const struct filler *filler, struct kmt_lines_place *place, uint64_t address,
		uint32_t instance, const char **ret_text)
{
	uint64_t stext = kmt_symbols_stext(filler->symbols);
	const char *text;
	int r;

	if (!place->function)
		return 0;
	if (place->module)
		place->build_id = kmt_symbols_build_id(filler->symbols, place->module, instance);
	else if (stext)
		place->from_stext = address - place->offset - stext;
	if (place->module && !place->build_id)
		return 0; /* of several builds, and nobody knows of which */
	r = kmt_lines_find(filler->lines, place, &text);
	return r == 1 ? kmt_result_keep(filler->result, text, ret_text) : r;
}

static int fill_row(const struct filler *filler, struct kmt_row *row)
{
	struct kmt_lines_place place = { .module = row->module,
					 .function = row->call_site ? row->function : NULL,
					 .offset = row->offset,
					 .size = row->size };

	return find(filler, &place, row->call_site, row->instance, &row->lines);
}

static int fill_freer(const struct filler *filler, struct kmt_dossier_freer *freer)
{
	struct kmt_lines_place place = { .module = freer->module,
					 .function = freer->function,
					 .offset = freer->offset,
					 .size = freer->size };

	return find(filler, &place, freer->call_site, freer->instance, &freer->lines);
}

/* A frame is borrowed by those that show it, and belongs to the result. */
static int fill_frames(const struct filler *filler, const struct kmt_frame *frames, size_t nr)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < nr; i++) {
		struct kmt_frame *frame = (struct kmt_frame *)(uintptr_t)&frames[i];
		struct kmt_lines_place place = { .module = frame->module,
						 .function = frame->function,
						 .offset = frame->offset,
						 .size = frame->size };

		if (!frame->lines)
			r = find(filler, &place, frame->address, 0, &frame->lines);
	}
	return r;
}

static int fill_dossiers(const struct filler *filler)
{
	struct kmt_result *result = filler->result;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < result->nr_dossiers; i++) {
		struct kmt_dossier *dossier = &result->dossiers[i];

		for (size_t j = 0; r >= 0 && j < dossier->nr_freers; j++)
			r = fill_freer(filler, &dossier->freers[j]);
	}
	return r;
}

static int note_missing(const struct filler *filler)
{
	const char *note;
	size_t nr;
	int r = 0;

	for (nr = 0; r == 0 && (note = kmt_lines_note(filler->lines, nr)); nr++)
		if (nr < NOTES_SHOWN)
			r = kmt_result_note(filler->result, "%s", note);
	if (r == 0 && nr > NOTES_SHOWN)
		r = kmt_result_note(filler->result, "no source lines of %zu more modules",
				    nr - NOTES_SHOWN);
	return r;
}

int kmt_source_lines_fill(struct kmt_lines *lines, const struct kmt_symbols *symbols,
			  struct kmt_result *result)
{
	struct filler filler = { lines, symbols, result };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < result->nr_rows; i++) {
		struct kmt_row *row = &result->rows[i];

		r = fill_row(&filler, row);
		if (r >= 0)
			r = fill_frames(&filler, row->frames, row->nr_frames);
	}
	for (size_t i = 0; r >= 0 && i < result->nr_stacks; i++)
		r = fill_frames(&filler, result->stacks[i].frames, result->stacks[i].nr_frames);
	if (r >= 0)
		r = fill_dossiers(&filler);
	return r < 0 ? r : note_missing(&filler);
}
