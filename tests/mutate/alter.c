// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "../fuzz/change.h"
#include "../fuzz/fuzz.h"
#include "alter.h"
#include "chunks.h"
#include "json.h"
#include "lines.h"

#define GROWN_BYTES 4096u
#define CHANGES_MAX 3u
#define SUM_AT	    148u /* of a tar's header */
#define BLOCK_BYTES 512u

static void tell(struct alteration *alteration, const struct file *file, const char *what)
{
	size_t used = strlen(alteration->story);

	(void)snprintf(alteration->story + used, STORY_BYTES - used, "%s%s: %s", used ? "; " : "",
		       file->path, what);
}

static bool is_chunks(const struct file *file)
{
	size_t length = strlen(file->path);

	return file->kind == FILE_PLAIN && length > 4 &&
	       strcmp(file->path + length - 4, ".zst") == 0;
}

/* One that @fits, if any does. */
static struct file *choose(struct files *files, uint64_t *state, bool (*fits)(const struct file *))
{
	struct file *found = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < files->nr; i++)
		if (fits(&files->file[i]) && change_below(state, ++nr) == 0)
			found = &files->file[i];
	return found;
}

static bool is_any(const struct file *file)
{
	return file->kind == FILE_PLAIN;
}

static bool is_of_a_cpu(const struct file *file)
{
	return is_chunks(file) && strncmp(file->path, "cpu/", 4) == 0;
}

static bool is_text(const struct file *file)
{
	return file->kind == FILE_PLAIN && !is_chunks(file) && file->size > 0;
}

static void change_bytes(struct file *file, uint64_t *state, char what[WHAT_BYTES])
{
	size_t size = file->size, room = size + GROWN_BYTES, changes = 1 + change_below(state, 8);
	uint8_t *bytes = malloc(room);

	MUST(bytes);
	memcpy(bytes, file->bytes, size);
	(void)snprintf(what, WHAT_BYTES, "%zu changes of bytes", changes);
	while (changes-- > 0)
		size = change_once(bytes, size, room, file->bytes, file->size, state);
	file_replace(file, bytes, size);
}

/* --- files as such --- */

static void make_link(struct file *file, uint64_t *state)
{
	static const char *const targets[] = {
		"/etc/passwd", "/dev/zero",	   "manifest.json",
		".",	       "../manifest.json", "/proc/self/mem"
	};
	const char *target = targets[change_below(state, sizeof(targets) / sizeof(targets[0]))];

	file->kind = FILE_LINK;
	file_replace(file, (uint8_t *)strdup(target), strlen(target));
}

static void double_bytes(struct file *file)
{
	uint8_t *bytes = malloc(2 * file->size + 1);

	MUST(bytes);
	memcpy(bytes, file->bytes, file->size);
	memcpy(bytes + file->size, file->bytes, file->size);
	file_replace(file, bytes, 2 * file->size);
}

static void swap_files(struct file *file, struct file *other)
{
	struct file copy = *file;

	file->bytes = other->bytes;
	file->size = other->size;
	other->bytes = copy.bytes;
	other->size = copy.size;
}

/* As a file of a CPU that has none, or under a name that means something. */
static void copy_file(struct files *files, const struct file *from, uint64_t *state)
{
	static const char *const paths[] = { "cpu/0003.zst",
					     "cpu/8191.zst",
					     "cpu/9999.zst",
					     "cpu/00000001.zst",
					     "snapshots.zst",
					     "comms",
					     "symbols/0001.zst",
					     "symbols/modules",
					     "symbols/kallsyms.zst",
					     "events/kmem/kfree/format",
					     "cpu/\033[31m.zst",
					     "books/sites",
					     "what" };
	const char *path = paths[change_below(state, sizeof(paths) / sizeof(paths[0]))];
	size_t at = (size_t)(from - files->file);
	struct file *file = files_find(files, path);
	uint8_t *bytes;

	if (!file)
		file = files_add(files, path);
	from = &files->file[at];
	if (!file || file == from)
		return;
	bytes = malloc(from->size + 1);
	MUST(bytes);
	memcpy(bytes, from->bytes, from->size);
	file_replace(file, bytes, from->size);
}

static void change_file(struct files *files, struct file *file, uint64_t *state,
			struct alteration *alteration, char what[WHAT_BYTES])
{
	struct file *other = choose(files, state, is_chunks(file) ? is_chunks : is_any);
	size_t kind = change_below(state, 10);

	alteration->is_odd = alteration->is_odd || (kind >= 5 && kind <= 7);
	switch (kind) {
	case 0:
		(void)snprintf(what, WHAT_BYTES, "missing");
		file->kind = FILE_MISSING;
		return;
	case 1:
		(void)snprintf(what, WHAT_BYTES, "empty");
		file->size = 0;
		return;
	case 2:
		file->size = change_below(state, file->size);
		(void)snprintf(what, WHAT_BYTES, "cut to %zu", file->size);
		return;
	case 3:
		(void)snprintf(what, WHAT_BYTES, "twice in one");
		double_bytes(file);
		return;
	case 4:
		(void)snprintf(what, WHAT_BYTES, "swapped with %.100s", other ? other->path : "");
		if (other)
			swap_files(file, other);
		return;
	case 5:
		make_link(file, state);
		(void)snprintf(what, WHAT_BYTES, "a link to %.*s", (int)file->size, file->bytes);
		return;
	case 6:
		(void)snprintf(what, WHAT_BYTES, "a pipe");
		file->kind = FILE_PIPE;
		return;
	case 7:
		(void)snprintf(what, WHAT_BYTES, "a directory");
		file->kind = FILE_DIRECTORY;
		return;
	default:
		(void)snprintf(what, WHAT_BYTES, "copied");
		copy_file(files, file, state);
	}
}

/* --- one change --- */

static void change_tape(struct files *files, uint64_t *state, struct alteration *alteration)
{
	struct file *manifest = files_find(files, "manifest.json"), *file;
	size_t kind = change_below(state, 16);
	char what[WHAT_BYTES] = "";
	bool is_done = true;

	if (kind < 5 && (file = choose(files, state, is_of_a_cpu)))
		is_done = chunks_change_data(file, state, what);
	else if (kind < 7 && (file = choose(files, state, is_chunks)))
		is_done = chunks_change_data(file, state, what);
	else if (kind < 8 && (file = choose(files, state, is_chunks)))
		is_done = chunks_change_header(file, state, what);
	else if (kind < 10 && (file = manifest))
		is_done = json_change(file, state, what);
	else if (kind < 12 && (file = choose(files, state, is_text)))
		lines_change(&file->bytes, &file->size, state, what);
	else if (kind < 14 && (file = choose(files, state, is_any)))
		change_file(files, file, state, alteration, what);
	else if ((file = choose(files, state, is_any)))
		change_bytes(file, state, what);
	if (file && !is_done)
		change_bytes(file, state, what);
	if (file)
		tell(alteration, file, what);
}

/* The sums of a tar's headers are made right: of other blocks that changes some bytes more. */
static void repair_sums(struct file *tar)
{
	for (size_t at = 0; at + BLOCK_BYTES <= tar->size; at += BLOCK_BYTES) {
		unsigned int sum = 0;
		char digits[8];

		if (memcmp(tar->bytes + at + 257, "ustar", 5) != 0)
			continue;
		memset(tar->bytes + at + SUM_AT, ' ', sizeof(digits));
		for (size_t i = 0; i < BLOCK_BYTES; i++)
			sum += tar->bytes[at + i];
		(void)snprintf(digits, sizeof(digits), "%06o", sum);
		memcpy(tar->bytes + at + SUM_AT, digits, sizeof(digits));
	}
}

/* Headers of a tar are few among its bytes: they are looked for. */
static void change_tar(struct file *tar, uint64_t *state, struct alteration *alteration)
{
	size_t at = change_below(state, tar->size / BLOCK_BYTES + 1) * BLOCK_BYTES;
	char what[WHAT_BYTES] = "";

	while (at + BLOCK_BYTES <= tar->size && memcmp(tar->bytes + at + 257, "ustar", 5) != 0)
		at += BLOCK_BYTES;
	if (at + BLOCK_BYTES > tar->size || change_below(state, 3) == 0) {
		change_bytes(tar, state, what);
	} else {
		uint8_t other[BLOCK_BYTES];

		memcpy(other, tar->bytes, sizeof(other));
		for (size_t i = 1 + change_below(state, 4); i > 0; i--)
			(void)change_once(tar->bytes + at, BLOCK_BYTES, BLOCK_BYTES, other,
					  sizeof(other), state);
		repair_sums(tar);
		(void)snprintf(what, WHAT_BYTES, "bytes of the tar header at %zu", at);
	}
	tell(alteration, tar, what);
}

static void cut(struct files *files, uint64_t *state, struct alteration *alteration)
{
	struct file *file = choose(files, state, is_of_a_cpu);
	char what[WHAT_BYTES] = "";

	alteration->is_cut = true;
	if (file && chunks_cut(file, state, what))
		tell(alteration, file, what);
}

void alter(struct files *files, uint64_t *state, struct alteration *ret_alteration)
{
	size_t changes = 1 + change_below(state, CHANGES_MAX);
	bool is_for_cutting = change_below(state, 8) == 0;

	*ret_alteration = (struct alteration){ 0 };
	if (files->is_single) {
		char what[WHAT_BYTES];

		change_bytes(&files->file[0], state, what);
		tell(ret_alteration, &files->file[0], what);
		return;
	}
	for (size_t i = 0; i < changes; i++)
		if (is_for_cutting)
			cut(files, state, ret_alteration);
		else
			change_tape(files, state, ret_alteration);
	if (ret_alteration->is_odd || is_for_cutting || change_below(state, 5))
		return;
	files_pack(files);
	if (change_below(state, 2))
		change_tar(&files->file[0], state, ret_alteration);
	else
		tell(ret_alteration, &files->file[0], "packed");
}
