// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>

#include "build-ids.h"
#include "source-lines.h"

#define NOTES_SHOWN 6 /* a kernel has hundreds of modules */

/* One fill. */
struct filler {
	struct kmt_lines_source *source;
	const struct kmt_symbols *symbols;
	struct kmt_result *result;
};

int kmt_source_lines_open(const struct kmt_tape *tape, struct kmt_lines_source *source,
			  struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *id = NULL;

	if (!source)
		return 0;
	kmt_build_ids_read_kernel(tape, &id);
	return source->open(source, tape->manifest.kernel, id ? id : "", err);
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
	r = filler->source->find(filler->source, place, &text);
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

	for (nr = 0; r == 0 && (note = filler->source->note(filler->source, nr)); nr++)
		if (nr < NOTES_SHOWN)
			r = kmt_result_note(filler->result, "%s", note);
	if (r == 0 && nr > NOTES_SHOWN)
		r = kmt_result_note(filler->result, "no source lines of %zu more modules",
				    nr - NOTES_SHOWN);
	return r;
}

static bool is_remarkable(const struct kmt_row *row)
{
	return !row->is_suppressed && row->judgement.class != KMT_CLASS_NONE &&
	       row->judgement.class != KMT_CLASS_TRANSIENT;
}

static bool is_explained(const struct kmt_result *result, const struct kmt_row *row)
{
	struct kmt_site site = kmt_row_site(row);

	for (size_t i = 0; i < result->nr_dossiers; i++)
		if (kmt_site_is(&result->dossiers[i].site, &site))
			return true;
	return false;
}

/* A report that leaves rows out shows the first that stand out, or simply the first; or just what
 * is to be explained. */
static bool is_shown(const struct kmt_result *result, const struct kmt_row *row, uint64_t top,
		     uint64_t *nr, uint64_t *nr_remarkable)
{
	bool is_one = is_remarkable(row);

	if (top == 0 || result->nr_dossiers)
		return top == 0 || is_explained(result, row);
	if (row->live_objects == 0 || (*nr >= top && !(is_one && *nr_remarkable < top)))
		return false;
	++*nr;
	*nr_remarkable += is_one;
	return true;
}

int kmt_source_lines_fill(struct kmt_lines_source *source, const struct kmt_symbols *symbols,
			  uint64_t top, struct kmt_result *result)
{
	struct filler filler = { source, symbols, result };
	uint64_t nr = 0, nr_remarkable = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < result->nr_rows; i++) {
		struct kmt_row *row = &result->rows[i];

		if (!is_shown(result, row, top, &nr, &nr_remarkable))
			continue;
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
