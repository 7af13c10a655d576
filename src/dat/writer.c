// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "writer.h"

#define MODULES_MAX 4096u

void kmt_dat_put_bytes(struct kmt_dat_writer *writer, const void *bytes, size_t size)
{
	errno = 0;
	if (size && fwrite(bytes, 1, size, writer->file) != size && !writer->error)
		writer->error = errno ? -errno : -EIO;
}

void kmt_dat_put_number(struct kmt_dat_writer *writer, unsigned int bytes, uint64_t n)
{
	uint8_t raw[8];

	for (unsigned int i = 0; i < bytes; i++)
		raw[i] = (uint8_t)(n >> 8 * (writer->is_big_endian ? bytes - 1 - i : i));
	kmt_dat_put_bytes(writer, raw, bytes);
}

void kmt_dat_put_word(struct kmt_dat_writer *writer, const char *text)
{
	kmt_dat_put_bytes(writer, text, strlen(text) + 1);
}

void kmt_dat_put_sized(struct kmt_dat_writer *writer, unsigned int width, const void *text,
		       size_t bytes)
{
	kmt_dat_put_number(writer, width, bytes);
	kmt_dat_put_bytes(writer, text, bytes);
}

static int put_file(struct kmt_dat_writer *writer, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int r = kmt_tape_read_text(writer->tape, path, &text, &bytes, err);

	if (r == 0)
		kmt_dat_put_sized(writer, 8, text, bytes);
	return r == -ENOENT ? -ENODATA : r;
}

int kmt_dat_put_headers(struct kmt_dat_writer *writer, struct kmt_err *err)
{
	int r;

	kmt_dat_put_word(writer, "header_page");
	r = put_file(writer, "events/header_page", err);
	kmt_dat_put_word(writer, "header_event");
	if (r == 0 && put_file(writer, "events/header_event", NULL) < 0)
		kmt_dat_put_sized(writer, 8, "", 0); /* nobody reads it */
	return r;
}

/* Length of the name of its system. */
static size_t system_bytes(const char *event)
{
	return strcspn(event, ":");
}

static bool is_of_system(const char *event, const char *of)
{
	return system_bytes(event) == system_bytes(of) && strncmp(event, of, system_bytes(of)) == 0;
}

/* Event number @at is the first of its system. */
static bool is_first(const struct kmt_manifest *manifest, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (is_of_system(manifest->events[i], manifest->events[at]))
			return false;
	return true;
}

/* The formats of all events of the system of @event, and before them, how many they are. */
static int put_system(struct kmt_dat_writer *writer, const char *event, struct kmt_err *err)
{
	const struct kmt_manifest *manifest = &writer->tape->manifest;
	char path[KMT_MANIFEST_TEXT_BYTES + 32];
	size_t nr = 0;
	int r = 0;

	for (size_t i = 0; i < manifest->nr_events; i++)
		nr += is_of_system(manifest->events[i], event);
	kmt_dat_put_number(writer, 4, nr);
	for (size_t i = 0; r == 0 && i < manifest->nr_events; i++) {
		const char *name = manifest->events[i];

		if (!is_of_system(name, event))
			continue;
		(void)snprintf(path, sizeof(path), "events/%.*s/%s/format", (int)system_bytes(name),
			       name, name + system_bytes(name) + 1);
		r = put_file(writer, path, err);
	}
	return r;
}

int kmt_dat_put_formats(struct kmt_dat_writer *writer, struct kmt_err *err)
{
	const struct kmt_manifest *manifest = &writer->tape->manifest;
	size_t nr_systems = 0;
	int r = put_system(writer, "ftrace:", err);

	for (size_t i = 0; i < manifest->nr_events; i++)
		nr_systems += is_first(manifest, i) && !is_of_system(manifest->events[i], "ftrace");
	kmt_dat_put_number(writer, 4, nr_systems);
	for (size_t i = 0; r == 0 && i < manifest->nr_events; i++) {
		const char *name = manifest->events[i];

		if (!is_first(manifest, i) || is_of_system(name, "ftrace"))
			continue;
		kmt_dat_put_bytes(writer, name, system_bytes(name));
		kmt_dat_put_word(writer, "");
		r = put_system(writer, name, err);
	}
	return r;
}

/* A line of symbols/modules that loads a module. */
struct load {
	unsigned int line;
	uint64_t base, size;
};

/*
 * Modules that came while it was recorded, and whose addresses no other one ever had: trace-cmd
 * knows addresses only, no times, and would name the wrong one.
 */
static size_t find_loads(const struct kmt_tape *tape, struct load *loads)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char *line, *rest;
	size_t nr = 0, bytes;
	unsigned int number = 0;

	if (kmt_tape_read_text(tape, "symbols/modules", &text, &bytes, NULL) < 0)
		return 0;
	for (rest = text; nr < MODULES_MAX && (line = strsep(&rest, "\n"));) {
		struct load *load = &loads[nr];

		load->line = ++number;
		if (sscanf(line, "load %*u %*s %" SCNu64 " 0x%" SCNx64, &load->size, &load->base) ==
		    2)
			nr++;
	}
	return nr;
}

static bool shares_addresses(const struct load *loads, size_t nr, size_t at)
{
	for (size_t i = 0; i < nr; i++)
		if (i != at && (loads[i].base == loads[at].base ||
				(loads[i].base < loads[at].base
					 ? loads[at].base - loads[i].base < loads[i].size
					 : loads[i].base - loads[at].base < loads[at].size)))
			return true;
	return false;
}

static int put_module(struct kmt_dat_writer *writer, unsigned int line)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char path[64];
	size_t bytes;

	(void)snprintf(path, sizeof(path), "symbols/%04u.zst", line);
	if (kmt_chunk_read_text(writer->tape->members, path, KMT_TAPE_SYMBOLS_BYTES_MAX, &text,
				&bytes, NULL) < 0)
		return 0; /* it was there from the beginning, or has no names */
	kmt_dat_put_bytes(writer, text, bytes);
	return 0;
}

static int put_symbols(struct kmt_dat_writer *writer, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) struct load *loads = calloc(MODULES_MAX, sizeof(*loads));
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t nr, bytes;
	int r;

	if (!loads)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", writer->tape->path);
	r = kmt_chunk_read_text(writer->tape->members, "symbols/kallsyms.zst",
				KMT_TAPE_SYMBOLS_BYTES_MAX, &text, &bytes, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	kmt_dat_put_bytes(writer, text, bytes);
	nr = find_loads(writer->tape, loads);
	for (size_t i = 0; r >= 0 && i < nr; i++)
		if (!shares_addresses(loads, nr, i))
			r = put_module(writer, loads[i].line);
	return r < 0 ? r : 0;
}

/* Its length comes first, and is known last. */
int kmt_dat_put_kallsyms(struct kmt_dat_writer *writer, struct kmt_err *err)
{
	off_t start = ftello(writer->file), end;
	int r;

	kmt_dat_put_number(writer, 4, 0);
	r = put_symbols(writer, err);
	end = ftello(writer->file);
	if (r < 0)
		return r;
	if (end - start - 4 > UINT32_MAX)
		return kmt_fail(err, -ENOTSUP, "%s: more symbols than a trace.dat can hold",
				writer->tape->path);
	(void)fseeko(writer->file, start, SEEK_SET);
	kmt_dat_put_number(writer, 4, (uint64_t)(end - start - 4));
	(void)fseeko(writer->file, end, SEEK_SET);
	return 0;
}

/* Undoes kmt_escape(), but for what would end the line. Changes @text in place. */
static void unescape(char *text)
{
	char *dst = text;

	while (*text) {
		unsigned int byte;
		int used = 0;

		if (sscanf(text, "\\x%2x%n", &byte, &used) == 1 && used == 4 && byte &&
		    byte != '\n') {
			*dst++ = (char)byte;
			text += used;
		} else {
			*dst++ = *text++;
		}
	}
	*dst = '\0';
}

/* Lines "PID<tab>NAME" become "PID NAME". */
int kmt_dat_put_cmdlines(struct kmt_dat_writer *writer, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL, *lines = NULL;
	char *line, *rest;
	size_t bytes = 0;
	FILE *file;
	int r = kmt_tape_read_text(writer->tape, "comms", &text, &bytes, err);

	if (r == -ENOENT) {
		kmt_dat_put_sized(writer, 8, "", 0);
		return 0;
	}
	if (r < 0)
		return r;
	file = open_memstream(&lines, &bytes);
	if (!file)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", writer->tape->path);
	for (rest = text; (line = strsep(&rest, "\n"));) {
		char *name = strchr(line, '\t');

		if (!name)
			continue;
		*name++ = '\0';
		unescape(name);
		fprintf(file, "%s %s\n", line, name);
	}
	if (fclose(file) != 0)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", writer->tape->path);
	kmt_dat_put_sized(writer, 8, lines, bytes);
	return 0;
}
