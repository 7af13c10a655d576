/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DECODE_DEBUG_SERVER_H
#define KMT_DECODE_DEBUG_SERVER_H

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * Debug information from the servers in DEBUGINFOD_URLS, by build-id. Without that variable nothing
 * is asked, and not even the client library is loaded.
 */
struct kmt_debug_server;

/* Return: 0; -ENOTSUP if the user has set none; -ENOSYS if the client library isn't there, or this
 * build knows none; -ENOMEM. */
int kmt_debug_server_new(struct kmt_debug_server **ret_server, struct kmt_err *err);
struct kmt_debug_server *kmt_debug_server_free(struct kmt_debug_server *server);

/**
 * kmt_debug_server_fetch() - a file into the user's cache
 * @ret_path: on the heap
 *
 * A server that says nothing for DEBUGINFOD_TIMEOUT seconds (30) is not waited for, and none is
 * asked again.
 *
 * Return: 0; negative errno with words.
 */
int kmt_debug_server_fetch(struct kmt_debug_server *server, const char *build_id, char **ret_path,
			   struct kmt_err *err);

KMT_DEFINE_FREEP(struct kmt_debug_server *, kmt_debug_server_free)

#endif
