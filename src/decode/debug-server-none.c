// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "debug-server.h"

int kmt_debug_server_new(struct kmt_debug_server **ret_server, struct kmt_err *err)
{
	return kmt_fail(err, -ENOSYS, "this build asks no debuginfod");
}

struct kmt_debug_server *kmt_debug_server_free(struct kmt_debug_server *server)
{
	return NULL;
}

int kmt_debug_server_fetch(struct kmt_debug_server *server, const char *build_id, char **ret_path,
			   struct kmt_err *err)
{
	return kmt_fail(err, -ENOSYS, "this build asks no debuginfod");
}
