// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "tar-file.h"

#define BLOCK_BYTES 512u

/* POSIX.1-1988, "ustar" */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[6], version[2], owner[32], group[32], major[8], minor[8], prefix[155], rest[12];
};

static_assert(sizeof(struct header) == BLOCK_BYTES, "a block");

/* Zeros. Return: their begin */
static uint8_t *grow(struct tar_file *tar, size_t more)
{
	if (tar->room - tar->size < more) {
		tar->room = 2 * (tar->size + more);
		tar->bytes = realloc(tar->bytes, tar->room);
		MUST(tar->bytes);
	}
	memset(tar->bytes + tar->size, 0, more);
	tar->size += more;
	return tar->bytes + tar->size - more;
}

void tar_file_add(struct tar_file *tar, const char *path, const void *bytes, size_t size)
{
	size_t padded = (size + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
	struct header header = { .type = '0', .magic = "ustar", .version = { '0', '0' } };
	unsigned int sum = 0;
	uint8_t *at = grow(tar, sizeof(header) + padded);

	(void)snprintf(header.name, sizeof(header.name), "%s", path);
	(void)snprintf(header.mode, sizeof(header.mode), "0000600");
	(void)snprintf(header.size, sizeof(header.size), "%011zo", size);
	memset(header.sum, ' ', sizeof(header.sum));
	for (size_t i = 0; i < sizeof(header); i++)
		sum += ((const uint8_t *)&header)[i];
	(void)snprintf(header.sum, sizeof(header.sum), "%06o", sum);
	memcpy(at, &header, sizeof(header));
	if (size)
		memcpy(at + sizeof(header), bytes, size);
}

void tar_file_close(struct tar_file *tar)
{
	(void)grow(tar, (size_t)2 * BLOCK_BYTES);
}
