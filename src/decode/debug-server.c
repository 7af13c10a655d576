// SPDX-License-Identifier: LGPL-2.1-only
#include <dlfcn.h>
#include <elfutils/debuginfod.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "debug-server.h"
#include "kmemtape/units.h"

#define SILENCE_S     30u
#define SILENCE_S_MAX 3600u
#define ALIVE_BYTES_MIN                                                          \
	1024 /* the library counts its turns instead, until a server sends bytes \
	      */

struct kmt_debug_server {
	void *library;
	debuginfod_client *client;
	__typeof__(&debuginfod_end) end;
	__typeof__(&debuginfod_find_debuginfo) find_debuginfo;
	__typeof__(&debuginfod_get_user_data) get_user_data;
	uint64_t silence_s; /* how long to bear it */
	time_t heard_s;	    /* of the last bytes */
	long bytes;
	bool is_silent;
};

/* Of the library, once it is loaded: what it calls back gets no other context. */
static __typeof__(&debuginfod_get_user_data) get_user_data;

static time_t now_s(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC, &now) == 0 ? now.tv_sec : 0;
}

/* Called about every second. Return: not 0 to give up. */
static int note_progress(debuginfod_client *client, long done, long all)
{
	struct kmt_debug_server *server = get_user_data(client);
	time_t now = now_s();

	if (done - server->bytes >= ALIVE_BYTES_MIN || done < server->bytes ||
	    (all > 0 && done > server->bytes)) {
		server->bytes = done;
		server->heard_s = now;
	}
	if ((uint64_t)(now - server->heard_s) >= server->silence_s)
		server->is_silent = true;
	return server->is_silent;
}

static void read_silence(struct kmt_debug_server *server)
{
	const char *text = getenv(DEBUGINFOD_TIMEOUT_ENV_VAR);
	uint64_t s;

	server->silence_s = SILENCE_S;
	if (text && kmt_parse_uint(text, &s) == 0 && s > 0 && s < SILENCE_S_MAX)
		server->silence_s = s;
}

/*
 * Loaded when it is needed, as libdw does it: it brings a whole HTTP client along, which a recorder
 * should not have to carry.
 */
static int load(struct kmt_debug_server *server, struct kmt_err *err)
{
	__typeof__(&debuginfod_begin) begin;
	__typeof__(&debuginfod_set_progressfn) set_progress;
	__typeof__(&debuginfod_set_user_data) set_user_data;

	server->library = dlopen(DEBUGINFOD_SONAME, RTLD_LAZY | RTLD_LOCAL);
	if (!server->library)
		return kmt_fail(err, -ENOSYS, "DEBUGINFOD_URLS is set, but %s is not installed",
				DEBUGINFOD_SONAME);
	begin = (__typeof__(begin))dlsym(server->library, "debuginfod_begin");
	set_progress =
		(__typeof__(set_progress))dlsym(server->library, "debuginfod_set_progressfn");
	set_user_data =
		(__typeof__(set_user_data))dlsym(server->library, "debuginfod_set_user_data");
	server->end = (__typeof__(server->end))dlsym(server->library, "debuginfod_end");
	server->find_debuginfo = (__typeof__(server->find_debuginfo))dlsym(
		server->library, "debuginfod_find_debuginfo");
	get_user_data =
		(__typeof__(get_user_data))dlsym(server->library, "debuginfod_get_user_data");
	if (!begin || !set_progress || !set_user_data || !get_user_data || !server->end ||
	    !server->find_debuginfo)
		return kmt_fail(err, -ENOSYS, "DEBUGINFOD_URLS is set, but %s is too old",
				DEBUGINFOD_SONAME);
	server->client = begin();
	if (!server->client)
		return kmt_fail(err, -ENOMEM, "debuginfod: out of memory");
	set_user_data(server->client, server);
	set_progress(server->client, note_progress);
	return 0;
}

int kmt_debug_server_new(struct kmt_debug_server **ret_server, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_debug_server_freep) struct kmt_debug_server *server = NULL;
	const char *urls = getenv(DEBUGINFOD_URLS_ENV_VAR);
	int r;

	if (!urls || !*urls)
		return kmt_fail(err, -ENOTSUP, "DEBUGINFOD_URLS is not set");
	server = calloc(1, sizeof(*server));
	if (!server)
		return kmt_fail(err, -ENOMEM, "out of memory");
	read_silence(server);
	r = load(server, err);
	if (r == 0)
		*ret_server = KMT_STEAL(server);
	return r;
}

struct kmt_debug_server *kmt_debug_server_free(struct kmt_debug_server *server)
{
	if (!server)
		return NULL;
	if (server->client)
		server->end(server->client);
	/* The library stays: what it brought along has its own threads and exit handlers. */
	free(server);
	return NULL;
}

int kmt_debug_server_fetch(struct kmt_debug_server *server, const char *build_id, char **ret_path,
			   struct kmt_err *err)
{
	char *path = NULL;
	int fd;

	if (server->is_silent)
		return kmt_fail(err, -ETIMEDOUT, "debuginfod did not answer");
	server->heard_s = now_s();
	server->bytes = 0;
	fd = server->find_debuginfo(server->client, (const unsigned char *)build_id, 0, &path);
	if (fd < 0) {
		free(path);
		if (server->is_silent)
			return kmt_fail(err, -ETIMEDOUT, "debuginfod did not answer for %llu s",
					(unsigned long long)server->silence_s);
		return fd == -ENOENT ? kmt_fail(err, fd, "debuginfod has none")
				     : kmt_fail(err, fd, "debuginfod: %s", strerror(-fd));
	}
	kmt_close_fd(&fd);
	*ret_path = path;
	return 0;
}
