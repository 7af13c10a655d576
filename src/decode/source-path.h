/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DECODE_SOURCE_PATH_H
#define KMT_DECODE_SOURCE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Names of source files: the compiler wrote down those of the machine that built the kernel. */
#define KMT_SOURCE_PATH_BYTES 1024

/**
 * kmt_source_path_join() - @name in @dir, without "." and ".."
 * @dir: NULL: none; not used if @name is absolute
 */
void kmt_source_path_join(char path[KMT_SOURCE_PATH_BYTES], const char *dir, const char *name);

/* Is @path below @dir? Then what is below it; else NULL. Both as kmt_source_path_join() makes them;
 * nothing is below "". */
const char *kmt_source_path_below(const char *path, const char *dir);

/* Cuts @dir to the directory that it and @path's have in common; "" if that is the root. */
void kmt_source_path_common(char dir[KMT_SOURCE_PATH_BYTES], const char *path);

/**
 * kmt_source_path_root() - the source tree of the kernel, as seen from a header
 * @path: of any file
 *
 * Return: true if @path is one that every part of the kernel uses, with the tree in @ret_root.
 */
bool kmt_source_path_root(const char *path, char ret_root[KMT_SOURCE_PATH_BYTES]);

#endif
