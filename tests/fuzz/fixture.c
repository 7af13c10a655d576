// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>

#include "kmemtape/fs.h"

#include "fuzz.h"

char *fuzz_read_fixture(const char *path, size_t *ret_bytes)
{
	const char *tests = getenv("KMT_TESTS");
	struct kmt_err err = { "" };
	char name[4096];
	char *text;

	if (!tests) {
		fprintf(stderr, "set KMT_TESTS to the directory tests/ of the source tree\n");
		exit(2);
	}
	(void)snprintf(name, sizeof(name), "%s/%s", tests, path);
	if (kmt_read_file(AT_FDCWD, name, 1 << 20, &text, ret_bytes, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(2);
	}
	return text;
}
