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
 * For one thread.
 */
struct kmt_lines;

struct kmt_lines_options {
	const char *kernel; /* release, for the usual places: /usr/lib/debug/boot/vmlinux-RELEASE */
	const char *build_id;  /* of the kernel, hexadecimal; "" unknown */
	const char *debuginfo; /* a vmlinux, a module, or a directory with such: goes before the
				  usual places; NULL. debuginfod is asked last, and only if the
				  user has set DEBUGINFOD_URLS */
	const char *root;      /* in front of the usual places: "" but in tests */
};

/* A call, as the tape knows it. */
struct kmt_lines_place {
	const char *module;   /* NULL: the kernel */
	const char *build_id; /* of the module; "" unknown: then it is by name */
	const char *function;
	uint64_t offset; /* of the return address; the call before it is meant */
	uint64_t size;	 /* of the function, up to the next one; 0 unknown */
	/* Of a function of the kernel: how far behind _stext it begins, modulo 2^64. The kernel was
	 * moved as a whole, so this tells functions of the same name apart. 0 unknown. */
	uint64_t from_stext;
};

/**
 * kmt_lines_new() - nothing is opened yet
 * @options: copied
 *
 * Return: 0; -ENOTSUP if this build has no source lines; -ENOENT and the like if there is no
 * @debuginfo; -ENOMEM.
 */
int kmt_lines_new(const struct kmt_lines_options *options, struct kmt_lines **ret_lines,
		  struct kmt_err *err);
struct kmt_lines *kmt_lines_free(struct kmt_lines *lines);

/**
 * kmt_lines_find() - the source line of a call
 * @ret_text: "fs/dcache.c:1764", with inlined frames innermost first "a.c:3 < b.c:9"; as the file
 * has it, with any bytes; borrowed until kmt_lines_free(). NULL: not found.
 *
 * Where several functions have the name, and the tape can't tell which it was, there is no line,
 * unless all of them agree.
 *
 * Return: 1 found; 0 not: no debug information, or another build (see kmt_lines_note()); -ENOMEM.
 */
int kmt_lines_find(struct kmt_lines *lines, const struct kmt_lines_place *place,
		   const char **ret_text);

/* Why there are no lines of the kernel or of a module, one line for each: what was looked at, or
 * that its build-id is another one. NULL: no more. Borrowed until the next kmt_lines_find(). */
const char *kmt_lines_note(const struct kmt_lines *lines, size_t nr);

KMT_DEFINE_FREEP(struct kmt_lines *, kmt_lines_free)

/*
 * The same as calls that a replay makes, of whoever has the lines: not necessarily this process.
 * Debug information is read by large libraries from files that anyone may have made.
 */
struct kmt_lines_source {
	/* @kernel, @build_id: as in struct kmt_lines_options. Return: as kmt_lines_new(). */
	int (*open)(struct kmt_lines_source *source, const char *kernel, const char *build_id,
		    struct kmt_err *err);
	/* As kmt_lines_find(); @ret_text is borrowed until the next call. */
	int (*find)(struct kmt_lines_source *source, const struct kmt_lines_place *place,
		    const char **ret_text);
	/* As kmt_lines_note() */
	const char *(*note)(struct kmt_lines_source *source, size_t nr);
};

#endif
