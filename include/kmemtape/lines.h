/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_LINES_H
#define KMEMTAPE_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * Source lines from debug information (DWARF, through elfutils' libdwfl) of the recorded kernel and
 * its modules, matched by build-id, and by function and offset, never by address: those were moved.
 */
struct kmt_lines;

struct kmt_lines_options {
	const char *kernel; /* release, for the usual places: /usr/lib/debug/boot/vmlinux-RELEASE */
	const char *build_id;  /* of the kernel, hexadecimal; "" unknown */
	const char *debuginfo; /* a vmlinux, or a directory with it and modules; NULL: the usual
				  places. debuginfod is asked if the user has set DEBUGINFOD_URLS */
};

int kmt_lines_new(const struct kmt_lines_options *options, struct kmt_lines **ret_lines,
		  struct kmt_err *err);
struct kmt_lines *kmt_lines_free(struct kmt_lines *lines);

/**
 * kmt_lines_find() - the source line of a call
 * @module: NULL: the kernel
 * @build_id: of the module; "" unknown: then it is by name
 * @function, @offset: of the return address; the call before it is meant
 * @ret_text: "fs/dcache.c:1764", with inlined frames innermost first "a.c:3 < b.c:9"; on the heap
 *
 * Return: 1 found; 0 not: no debug information, or another build (see kmt_lines_note()); -ENOMEM.
 */
int kmt_lines_find(struct kmt_lines *lines, const char *module, const char *build_id,
		   const char *function, uint64_t offset, char **ret_text);

/* Why nothing was found, one line for each file: what was looked for and where, or that its
 * build-id is another one. NULL: no more. */
const char *kmt_lines_note(const struct kmt_lines *lines, size_t nr);

KMT_DEFINE_FREEP(struct kmt_lines *, kmt_lines_free)

#endif
