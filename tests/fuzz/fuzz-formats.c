// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "kmemtape/decoder.h"
#include "kmemtape/formats.h"
#include "kmemtape/gfp.h"

#include "fuzz.h"

/*
 * Input: a digit for byte order and word size ('0' le64, '1' be64, '2' le32, '3' be32), a letter
 * for what the text is ('a'.. an event of the list below, else header_page), and the text.
 */
static const char *const events[] = {
	"kmem:kmalloc",
	"kmem:kmalloc_node",
	"kmem:kmem_cache_alloc",
	"kmem:kfree",
	"kmem:kmem_cache_free",
	"module:module_load",
	"task:task_newtask",
	"task:task_rename",
	"kmemtape:rcu_free",
	"kmemtape:bulk_free",
	"kmemtape:vma_new",
	"kmemtape:vma_del",
	"kmemtape:pair_ticket_alloc",
	"kmemtape:pair_ticket_free",
	"kmem:mm_page_alloc",
	"kmem:mm_page_free",
	"kmem:mm_page_free_batched",
	"percpu:percpu_alloc_percpu",
	"percpu:percpu_free_percpu",
	"vmalloc:alloc_vmap_area",
	"vmalloc:free_vmap_area_noflush",
	"ftrace:kernel_stack",
};

static const char *const pairs[] = { "ticket" };

#define NR_EVENTS (sizeof(events) / sizeof(events[0]))

static const char usual_page[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				 "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				 "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				 "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";

static void check_field(const struct kmt_layout *layout, const struct kmt_field *field)
{
	MUST((size_t)field->offset + field->bytes <= layout->min_bytes || field->bytes == 0);
}

static void check_layout(const struct kmt_layout *layout)
{
	check_field(layout, &layout->pid);
	check_field(layout, &layout->flags);
	check_field(layout, &layout->call_site);
	check_field(layout, &layout->ptr);
	check_field(layout, &layout->bytes_req);
	check_field(layout, &layout->bytes_alloc);
	check_field(layout, &layout->gfp);
	check_field(layout, &layout->text);
	check_field(layout, &layout->task_pid);
	check_field(layout, &layout->area);
	check_field(layout, &layout->failed);
	check_field(layout, &layout->head);
	check_field(layout, &layout->nr);
	check_field(layout, &layout->cache);
	check_field(layout, &layout->order);
	MUST(layout->frames.offset <= layout->min_bytes);
	MUST(layout->ptr.offset + layout->nr_pointers * layout->ptr.bytes <= layout->min_bytes);
}

static void put(uint8_t *p, uint64_t n, size_t bytes, bool is_big_endian)
{
	for (size_t i = 0; i < bytes; i++)
		p[is_big_endian ? bytes - 1 - i : i] = (uint8_t)(n >> (8 * i));
}

/* A page full of records of the event @id, each a little longer than the one before. */
static void decode(const struct kmt_formats *formats, uint16_t id)
{
	const struct kmt_page_layout *page = kmt_formats_page(formats);
	struct kmt_decoder *decoder;
	struct kmt_names *names;
	struct kmt_stacks *stacks;
	struct kmt_batch batch = { 0 };
	uint8_t *raw = malloc(page->subbuf_bytes);
	size_t at = page->data_offset, words = 0;

	MUST(raw && kmt_names_new(&names, NULL) == 0 && kmt_stacks_new(0, 0, &stacks, NULL) == 0);
	MUST(kmt_decoder_new(formats, names, stacks, 0, &decoder, NULL) == 0);
	memset(raw, 0x11, page->subbuf_bytes);
	while (at + 4 + words * 4 <= page->subbuf_bytes && at < 65536) {
		uint32_t word = page->is_big_endian ? (uint32_t)words << 27 : (uint32_t)words;

		if (words > 28)
			word = 0;
		put(raw + at, word, 4, page->is_big_endian);
		if (words > 28 && at + 8 + words * 4 <= page->subbuf_bytes)
			put(raw + at + 4, words * 4 + 4, 4, page->is_big_endian);
		at += words > 28 ? 8 : 4;
		if (words && at + 2 <= page->subbuf_bytes)
			put(raw + at, id, 2, page->is_big_endian);
		at += words * 4;
		words++;
	}
	put(raw + page->commit_offset, page->subbuf_bytes - page->data_offset, page->commit_bytes,
	    page->is_big_endian);
	MUST(kmt_decoder_run(decoder, raw, page->subbuf_bytes, "fuzz", 0, &batch) == 0);
	MUST(kmt_decoder_finish(decoder, &batch) == 0);
	kmt_batch_deinit(&batch);
	(void)kmt_decoder_free(decoder);
	(void)kmt_stacks_free(stacks);
	(void)kmt_names_free(names);
	free(raw);
}

static void name_gfp(const char *text, size_t size)
{
	char buf[KMT_GFP_TEXT_BYTES];
	struct kmt_gfp_names names;

	kmt_gfp_names_init(&names, text, size);
	MUST(names.nr <= KMT_GFP_NAMES_MAX);
	MUST(strlen(kmt_gfp_format(&names, UINT32_MAX, buf)) < sizeof(buf));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kmt_formats *formats;
	const struct kmt_layout *layout;
	const char *text = (const char *)data + 2;
	bool is_big_endian;
	uint32_t long_bytes;
	size_t event;
	uint16_t id;
	int r;

	if (size < 2)
		return 0;
	is_big_endian = data[0] & 1;
	long_bytes = data[0] & 2 ? 4 : 8;
	event = (uint8_t)(data[1] - 'a');
	size -= 2;

	name_gfp(text, size);
	if (event >= NR_EVENTS) {
		r = kmt_formats_new(is_big_endian, long_bytes, text, size, &formats, NULL);
		if (r == 0) {
			decode(formats, 1);
			(void)kmt_formats_free(formats);
		}
		return 0;
	}
	MUST(kmt_formats_new(is_big_endian, long_bytes, usual_page, strlen(usual_page), &formats,
			     NULL) == 0);
	kmt_formats_set_pairs(formats, pairs, 1);
	r = kmt_formats_add(formats, events[event], text, size, NULL);
	layout = kmt_formats_find(formats, events[event], &id);
	MUST((r == 0) == (layout || kmt_formats_has_unnumbered_pages(formats)));
	if (layout) {
		check_layout(layout);
		decode(formats, id);
	}
	(void)kmt_formats_free(formats);
	return 0;
}
