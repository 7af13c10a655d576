// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conditions.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/tape.h"
#include "note.h"
#include "privileges.h"
#include "tracefs-dir.h"

#define PATH_BYTES 128
#define TEXT_BYTES 1024 /* the kernel takes a page */
#define STACK	   "ftrace/kernel_stack"

/* One event while its conditions are made. */
struct subject {
	const struct kmt_conditions *conditions;
	const char *name, *tape_name; /* in the instance, and on the tape */
	enum kmt_event_role role;
	unsigned int set;
	const char *format; /* text of its format file */
	struct kmt_manifest *manifest;
	const struct kmt_record_listener *listener;
};

static bool has_field(const struct subject *subject, const char *field)
{
	return kmt_filter_has_field(subject->format, field);
}

uint64_t kmt_conditions_slab_mask(uint64_t sample, uint32_t page_bytes)
{
	return (sample - 1) * page_bytes;
}

/* "!(ptr & 0x7000)", or "" if the event is not sampled. */
static void sample_text(const struct subject *subject, char text[TEXT_BYTES])
{
	const struct kmt_conditions *conditions = subject->conditions;
	uint64_t mask = kmt_conditions_slab_mask(conditions->sample, conditions->page_bytes);

	*text = '\0';
	if (conditions->sample <= 1)
		return;
	if (subject->set == KMT_RECORD_SLAB && has_field(subject, "ptr")) {
		/* Frees of no object, NULL and ZERO_SIZE_PTR, have none of the bits. */
		(void)snprintf(text, TEXT_BYTES, "!(ptr & 0x%" PRIx64 ")%s", mask,
			       subject->role == KMT_ROLE_FREE ? " && ptr != 0 && ptr != 16" : "");
		return;
	}
	if (subject->set == KMT_RECORD_PAGE && subject->role == KMT_ROLE_ALLOC)
		(void)snprintf(text, TEXT_BYTES, "!(pfn & 0x%" PRIx64 ")", conditions->sample - 1);
}

static int add_to_manifest(const struct subject *subject, const char *text, struct kmt_err *err)
{
	char event[KMT_PROBE_NAME_BYTES];

	(void)snprintf(event, sizeof(event), "%s", subject->tape_name);
	*strchr(event, '/') = ':';
	if (kmt_manifest_add_filter(subject->manifest, event, text) < 0)
		return kmt_fail(err, -ENOMEM, "manifest: out of memory");
	return 0;
}

/* What was asked of allocations, behind the sample's condition in @text. */
static int add_filter(const struct subject *subject, char text[TEXT_BYTES], struct kmt_err *err)
{
	char asked[KMT_MANIFEST_TEXT_BYTES];
	size_t used = strlen(text);
	int r;

	if (subject->role != KMT_ROLE_ALLOC)
		return 0;
	r = kmt_filter_text(subject->conditions->filter, subject->tape_name, subject->set,
			    subject->format, asked, err);
	if (r < 0 || !*asked)
		return r;
	(void)snprintf(text + used, TEXT_BYTES - used, "%s%s", used ? " && " : "", asked);
	return add_to_manifest(subject, asked, err);
}

static int set_filter(const struct subject *subject, const char *text, struct kmt_err *err)
{
	char path[PATH_BYTES];
	int r;

	if (!*text)
		return 0;
	(void)snprintf(path, sizeof(path), "events/%s/filter", subject->name);
	r = kmt_tracefs_write(subject->conditions->instance_fd, path, text);
	if (r == -EINVAL || r == -ENOENT)
		return kmt_fail(err, -ENOTSUP, "%s: this kernel doesn't take '%s'", path, text);
	return r < 0 ? kmt_tracefs_fail(err, r, path) : 0;
}

static bool wants_stack(const struct subject *subject)
{
	if (subject->role != KMT_ROLE_ALLOC)
		return false;
	switch (subject->conditions->stacks) {
	case KMT_RECORD_STACKS_ALL:
		return true;
	case KMT_RECORD_STACKS_NONE:
		return false;
	default: /* What the event doesn't tell: of pages never, of per-CPU memory since 5.19, of
		    the return of a probed function always. */
		return !has_field(subject, "call_site") && !has_field(subject, "caller") &&
		       !has_field(subject, "__probe_ret_ip");
	}
}

/* A trigger doesn't obey the event's filter: it needs the same condition. */
static int set_trigger(const struct subject *subject, const char *condition, struct kmt_err *err)
{
	char path[PATH_BYTES], text[TEXT_BYTES + 16];
	int r;

	(void)snprintf(path, sizeof(path), "events/%s/trigger", subject->name);
	(void)snprintf(text, sizeof(text), "stacktrace%s%s", *condition ? " if " : "", condition);
	r = kmt_tracefs_write(subject->conditions->instance_fd, path, text);
	if (r == -EINVAL || r == -ENOENT)
		return kmt_fail(err, -ENOTSUP, "%s: this kernel doesn't take '%s'", path, text);
	return r < 0 ? kmt_tracefs_fail(err, r, path) : 0;
}

/* Return: 1 if it has a stack, 0, or negative errno. */
static int set_one(struct subject *subject, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *format = NULL;
	char path[PATH_BYTES], text[TEXT_BYTES];
	int r;

	(void)snprintf(path, sizeof(path), "events/%s/format", subject->name);
	r = kmt_privileges_read_file(subject->conditions->instance_fd, path,
				     KMT_TAPE_TEXT_BYTES_MAX, &format, NULL, err);
	if (r < 0)
		return r;
	subject->format = format;
	sample_text(subject, text);
	r = add_filter(subject, text, err);
	if (r == 0)
		r = set_filter(subject, text, err);
	if (r < 0 || !wants_stack(subject))
		return r;
	r = set_trigger(subject, text, err);
	if (r == -ENOTSUP && subject->conditions->stacks == KMT_RECORD_STACKS_NEEDED) {
		kmt_note(subject->listener, "no stacks: %s", err->text);
		return 0; /* nobody asked for them */
	}
	return r < 0 ? r : 1;
}

static void note_set(char sets[KMT_MANIFEST_TEXT_BYTES], unsigned int set)
{
	size_t used = strlen(sets);

	if (set && !strstr(sets, kmt_event_set_word(set)))
		(void)snprintf(sets + used, KMT_MANIFEST_TEXT_BYTES - used, "%s%s", used ? "," : "",
			       kmt_event_set_word(set));
}

static int describe_sample(const struct kmt_conditions *conditions,
			   const struct kmt_event_set *events, struct kmt_manifest *manifest,
			   struct kmt_err *err)
{
	unsigned int sets = 0;

	if (conditions->sample <= 1)
		return 0;
	for (size_t i = 0; i < events->nr; i++)
		sets |= kmt_event_set_of(events->tape_names[i]);
	if (sets & KMT_RECORD_SLAB)
		manifest->sample_mask =
			kmt_conditions_slab_mask(conditions->sample, conditions->page_bytes);
	if (sets & KMT_RECORD_PAGE)
		manifest->sample_page_mask = conditions->sample - 1;
	if (!manifest->sample_mask && !manifest->sample_page_mask)
		return kmt_fail(err, -EINVAL,
				"--sample: only slab memory and pages can be sampled, and neither "
				"is recorded: leave it out");
	manifest->sample = conditions->sample;
	return 0;
}

int kmt_conditions_set(const struct kmt_conditions *conditions, struct kmt_event_set *events,
		       struct kmt_manifest *manifest, const struct kmt_record_listener *listener,
		       struct kmt_err *err)
{
	bool has_stacks = false;
	int r = describe_sample(conditions, events, manifest, err);

	for (size_t i = 0; r >= 0 && i < events->nr; i++) {
		struct subject subject = {
			.conditions = conditions,
			.name = events->names[i],
			.tape_name = events->tape_names[i],
			.role = events->roles[i],
			.set = kmt_event_set_of(events->tape_names[i]),
			.manifest = manifest,
			.listener = listener,
		};

		r = set_one(&subject, err);
		if (r != 1)
			continue;
		events->has_stack[i] = has_stacks = true;
		note_set(manifest->stacks, subject.set);
	}
	if (r >= 0 && has_stacks)
		kmt_event_set_add(events, STACK, STACK, KMT_ROLE_STACK);
	return r < 0 ? r : 0;
}

void kmt_conditions_drop_stacks(int instance_fd, struct kmt_event_set *events)
{
	char path[PATH_BYTES];

	for (size_t i = 0; i < events->nr; i++) {
		if (!events->has_stack[i])
			continue;
		(void)snprintf(path, sizeof(path), "events/%s/trigger", events->names[i]);
		(void)kmt_tracefs_write(instance_fd, path, "!stacktrace");
		events->has_stack[i] = false;
	}
}
