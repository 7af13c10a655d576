// SPDX-License-Identifier: GPL-2.0-only
/*
 * kbufdump: the memory events of one CPU's raw sub-buffers, as text. With libtraceevent alone, and
 * nothing of kmemtape, on purpose: what it says is what src/decode is compared with.
 *
 *   zstd -dc TAPE/cpu/0000.zst | kbufdump TAPE/events CPU little|big LONG SUBBUF
 *
 * prints "TIME CPU EVENT CALL_SITE PTR BYTES_REQ BYTES_ALLOC", and "TIME CPU lost" before the
 * first event behind a gap. What an event doesn't have is 0. Of pages PTR is the frame's number, as
 * a decimal one, and BYTES_REQ their order; areas that found no room have PTR 0x0. With "padding"
 * as one more argument, it only prints "BYTES NOT_ZERO": what belongs to no field of the slab's
 * events.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <traceevent/event-parse.h>
#include <traceevent/kbuffer.h>

#define FORMAT_BYTES_MAX 65536
#define TIME_BYTES	 8	    /* of the page header; then comes the commit field */
#define MISSED_EVENTS	 (1u << 31) /* in it */
#define SLACK_BYTES	 16 /* kbuffer looks at a whole record header behind the last record */

enum { CALL_SITE, PTR, BYTES_REQ, BYTES_ALLOC, FAILED, AREA, NR_FIELDS };

struct memory_event {
	const char *system, *name;
	const char *names[NR_FIELDS]; /* NULL: none; "?NAME": not on all kernels */
	bool is_page;
	int id; /* -1: this kernel doesn't have it */
	struct tep_format_field *fields[NR_FIELDS];
};

static struct memory_event memory_events[] = {
	{ "kmem", "kmalloc", { "call_site", "ptr", "bytes_req", "bytes_alloc" } },
	{ "kmem", "kmalloc_node", { "call_site", "ptr", "bytes_req", "bytes_alloc" } },
	{ "kmem", "kmem_cache_alloc", { "call_site", "ptr", "bytes_req", "bytes_alloc" } },
	{ "kmem", "kmem_cache_alloc_node", { "call_site", "ptr", "bytes_req", "bytes_alloc" } },
	{ "kmem", "kfree", { "call_site", "ptr" } },
	{ "kmem", "kmem_cache_free", { "call_site", "ptr" } },
	{ "kmem", "mm_page_alloc", { [PTR] = "pfn", [BYTES_REQ] = "order" }, true },
	{ "kmem", "mm_page_free", { [PTR] = "pfn", [BYTES_REQ] = "order" }, true },
	{ "percpu", "percpu_alloc_percpu", { "?call_site", "ptr", "size", "?bytes_alloc" } },
	{ "percpu", "percpu_free_percpu", { [PTR] = "ptr" } },
	{ "vmalloc", "alloc_vmap_area", { NULL, "addr", "size", "size", "failed" } },
	{ "vmalloc", "free_vmap_area_noflush", { [PTR] = "va_start" } },
	{ "kmemtape", "vma_new", { "caller", "addr", "size", "size", NULL, "?area" } },
	{ "kmemtape", "vma_del", { "?call_site", "addr" } },
};

#define NR_MEMORY_EVENTS (sizeof(memory_events) / sizeof(memory_events[0]))

static void die(const char *what, const char *name)
{
	(void)fprintf(stderr, "kbufdump: %s: %s\n", name, what);
	exit(1);
}

static void load_event(struct tep_handle *tep, const char *events, struct memory_event *memory)
{
	static char text[FORMAT_BYTES_MAX];
	char path[PATH_MAX];
	struct tep_event *event;
	size_t bytes;
	FILE *file;

	memory->id = -1;
	(void)snprintf(path, sizeof(path), "%s/%s/%s/format", events, memory->system, memory->name);
	file = fopen(path, "re");
	if (!file)
		return;
	bytes = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	(void)tep_parse_event(tep, text, bytes, memory->system); /* may not know the print format */
	event = tep_find_event_by_name(tep, memory->system, memory->name);
	if (!event)
		die("not understood", path);
	memory->id = event->id;
	for (size_t i = 0; i < NR_FIELDS; i++) {
		const char *field = memory->names[i];
		bool is_optional = field && *field == '?';

		if (field)
			memory->fields[i] = tep_find_field(event, field + is_optional);
		if (field && !memory->fields[i] && !is_optional && !memory->is_page)
			die("lacks a field", path);
	}
	if (memory->is_page && !memory->fields[PTR])
		memory->id = -1; /* until Linux 3.19: no frame number, which is all that counts */
}

static unsigned long long get(struct tep_format_field *field, const void *record)
{
	unsigned long long n = 0;

	if (field)
		(void)tep_read_number_field(field, record, &n);
	return n;
}

static void print_record(struct tep_handle *tep, const void *record, unsigned long long time_ns,
			 const char *cpu)
{
	int id = (int)tep_read_number(tep, record, 2);

	for (size_t i = 0; i < NR_MEMORY_EVENTS; i++) {
		struct tep_format_field *const *fields = memory_events[i].fields;
		unsigned long long ptr = get(fields[PTR], record);

		if (memory_events[i].id != id)
			continue;
		if (get(fields[FAILED], record) || (fields[AREA] && !get(fields[AREA], record)))
			ptr = 0;
		(void)printf("%llu %s %s 0x%llx ", time_ns, cpu, memory_events[i].name,
			     get(fields[CALL_SITE], record));
		(void)printf(memory_events[i].is_page ? "%llu" : "0x%llx", ptr);
		(void)printf(" %llu %llu\n", get(fields[BYTES_REQ], record),
			     get(fields[BYTES_ALLOC], record));
		return;
	}
}

/* --- bytes that belong to no field --- */

#define RECORD_BYTES_MAX 4096

struct padding {
	unsigned long long bytes, not_zero;
};

static void mark(bool *is_owned, unsigned long long at, unsigned long long bytes)
{
	while (bytes-- && at < RECORD_BYTES_MAX)
		is_owned[at++] = true;
}

static void mark_fields(bool *is_owned, const struct tep_format_field *field, const uint8_t *record)
{
	for (; field; field = field->next) {
		mark(is_owned, field->offset, field->size);
		if (field->flags & TEP_FIELD_IS_DYNAMIC) {
			uint32_t place = (uint32_t)tep_read_number(field->event->tep,
								   record + field->offset, 4);

			mark(is_owned, place & 0xffff, place >> 16);
		}
	}
}

static void count_padding(struct tep_handle *tep, const uint8_t *record, int bytes,
			  struct padding *padding)
{
	struct tep_event *event = tep_find_event(tep, (int)tep_read_number(tep, record, 2));
	bool is_owned[RECORD_BYTES_MAX] = { false };

	if (!event || strcmp(event->system, "kmem") != 0)
		return;
	mark_fields(is_owned, event->format.common_fields, record);
	mark_fields(is_owned, event->format.fields, record);
	for (int i = 0; i < bytes && i < RECORD_BYTES_MAX; i++) {
		padding->bytes += !is_owned[i];
		padding->not_zero += !is_owned[i] && record[i];
	}
}

static void print_subbuf(struct tep_handle *tep, struct kbuffer *kbuf, void *subbuf, int long_bytes,
			 const char *cpu, struct padding *padding)
{
	unsigned long long time_ns;
	void *record;

	if (kbuffer_load_subbuffer(kbuf, subbuf) < 0)
		die("a sub-buffer that kbuffer refuses", cpu);
	/* Not kbuffer_missed_events(): it says 0 if the page begins with a time stamp or padding.
	 */
	if (!padding &&
	    tep_read_number(tep, (uint8_t *)subbuf + TIME_BYTES, long_bytes) & MISSED_EVENTS)
		(void)printf("%llu %s lost\n", kbuffer_subbuf_timestamp(kbuf, subbuf), cpu);
	for (record = kbuffer_read_event(kbuf, &time_ns); record;
	     record = kbuffer_next_event(kbuf, &time_ns))
		if (padding)
			count_padding(tep, record, kbuffer_event_size(kbuf), padding);
		else
			print_record(tep, record, time_ns, cpu);
}

int main(int argc, char **argv)
{
	bool is_big_endian = argc >= 6 && strcmp(argv[3], "big") == 0;
	int long_bytes = argc >= 6 ? atoi(argv[4]) : 0;
	size_t subbuf_bytes = argc >= 6 ? strtoul(argv[5], NULL, 10) : 0;
	bool is_of_padding = argc == 7 && strcmp(argv[6], "padding") == 0;
	struct padding padding = { 0, 0 };
	struct tep_handle *tep = tep_alloc();
	struct kbuffer *kbuf;
	void *subbuf;
	size_t n;

	if ((long_bytes != 4 && long_bytes != 8) || subbuf_bytes < 64 || !tep) {
		(void)fputs("usage: kbufdump EVENTS CPU little|big LONG SUBBUF [padding] <RAW\n",
			    stderr);
		return 2;
	}
	tep_set_loglevel(TEP_LOG_NONE);
	tep_set_long_size(tep, long_bytes);
	tep_set_file_bigendian(tep, is_big_endian ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	for (size_t i = 0; i < NR_MEMORY_EVENTS; i++)
		load_event(tep, argv[1], &memory_events[i]);
	kbuf = kbuffer_alloc(long_bytes == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
			     is_big_endian ? KBUFFER_ENDIAN_BIG : KBUFFER_ENDIAN_LITTLE);
	subbuf = calloc(1, subbuf_bytes + SLACK_BYTES);
	if (!kbuf || !subbuf)
		die("out of memory", argv[2]);
	while ((n = fread(subbuf, 1, subbuf_bytes, stdin)) == subbuf_bytes)
		print_subbuf(tep, kbuf, subbuf, long_bytes, argv[2],
			     is_of_padding ? &padding : NULL);
	if (n != 0 || ferror(stdin))
		die("ends within a sub-buffer", argv[2]);
	if (is_of_padding)
		(void)printf("%llu %llu\n", padding.bytes, padding.not_zero);
	if (fflush(stdout) != 0)
		die("cannot write", "standard output");
	free(subbuf);
	kbuffer_free(kbuf);
	tep_free(tep);
	return 0;
}
