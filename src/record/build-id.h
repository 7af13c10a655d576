/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_BUILD_ID_H
#define KMT_RECORD_BUILD_ID_H

#include <stddef.h>

#include "kmemtape/err.h"

#define KMT_BUILD_ID_HEX_BYTES 65 /* 20 bytes are usual, 32 the most (SHA-256) */

/**
 * kmt_build_id_find() - the GNU build-id among ELF notes
 * @notes: as /sys/kernel/notes has them: this machine's byte order, padded to 4 bytes
 *
 * Return: 0; -ENOENT if there is none.
 */
int kmt_build_id_find(const void *notes, size_t bytes, char ret_hex[KMT_BUILD_ID_HEX_BYTES]);

/* Of a loaded module, from sysfs. Never allocates. Return: 0 or negative errno. */
int kmt_build_id_of_module(const char *module, char ret_hex[KMT_BUILD_ID_HEX_BYTES]);

/* kmt_build_id_capture() - symbols/build-ids: kernel and all modules loaded now */
int kmt_build_id_capture(int tape_fd, struct kmt_err *err);

#endif
