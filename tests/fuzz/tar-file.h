/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_TAR_FILE_H
#define KMT_TESTS_TAR_FILE_H

#include <stddef.h>
#include <stdint.h>

/* A tar file in memory: members of less than 100 bytes of name. */
struct tar_file {
	uint8_t *bytes; /* on the heap, of whoever made it; NULL as long as it is empty */
	size_t size, room;
};

void tar_file_add(struct tar_file *tar, const char *path, const void *bytes, size_t size);

/* Two blocks of zeros. */
void tar_file_close(struct tar_file *tar);

#endif
