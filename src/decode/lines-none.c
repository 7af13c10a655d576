// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "kmemtape/lines.h"

int kmt_lines_new(const struct kmt_lines_options *options, struct kmt_lines **ret_lines,
		  struct kmt_err *err)
{
	return kmt_fail(err, -ENOTSUP,
			"no source lines: this kmemtape was built without 'lines' (libdw)");
}

struct kmt_lines *kmt_lines_free(struct kmt_lines *lines)
{
	return NULL;
}

int kmt_lines_find(struct kmt_lines *lines, const struct kmt_lines_place *place,
		   const char **ret_text)
{
	*ret_text = NULL;
	return 0;
}

const char *kmt_lines_note(const struct kmt_lines *lines, size_t nr)
{
	return NULL;
}
