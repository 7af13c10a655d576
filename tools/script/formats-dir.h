/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_FORMATS_DIR_H
#define KMEMTAPE_TOOLS_FORMATS_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <traceevent/event-parse.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

#include "ring.h"

/*
 * The format files of a kernel: a directory of tests/formats, or events/ of a tape. Bound by
 * libtraceevent alone: what src/decode makes of them is what the tests check.
 */
struct formats_file {
	char *path; /* below the directory: "kmem/kmalloc/format" */
	char *text;
	size_t bytes;
};

/* What a key means in an event. */
struct formats_key {
	const struct tep_event *event; /* NULL: not asked yet */
	char key[24];
	struct tep_format_field *field;
};

#define FORMATS_KEYS 256u

struct formats_dir {
	struct tep_handle *tep;
	struct formats_key
		keys[FORMATS_KEYS]; /* by a hash: long scripts ask for the same ones all along */
	struct ring_layout layout;
	struct formats_file *files; /* sorted by path */
	size_t nr_files;
};

/*
 * Groups of events that a script has to ask for, on the `formats` line, since few tapes have them:
 * a bit each. 0: not the name of a group.
 */
#define FORMATS_ALL (~0u)
unsigned int formats_group(const char *name);

/* " pages stacks": of the tape whose files these are. */
void formats_dir_print_groups(FILE *out, const struct formats_dir *formats);

/* @groups_wanted: files of others are left out */
int formats_dir_load(const char *path, bool is_big_endian, unsigned int long_bytes,
		     unsigned int groups_wanted, struct formats_dir **ret_formats,
		     struct kmt_err *err);
struct formats_dir *formats_dir_free(struct formats_dir *formats);

unsigned int formats_dir_groups(const struct formats_dir *formats);

/* The event of a format file's path, as "kmem:kmalloc" in @name; false for header_page. */
bool formats_file_event(const struct formats_file *file, char name[256]);

/* True if both have the same files with the same text. */
bool formats_dir_is_same(const struct formats_dir *a, const struct formats_dir *b);

KMT_DEFINE_FREEP(struct formats_dir *, formats_dir_free)

#endif
