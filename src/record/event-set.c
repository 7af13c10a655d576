// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "event-set.h"
#include "filter-text.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/tape.h"
#include "privileges.h"
#include "tracefs-dir.h"

#define PATH_BYTES 128

struct candidate {
	const char *name;
	enum kmt_event_role role;
	unsigned int set; /* enum kmt_record_set; 0 names */
	bool is_required;
	const char *field; /* without which it is of no use; NULL */
};

static const struct candidate candidates[] = {
	{ "kmem/kfree", KMT_ROLE_FREE, KMT_RECORD_SLAB, true },
	{ "kmem/kmem_cache_free", KMT_ROLE_FREE, KMT_RECORD_SLAB, true },
	/* mm_page_free_batched comes in addition to it, and says nothing that it doesn't */
	/* 9fdd8a875c6f (v4.1): before, both tell the address of a struct page, and not which page
	 */
	{ "kmem/mm_page_free", KMT_ROLE_FREE, KMT_RECORD_PAGE, true, "pfn" },
	{ "percpu/percpu_free_percpu", KMT_ROLE_FREE, KMT_RECORD_PERCPU, true },
	{ "vmalloc/free_vmap_area_noflush", KMT_ROLE_FREE, KMT_RECORD_VMALLOC, true },
	{ "task/task_newtask", KMT_ROLE_NAMES, 0, false },
	{ "task/task_rename", KMT_ROLE_NAMES, 0, false },
	{ "module/module_load", KMT_ROLE_NAMES, 0, false },
	{ "module/module_free", KMT_ROLE_NAMES, 0, false },
	{ "kmem/kmalloc", KMT_ROLE_ALLOC, KMT_RECORD_SLAB, true },
	{ "kmem/kmem_cache_alloc", KMT_ROLE_ALLOC, KMT_RECORD_SLAB, true },
	/* 11e9734bcb6a (v6.1) dropped both: bind by presence */
	{ "kmem/kmalloc_node", KMT_ROLE_ALLOC, KMT_RECORD_SLAB, false },
	{ "kmem/kmem_cache_alloc_node", KMT_ROLE_ALLOC, KMT_RECORD_SLAB, false },
	{ "kmem/mm_page_alloc", KMT_ROLE_ALLOC, KMT_RECORD_PAGE, true, "pfn" },
	{ "percpu/percpu_alloc_percpu", KMT_ROLE_ALLOC, KMT_RECORD_PERCPU, true },
	{ "vmalloc/alloc_vmap_area", KMT_ROLE_ALLOC, KMT_RECORD_VMALLOC, true },
	/* Probes, by their names on the tape: made elsewhere */
	{ "kmemtape/rcu_free", KMT_ROLE_FREE, KMT_RECORD_SLAB, false },
	{ "kmemtape/rcu_free_nolock", KMT_ROLE_FREE, KMT_RECORD_SLAB, false },
	{ "kmemtape/bulk_free", KMT_ROLE_FREE, KMT_RECORD_SLAB, false },
	{ "kmemtape/bulk_free_more", KMT_ROLE_FREE, KMT_RECORD_SLAB, false },
	{ "kmemtape/vma_new", KMT_ROLE_ALLOC, KMT_RECORD_VMALLOC, false },
	{ "kmemtape/vma_del", KMT_ROLE_FREE, KMT_RECORD_VMALLOC, false },
};

#define NR_CANDIDATES (sizeof(candidates) / sizeof(candidates[0]))

void kmt_event_set_add(struct kmt_event_set *events, const char *name, const char *tape_name,
		       enum kmt_event_role role)
{
	assert(events->nr < KMT_EVENT_SET_MAX);
	events->names[events->nr] = name;
	events->tape_names[events->nr] = tape_name;
	events->roles[events->nr++] = role;
}

unsigned int kmt_event_set_of(const char *tape_name)
{
	for (size_t i = 0; i < NR_CANDIDATES; i++)
		if (strcmp(candidates[i].name, tape_name) == 0)
			return candidates[i].set;
	return 0;
}

const char *kmt_event_set_word(unsigned int set)
{
	switch (set) {
	case KMT_RECORD_SLAB:
		return "slab";
	case KMT_RECORD_PAGE:
		return "page";
	case KMT_RECORD_PERCPU:
		return "percpu";
	default:
		return "vmalloc";
	}
}

static bool is_probe(const struct candidate *event)
{
	return strncmp(event->name, "kmemtape/", strlen("kmemtape/")) == 0;
}

static int check_field(const struct candidate *event, int instance_fd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *format = NULL;
	char path[PATH_BYTES];
	int r;

	if (!event->field)
		return 0;
	(void)snprintf(path, sizeof(path), "events/%s/format", event->name);
	r = kmt_privileges_read_file(instance_fd, path, KMT_TAPE_TEXT_BYTES_MAX, &format, NULL,
				     err);
	if (r < 0 || kmt_filter_has_field(format, event->field))
		return r;
	return kmt_fail(err, -ENOTSUP,
			"events/%s: this kernel's event has no field '%s': %s memory can't be "
			"recorded on it",
			event->name, event->field, kmt_event_set_word(event->set));
}

static int add_all(struct kmt_event_set *events, int instance_fd, unsigned int set,
		   struct kmt_err *err)
{
	char path[PATH_BYTES];
	int r;

	for (size_t i = 0; i < NR_CANDIDATES; i++) {
		const struct candidate *event = &candidates[i];

		if (event->set != set || is_probe(event))
			continue;
		(void)snprintf(path, sizeof(path), "events/%s/enable", event->name);
		r = kmt_privileges_find(instance_fd, path);
		if (r < 0) {
			if (r != -ENOENT)
				return kmt_tracefs_fail(err, r, path);
			if (event->is_required)
				return kmt_fail(err, -ENOTSUP,
						"events/%s: this kernel doesn't have this event: "
						"%s memory can't be recorded on it",
						event->name, kmt_event_set_word(set));
			continue;
		}
		r = check_field(event, instance_fd, err);
		if (r < 0)
			return r;
		kmt_event_set_add(events, event->name, event->name, event->role);
	}
	return 0;
}

int kmt_event_set_add_set(struct kmt_event_set *events, int instance_fd, unsigned int set,
			  struct kmt_err *err)
{
	size_t nr = events->nr;
	int r = add_all(events, instance_fd, set, err);

	if (r < 0)
		events->nr = nr;
	return r;
}

int kmt_event_set_add_names(struct kmt_event_set *events, int instance_fd, struct kmt_err *err)
{
	return add_all(events, instance_fd, 0, err);
}

static int copy_file(int instance_fd, int tape_fd, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int r;

	r = kmt_privileges_read_file(instance_fd, path, KMT_TAPE_TEXT_BYTES_MAX, &text, &bytes,
				     err);
	if (r < 0)
		return r;
	return kmt_tape_write_text(tape_fd, path, text, bytes, err);
}

static int copy_format(const struct kmt_event_set *events, size_t i, int instance_fd, int tape_fd,
		       struct kmt_padding *padding, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char path[PATH_BYTES];
	size_t bytes;
	int r;

	(void)snprintf(path, sizeof(path), "events/%s/format", events->names[i]);
	r = kmt_privileges_read_file(instance_fd, path, KMT_TAPE_TEXT_BYTES_MAX, &text, &bytes,
				     err);
	if (r < 0)
		return r;
	(void)kmt_padding_add(padding, text, events->roles[i] != KMT_ROLE_STACK);
	(void)snprintf(path, sizeof(path), "events/%s/format", events->tape_names[i]);
	return kmt_tape_write_text(tape_fd, path, text, bytes, err);
}

int kmt_event_set_capture(const struct kmt_event_set *events, int instance_fd, int tape_fd,
			  struct kmt_padding *padding, struct kmt_err *err)
{
	static const char *const headers[] = { "events/header_page", "events/header_event" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < events->nr; i++)
		r = copy_format(events, i, instance_fd, tape_fd, padding, err);
	for (size_t i = 0; r == 0 && i < sizeof(headers) / sizeof(headers[0]); i++)
		r = copy_file(instance_fd, tape_fd, headers[i], err);
	return r;
}

/* Return: the first failure, or 0. */
static int switch_some(const struct kmt_event_set *events, int instance_fd,
		       enum kmt_event_role role, bool has_stack, bool is_on, struct kmt_err *err)
{
	char path[PATH_BYTES];
	int r = 0;

	for (size_t i = 0; i < events->nr; i++) {
		int r1;

		if (events->roles[i] != role || events->has_stack[i] != has_stack)
			continue;
		(void)snprintf(path, sizeof(path), "events/%s/enable", events->names[i]);
		r1 = kmt_tracefs_write(instance_fd, path, is_on ? "1" : "0");
		if (r1 < 0 && r == 0)
			r = kmt_tracefs_fail(err, r1, path);
	}
	return r;
}

int kmt_event_set_switch(const struct kmt_event_set *events, int instance_fd,
			 enum kmt_event_role role, bool is_on, struct kmt_err *err)
{
	struct kmt_err later;
	int r, r1;

	r = switch_some(events, instance_fd, role, is_on, is_on, err);
	r1 = switch_some(events, instance_fd, role, !is_on, is_on, r < 0 ? &later : err);
	return r < 0 ? r : r1;
}
