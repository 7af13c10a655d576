// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "event-set.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/fs.h"
#include "kmemtape/tape.h"
#include "tracefs-dir.h"

#define PATH_BYTES 128

struct candidate {
	const char *name;
	enum kmt_event_role role;
	bool is_required;
};

static const struct candidate slab_events[] = {
	{ "kmem/kfree", KMT_ROLE_FREE, true },
	{ "kmem/kmem_cache_free", KMT_ROLE_FREE, true },
	{ "task/task_newtask", KMT_ROLE_NAMES, false },
	{ "task/task_rename", KMT_ROLE_NAMES, false },
	{ "module/module_load", KMT_ROLE_NAMES, false },
	{ "module/module_free", KMT_ROLE_NAMES, false },
	{ "kmem/kmalloc", KMT_ROLE_ALLOC, true },
	{ "kmem/kmem_cache_alloc", KMT_ROLE_ALLOC, true },
	/* 11e9734bcb6a (v6.1) dropped both: bind by presence */
	{ "kmem/kmalloc_node", KMT_ROLE_ALLOC, false },
	{ "kmem/kmem_cache_alloc_node", KMT_ROLE_ALLOC, false },
};

void kmt_event_set_add(struct kmt_event_set *events, const char *name, const char *tape_name,
		       enum kmt_event_role role)
{
	assert(events->nr < KMT_EVENT_SET_MAX);
	events->names[events->nr] = name;
	events->tape_names[events->nr] = tape_name;
	events->roles[events->nr++] = role;
}

int kmt_event_set_choose(int instance_fd, unsigned int sets, struct kmt_event_set *ret_events,
			 struct kmt_err *err)
{
	struct kmt_event_set events = { .nr = 0 };
	char path[PATH_BYTES];

	(void)sets;
	for (size_t i = 0; i < sizeof(slab_events) / sizeof(slab_events[0]); i++) {
		const struct candidate *event = &slab_events[i];

		(void)snprintf(path, sizeof(path), "events/%s/enable", event->name);
		if (faccessat(instance_fd, path, W_OK, 0) < 0) {
			if (errno != ENOENT)
				return kmt_tracefs_fail(err, -errno, path);
			if (event->is_required)
				return kmt_fail(err, -ENOTSUP,
						"events/%s: this kernel doesn't have this event: "
						"slab memory can't be recorded on it",
						event->name);
			continue;
		}
		kmt_event_set_add(&events, event->name, event->name, event->role);
	}
	*ret_events = events;
	return 0;
}

static int copy_file(int instance_fd, const char *path, int tape_fd, const char *tape_path,
		     struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int r;

	r = kmt_read_file(instance_fd, path, KMT_TAPE_TEXT_BYTES_MAX, &text, &bytes, err);
	if (r < 0)
		return r;
	return kmt_tape_write_text(tape_fd, tape_path, text, bytes, err);
}

int kmt_event_set_capture(const struct kmt_event_set *events, int instance_fd, int tape_fd,
			  struct kmt_err *err)
{
	static const char *const headers[] = { "events/header_page", "events/header_event" };
	char path[PATH_BYTES], tape_path[PATH_BYTES];
	int r = 0;

	for (size_t i = 0; r == 0 && i < events->nr; i++) {
		(void)snprintf(path, sizeof(path), "events/%s/format", events->names[i]);
		(void)snprintf(tape_path, sizeof(tape_path), "events/%s/format",
			       events->tape_names[i]);
		r = copy_file(instance_fd, path, tape_fd, tape_path, err);
	}
	for (size_t i = 0; r == 0 && i < sizeof(headers) / sizeof(headers[0]); i++)
		r = copy_file(instance_fd, headers[i], tape_fd, headers[i], err);
	return r;
}

int kmt_event_set_switch(const struct kmt_event_set *events, int instance_fd,
			 enum kmt_event_role role, bool is_on, struct kmt_err *err)
{
	char path[PATH_BYTES];
	int r = 0;

	for (size_t i = 0; i < events->nr; i++) {
		int r1;

		if (events->roles[i] != role)
			continue;
		(void)snprintf(path, sizeof(path), "events/%s/enable", events->names[i]);
		r1 = kmt_tracefs_write(instance_fd, path, is_on ? "1" : "0");
		if (r1 < 0 && r == 0)
			r = kmt_tracefs_fail(err, r1, path);
	}
	return r;
}
