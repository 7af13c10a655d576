// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "../../src/share/redact-records.h"

#include "kmemtape/decoder.h"

#include "fuzz.h"

/*
 * Input: as of fuzz-subbuf. What is made of sub-buffers is whole, and means the same: where nothing
 * was damaged, event by event, but for addresses and names of tasks.
 */
#define SUBBUF_BYTES 4096u

static const char *const events[] = {
	"kmem:kmalloc",
	"kmem:kfree",
	"kmem:kmem_cache_alloc",
	"kmem:kmem_cache_free",
	"module:module_load",
	"kmem:mm_page_alloc",
	"kmem:mm_page_free",
	"kmem:mm_page_free_batched",
	"percpu:percpu_alloc_percpu",
	"percpu:percpu_free_percpu",
	"vmalloc:alloc_vmap_area",
	"vmalloc:free_vmap_area_noflush",
	"ftrace:kernel_stack",
	"kmemtape:rcu_free",
	"kmemtape:bulk_free",
	"kmemtape:bulk_free_more",
	"kmemtape:vma_new",
	"kmemtape:vma_del",
	"kmemtape:pair_dentry_alloc",
	"kmemtape:pair_dentry_free",
	"kmemtape:pair_device_alloc",
	"kmemtape:pair_device_free",
};

static const char *const pairs[] = { "dentry", "device" };

static struct kmt_formats *load(bool is_big_endian, bool is_32bit)
{
	struct kmt_formats *formats;
	struct kmt_err err = { "" };
	char path[128], *text;
	size_t bytes;

	(void)snprintf(path, sizeof(path), "formats/%s/header_page", is_32bit ? "i386" : "6.18");
	text = fuzz_read_fixture(path, &bytes);
	MUST(kmt_formats_new(is_big_endian, is_32bit ? 4 : 8, text, bytes, &formats, &err) == 0);
	free(text);
	kmt_formats_set_pairs(formats, pairs, 2);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		bool is_probe = strncmp(events[i], "kmemtape:", strlen("kmemtape:")) == 0;

		(void)snprintf(path, sizeof(path), "formats/%s/%s/format",
			       is_32bit	  ? "i386"
			       : is_probe ? "6.12"
					  : "6.18",
			       events[i]);
		*strchr(path, ':') = '/';
		text = fuzz_read_fixture(path, &bytes);
		MUST(kmt_formats_add(formats, events[i], text, bytes, &err) == 0);
		free(text);
	}
	MUST(kmt_formats_page(formats)->subbuf_bytes == SUBBUF_BYTES);
	return formats;
}

/* Return: sub-buffers that were damaged */
static uint64_t decode(const struct kmt_formats *formats, struct kmt_names *names,
		       const uint8_t *raw, size_t bytes, struct kmt_batch *batch)
{
	struct kmt_decoder *decoder;
	uint64_t nr_damaged;

	MUST(kmt_decoder_new(formats, names, NULL, 0, &decoder, NULL) == 0);
	MUST(kmt_decoder_run(decoder, raw, bytes, "fuzz", 0, batch) == 0);
	MUST(kmt_decoder_finish(decoder, batch) == 0);
	nr_damaged = kmt_decoder_stats(decoder)->damaged_subbufs;
	(void)kmt_decoder_free(decoder);
	return nr_damaged;
}

static void compare(const struct kmt_batch *old, const struct kmt_batch *new)
{
	MUST(old->nr == new->nr);
	for (size_t i = 0; i < old->nr; i++) {
		const struct kmt_event *a = &old->events[i], *b = &new->events[i];
		bool has_failed = b->kind == KMT_EVENT_VMALLOC && b->ptr == 0;

		MUST(a->kind == b->kind && a->space == b->space && a->time_ns == b->time_ns);
		MUST(a->pid == b->pid && a->context == b->context);
		MUST(!a->ptr == !b->ptr && (has_failed || !a->call_site == !b->call_site));
		MUST(has_failed || (a->bytes_alloc == b->bytes_alloc &&
				    a->bytes_req == b->bytes_req && a->gfp == b->gfp));
		MUST(!a->text == !b->text);
	}
}

static void redact(const struct kmt_formats *formats, const uint8_t *from, size_t nr, uint8_t *to)
{
	static const struct kmt_manifest manifest_64 = { .long_bytes = 8, .page_bytes = 4096 };
	static const struct kmt_manifest manifest_32 = { .long_bytes = 4, .page_bytes = 4096 };
	bool is_32bit = kmt_formats_page(formats)->long_bytes == 4;
	struct kmt_addresses addresses;
	struct kmt_codes codes;
	struct kmt_redact_records records = { .formats = formats,
					      .addresses = &addresses,
					      .codes = &codes };

	MUST(kmt_addresses_init(&addresses, is_32bit ? &manifest_32 : &manifest_64, false) == 0);
	kmt_codes_init(&codes, is_32bit ? 4 : 8, 4096);
	MUST(kmt_codes_add(&codes, 0xc1000000, 0x100000, true) == 0);
	MUST(kmt_codes_place(&codes) == 0);
	for (size_t i = 0; i < nr; i++)
		MUST(kmt_redact_note_blocks(&records, from + i * SUBBUF_BYTES) == 0);
	for (size_t i = 0; i < nr; i++)
		MUST(kmt_redact_subbuf(&records, from + i * SUBBUF_BYTES, to + i * SUBBUF_BYTES) ==
		     0);
	kmt_addresses_deinit(&addresses);
	kmt_codes_deinit(&codes);
}

static void fit_commit(uint8_t *subbuf, const struct kmt_page_layout *page)
{
	size_t high = page->is_big_endian ? page->commit_offset + page->commit_bytes - 2u
					  : page->commit_offset + 1u;
	size_t low = page->is_big_endian ? high + 1 : high - 1;
	uint32_t room = SUBBUF_BYTES - page->data_offset;
	uint32_t commit = (uint32_t)subbuf[high] << 8 | subbuf[low];

	if (commit > room)
		commit %= room + 1;
	subbuf[high] = (uint8_t)(commit >> 8);
	subbuf[low] = (uint8_t)commit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kmt_formats *loaded[4];
	size_t nr = size > 1 ? (size - 1 + SUBBUF_BYTES - 1) / SUBBUF_BYTES : 0;
	struct kmt_batch old = { 0 }, new = { 0 };
	struct kmt_formats **formats;
	struct kmt_names *names;
	uint64_t nr_damaged;
	uint8_t *from, *to;

	if (nr == 0)
		return 0;
	formats = &loaded[data[0] & 3];
	if (!*formats)
		*formats = load(data[0] & 1, data[0] & 2);
	from = calloc(nr, SUBBUF_BYTES);
	to = calloc(nr, SUBBUF_BYTES);
	MUST(from && to && kmt_names_new(&names, NULL) == 0);
	memcpy(from, data + 1, size - 1);
	for (size_t i = 0; i < nr && data[0] & 4; i++)
		fit_commit(from + i * SUBBUF_BYTES, kmt_formats_page(*formats));
	redact(*formats, from, nr, to);
	nr_damaged = decode(*formats, names, from, nr * SUBBUF_BYTES, &old);
	MUST(decode(*formats, names, to, nr * SUBBUF_BYTES, &new) == 0);
	if (nr_damaged == 0)
		compare(&old, &new);
	kmt_batch_deinit(&old);
	kmt_batch_deinit(&new);
	(void)kmt_names_free(names);
	free(from);
	free(to);
	return 0;
}
