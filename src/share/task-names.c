// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/names.h"
#include "kmemtape/units.h"

#include "task-names.h"

struct task {
	int32_t pid; /* 0: free slot */
	uint64_t time_ns;
	const char *name; /* interned */
};

/* Open addressing; as large as there are tasks, however often they are renamed. */
struct kmt_task_names {
	struct kmt_names *texts;
	struct task *slots;
	size_t nr, mask;
};

#define FIRST_SLOTS 1024u
#define TASKS_MAX   (1u << 20) /* more have no names: a tape may make up any number */

int kmt_task_names_new(struct kmt_task_names **ret_names, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_task_names_freep) struct kmt_task_names *names = calloc(1, sizeof(*names));

	if (names)
		names->slots = calloc(FIRST_SLOTS, sizeof(*names->slots));
	if (!names || !names->slots)
		return kmt_fail(err, -ENOMEM, "out of memory");
	names->mask = FIRST_SLOTS - 1;
	if (kmt_names_new(&names->texts, err) < 0)
		return -ENOMEM;
	*ret_names = KMT_STEAL(names);
	return 0;
}

struct kmt_task_names *kmt_task_names_free(struct kmt_task_names *names)
{
	if (!names)
		return NULL;
	(void)kmt_names_free(names->texts);
	free(names->slots);
	free(names);
	return NULL;
}

static struct task *find(struct task *slots, size_t mask, int32_t pid)
{
	size_t i = (uint32_t)pid * UINT32_C(0x9e3779b1) >> 4 & mask;

	while (slots[i].pid && slots[i].pid != pid)
		i = (i + 1) & mask;
	return &slots[i];
}

static int grow(struct kmt_task_names *names)
{
	size_t mask = names->mask * 2 + 1;
	struct task *slots = calloc(mask + 1, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i <= names->mask; i++)
		if (names->slots[i].pid)
			*find(slots, mask, names->slots[i].pid) = names->slots[i];
	free(names->slots);
	names->slots = slots;
	names->mask = mask;
	return 0;
}

int kmt_task_names_note(struct kmt_task_names *names, const struct kmt_event *event)
{
	struct task *task;
	const char *name;

	if (event->pid <= 0 || !event->text)
		return 0;
	if (names->nr >= names->mask / 2 && grow(names) < 0)
		return -ENOMEM;
	task = find(names->slots, names->mask, event->pid);
	if (task->pid ? task->time_ns > event->time_ns : names->nr == TASKS_MAX)
		return 0;
	name = kmt_names_intern(names->texts, event->text, strlen(event->text));
	if (!name)
		return -ENOMEM;
	names->nr += !task->pid;
	*task = (struct task){ event->pid, event->time_ns, name };
	return 0;
}

/* Lines "PID<tab>NAME" of tasks that nothing was noted of. */
static void put_others(const struct kmt_task_names *names, const char *text, FILE *file)
{
	while (*text) {
		size_t bytes = strcspn(text, "\n");
		long pid = strtol(text, NULL, 10);

		if (pid <= 0 || pid > INT32_MAX ||
		    !find(names->slots, names->mask, (int32_t)pid)->pid)
			fprintf(file, "%.*s\n", (int)bytes, text);
		text += bytes;
		text += *text == '\n';
	}
}

static void put_noted(const struct kmt_task_names *names, FILE *file)
{
	char safe[4 * KMT_NAME_BYTES_MAX + 1];

	for (size_t i = 0; i <= names->mask; i++)
		if (names->slots[i].pid)
			fprintf(file, "%" PRId32 "\t%s\n", names->slots[i].pid,
				kmt_escape(safe, sizeof(safe), names->slots[i].name));
}

int kmt_task_names_write(const struct kmt_task_names *names, const struct kmt_tape *tape, int dirfd,
			 struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL, *old = NULL;
	size_t bytes = 0, old_bytes;
	FILE *file = open_memstream(&text, &bytes);

	if (!file)
		return kmt_fail(err, -ENOMEM, "comms: out of memory");
	if (kmt_tape_read_text(tape, "comms", &old, &old_bytes, NULL) == 0)
		put_others(names, old, file);
	put_noted(names, file);
	if (fclose(file) != 0)
		return kmt_fail(err, -ENOMEM, "comms: out of memory");
	return bytes ? kmt_tape_write_text(dirfd, "comms", text, bytes, err) : 0;
}
