/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_SCRIPT_HEADER_H
#define KMEMTAPE_TOOLS_SCRIPT_HEADER_H

#include <stdio.h>

#include "kmemtape/manifest.h"

#include "formats-dir.h"
#include "script.h"
#include "symtab.h"

struct script_snapshot {
	uint64_t time_ns;
	char why[16];
	size_t from, bytes; /* where its text is in snapshot_texts */
};

/* What a script says about the tape as a whole. */
struct script_header {
	struct kmt_manifest manifest;
	char formats[SCRIPT_TEXT_MAX]; /* as the line says */
	unsigned int format_groups;    /* likewise */
	char symbols[SCRIPT_TEXT_MAX]; /* "good", "hidden", "none", or "": as the symbols are */
	bool has_start, has_allocs_on, has_allocs_off, has_end; /* else taken from the events */
	struct symtab symtab;
	char *modules; /* text of symbols/modules */
	size_t modules_bytes;
	char *comms; /* text of comms */
	size_t comms_bytes;
	FILE *modules_file, *comms_file; /* write to the two above */
	unsigned int nr_module_lines;
	struct script_snapshot *snapshots;
	size_t nr_snapshots;
	char *snapshot_texts;
	size_t snapshot_bytes;
	FILE *snapshots_file; /* writes to the above */
};

int script_header_init(struct script_header *header, struct kmt_err *err);
void script_header_deinit(struct script_header *header);

/* Return: 1 if the line was one of the header's, 0 if it isn't, negative errno. */
int script_header_take(struct script_header *header, const struct script *script,
		       struct kmt_err *err);

/* No more lines: the texts are whole, symbols can be looked up. */
int script_header_finish(struct script_header *header, struct kmt_err *err);

/* Name of the module that line @line of symbols/modules loads; NULL if it loads none. */
char *script_header_module(const char *modules, unsigned int line);

/*
 * The lines of a manifest, but for CPUs, events and symbols.
 * @name, @formats: of the directory of format files, and what the tape has of it
 */
void script_header_print(FILE *out, const struct kmt_manifest *manifest, const char *name,
			 const struct formats_dir *formats);

#endif
