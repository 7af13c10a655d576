/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DECODE_DEBUG_INFO_H
#define KMT_DECODE_DEBUG_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/lines.h"

/*
 * The debug information of one ELF file: a vmlinux, a module, or what was stripped off one. Read as
 * far as it is asked for: of a vmlinux of 500 MB, the symbols and the units of the functions.
 */
struct kmt_debug_info;

#define KMT_BUILD_ID_HEX_BYTES 129 /* of 64 bytes; 20 are usual */

/**
 * kmt_debug_info_open() - look what a file is
 * @path: .ko.xz and the like as far as libdw reads them
 *
 * Return: 0; -EBADMSG if it is no ELF file, with words; other negative errno.
 */
int kmt_debug_info_open(const char *path, struct kmt_debug_info **ret_info, struct kmt_err *err);
struct kmt_debug_info *kmt_debug_info_free(struct kmt_debug_info *info);

/* Hexadecimal; "": it has none. */
const char *kmt_debug_info_build_id(const struct kmt_debug_info *info);

/* Can it have lines, or was it stripped? */
bool kmt_debug_info_has_lines(struct kmt_debug_info *info);

/**
 * kmt_debug_info_find() - as kmt_lines_find()
 * @is_same_build: the build-ids are the same; else the size has to be right
 * @ret_text: on the heap
 */
int kmt_debug_info_find(struct kmt_debug_info *info, const struct kmt_lines_place *place,
			bool is_same_build, char **ret_text);

KMT_DEFINE_FREEP(struct kmt_debug_info *, kmt_debug_info_free)

#endif
