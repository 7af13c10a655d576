// SPDX-License-Identifier: LGPL-2.1-only
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/chunk.h"

#include "rebuild.h"

#define USUAL_PAGE_BYTES 4096u
#define EVENTS_MAX	 256u /* of a tape: a hundred is many */

/* "field: local_t commit; offset:8; size:8;": as long as the kernel's long. Return: 0 unknown. */
static uint32_t commit_number(const char *header_page, const char *what)
{
	const char *field = strstr(header_page, " commit;");
	const char *number = field ? strstr(field, what) : NULL;

	return number ? (uint32_t)strtoul(number + strlen(what), NULL, 10) : 0;
}

static int take_word_size(struct kmt_tape *tape, uint32_t *ret_commit_offset, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int r = kmt_tape_read_text(tape, "events/header_page", &text, &bytes, NULL);
	uint32_t long_bytes = r == 0 ? commit_number(text, "size:") : 0;

	if (r == -ENOMEM)
		return kmt_fail(err, r, "out of memory");
	if (long_bytes != 4 && long_bytes != 8)
		return kmt_fail(err, -EBADMSG,
				"%s: neither manifest.json nor events/header_page can be read: "
				"nothing tells how to read the rest",
				tape->path);
	tape->manifest.long_bytes = long_bytes;
	*ret_commit_offset = commit_number(text, "offset:");
	return 0;
}

/* How many bytes of a sub-buffer are used is a small number only in the right byte order. */
static bool is_big_endian(const struct kmt_tape *tape, const uint8_t *subbuf, uint32_t offset)
{
	uint32_t first, second;

	if (offset + 8 > tape->manifest.subbuf_bytes)
		return false;
	memcpy(&first, subbuf + offset, 4);
	memcpy(&second, subbuf + offset + 4, 4);
	if (tape->manifest.long_bytes == 8)
		return first == 0 && second != 0;
	return (le32toh(first) & 0x3fffffff) > tape->manifest.subbuf_bytes;
}

static int take_byte_order(struct kmt_tape *tape, uint32_t commit_offset, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	int r = kmt_chunk_scratch_new(&scratch, err);

	for (size_t i = 0; r == 0 && i < tape->nr_cpus; i++) {
		struct kmt_chunk chunk;

		kmt_chunk_reader_rewind(tape->cpus[i]);
		do {
			r = kmt_chunk_reader_next(tape->cpus[i], scratch, &chunk, NULL);
		} while (r == KMT_CHUNK_IDLE);
		if (r == KMT_CHUNK_GOT) {
			tape->manifest.is_big_endian =
				is_big_endian(tape, chunk.raw, commit_offset);
			return 0;
		}
		r = 0;
	}
	return r;
}

static void add_word(char *list, const char *word)
{
	size_t used = strlen(list);

	if (!strstr(list, word))
		(void)snprintf(list + used, KMT_MANIFEST_TEXT_BYTES - used, "%s%s", used ? "," : "",
			       word);
}

/* @name: "kmem:kmalloc" */
static void describe_event(struct kmt_manifest *manifest, const char *name)
{
	if (strcmp(name, "kmem:kfree") == 0)
		add_word(manifest->sets, "slab");
	else if (strcmp(name, "kmem:mm_page_free") == 0)
		add_word(manifest->sets, "page");
	else if (strcmp(name, "percpu:percpu_free_percpu") == 0)
		add_word(manifest->sets, "percpu");
	else if (strcmp(name, "vmalloc:free_vmap_area_noflush") == 0 ||
		 strcmp(name, "kmemtape:vma_del") == 0)
		add_word(manifest->sets, "vmalloc");
	else
		return;
	if (strstr(manifest->sets, "vmalloc") && !manifest->vmalloc[0])
		(void)strcpy(manifest->vmalloc, *name == 'v' ? "events" : "probes");
}

/* "events/kmem/kmalloc/format": an event that was recorded. Return: 0 or -ENOMEM. */
static int take_event(struct kmt_manifest *manifest, const char *path)
{
	char system[96], event[96], name[KMT_MANIFEST_TEXT_BYTES];
	int used = 0;

	if (sscanf(path, "events/%95[^/]/%95[^/]/format%n", system, event, &used) != 2 ||
	    (size_t)used != strlen(path) || strncmp(event, "pair_", strlen("pair_")) == 0 ||
	    manifest->nr_events == EVENTS_MAX)
		return 0;
	(void)snprintf(name, sizeof(name), "%s:%s", system, event);
	describe_event(manifest, name);
	return kmt_manifest_add_event(manifest, name);
}

static int take_events(struct kmt_tape *tape, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	int r = kmt_members_list(tape->members, "events", &paths, err);

	for (size_t i = 0; r == 0 && paths[i]; i++)
		r = take_event(&tape->manifest, paths[i]);
	if (r < 0)
		return r == -ENOMEM ? kmt_fail(err, r, "out of memory") : r;
	for (size_t i = 0; i < tape->manifest.nr_events; i++)
		if (strcmp(tape->manifest.events[i], "ftrace:kernel_stack") == 0)
			memcpy(tape->manifest.stacks, tape->manifest.sets,
			       sizeof(tape->manifest.stacks));
	return 0;
}

int kmt_rebuild_manifest(struct kmt_tape *tape, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_member_close) struct kmt_member kallsyms = { .fd = -1 };
	struct kmt_manifest *manifest = &tape->manifest;
	uint32_t commit_offset = 0;
	int r;

	(void)strcpy(manifest->recorder, "kmemtape recover");
	(void)strcpy(manifest->clock, "unknown");
	(void)strcpy(manifest->free_probes, "unknown, as the manifest was lost");
	manifest->page_bytes = USUAL_PAGE_BYTES;
	if (kmt_members_get(tape->members, "symbols/kallsyms.zst", &kallsyms) == 0)
		manifest->symbols = KMT_SYMBOLS_GOOD;
	(void)((r = take_word_size(tape, &commit_offset, err)) < 0 ||
	       (r = take_byte_order(tape, commit_offset, err)) < 0 ||
	       (r = take_events(tape, err)) < 0);
	return r;
}
