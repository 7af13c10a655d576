// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "kmemtape/decoder.h"
#include "kmemtape/ledger.h"

#include "fuzz.h"

/*
 * Input: a digit, then sub-buffers of 4096 bytes, the last filled up with zeros. Of the digit, bit
 * 0 means big-endian, bit 1 a 32-bit kernel, bit 2 that the commit of each sub-buffer is made to
 * fit. What comes of it goes into the books, which have to agree with themselves.
 */
#define SUBBUF_BYTES 4096u

static const char *const events[] = {
	"kmem:kmalloc",
	"kmem:kfree",
	"kmem:kmem_cache_alloc",
	"kmem:kmem_cache_free",
	"module:module_load",
	"task:task_rename",
	"kmem:mm_page_alloc",
	"kmem:mm_page_free",
	"kmem:mm_page_free_batched",
	"percpu:percpu_alloc_percpu",
	"percpu:percpu_free_percpu",
	"vmalloc:alloc_vmap_area",
	"vmalloc:free_vmap_area_noflush",
	"ftrace:kernel_stack",
};

static const char *const probes[] = { "rcu_free",	  "bulk_free",	       "bulk_free_more",
				      "vma_new",	  "vma_del",	       "pair_dentry_alloc",
				      "pair_dentry_free", "pair_device_alloc", "pair_device_free" };

static const char *const pairs[] = { "dentry", "device" };

static void load_file(struct kmt_formats *formats, const char *kernel, const char *event)
{
	struct kmt_err err = { "" };
	char path[128], *text;
	size_t bytes;

	(void)snprintf(path, sizeof(path), "formats/%s/%s/format", kernel, event);
	*strchr(path, ':') = '/';
	text = fuzz_read_fixture(path, &bytes);
	MUST(kmt_formats_add(formats, event, text, bytes, &err) == 0);
	free(text);
}

static struct kmt_formats *load(bool is_big_endian, bool is_32bit)
{
	const char *kernel = is_32bit ? "i386" : "6.18";
	struct kmt_formats *formats;
	struct kmt_err err = { "" };
	char path[128], *text;
	size_t bytes;

	(void)snprintf(path, sizeof(path), "formats/%s/header_page", kernel);
	text = fuzz_read_fixture(path, &bytes);
	MUST(kmt_formats_new(is_big_endian, is_32bit ? 4 : 8, text, bytes, &formats, &err) == 0);
	free(text);
	kmt_formats_set_pairs(formats, pairs, 2);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		load_file(formats, kernel, events[i]);
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		(void)snprintf(path, sizeof(path), "kmemtape:%s", probes[i]);
		load_file(formats, is_32bit ? kernel : "6.12", path);
	}
	MUST(kmt_formats_page(formats)->subbuf_bytes == SUBBUF_BYTES);
	return formats;
}

static void fit_commit(uint8_t *subbuf, const struct kmt_page_layout *page)
{
	uint32_t room = SUBBUF_BYTES - page->data_offset;
	size_t high = page->is_big_endian ? page->commit_offset + page->commit_bytes - 2u
					  : page->commit_offset + 1u;
	size_t low = page->is_big_endian ? high + 1 : high - 1;
	uint32_t commit = (uint32_t)subbuf[high] << 8 | subbuf[low];

	if (commit > room)
		commit %= room + 1;
	subbuf[high] = (uint8_t)(commit >> 8);
	subbuf[low] = (uint8_t)commit;
}

static void check(const struct kmt_batch *batch, size_t nr_subbufs, size_t long_bytes)
{
	uint64_t last_ns = 0;

	/* An event takes the room of an address; besides, each sub-buffer may tell of one loss. */
	MUST(batch->nr <= nr_subbufs * (SUBBUF_BYTES / long_bytes + 2));
	for (size_t i = 0; i < batch->nr; i++) {
		const struct kmt_event *event = &batch->events[i];

		MUST(kmt_event_kind_name(event->kind));
		MUST(event->time_ns >= last_ns);
		MUST(event->kind != KMT_EVENT_LOSS || event->since_ns <= event->time_ns);
		MUST(!event->text || strlen(event->text) <= KMT_NAME_BYTES_MAX);
		MUST(event->cpu == 3);
		last_ns = event->time_ns;
	}
}

/* All that lives is in some account, and all that came is there or went. */
static void check_books(const struct kmt_ledger *ledger)
{
	const struct kmt_totals *totals = kmt_ledger_totals(ledger);
	const struct kmt_account *accounts;
	uint64_t live = 0;
	size_t nr;

	accounts = kmt_ledger_accounts(ledger, &nr);
	for (size_t i = 0; i < nr; i++) {
		MUST(kmt_account_live(&accounts[i]) < UINT64_MAX / 2);
		MUST(kmt_account_live(&accounts[i]) == accounts[i].live_objects);
		live += accounts[i].live_objects;
	}
	MUST(live == totals->live);
	MUST(totals->live <= totals->peak_live);
}

static void book(const struct kmt_batch *batch)
{
	struct kmt_ledger_options options = { .page_bytes = 4096, .counted_pairs = 2 };
	struct kmt_ledger *ledger;

	MUST(kmt_ledger_new(&options, &ledger, NULL) == 0);
	for (size_t i = 0; i < batch->nr; i++)
		MUST(kmt_ledger_take(ledger, &batch->events[i]) == 0);
	MUST(kmt_ledger_finish(ledger, 0, 0, 0) == 0);
	check_books(ledger);
	(void)kmt_ledger_free(ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kmt_formats *loaded[4];
	size_t nr_subbufs = size > 1 ? (size - 1 + SUBBUF_BYTES - 1) / SUBBUF_BYTES : 0;
	const struct kmt_formats *formats;
	struct kmt_batch batch = { 0 };
	struct kmt_decoder *decoder;
	struct kmt_names *names;
	struct kmt_stacks *stacks;
	uint8_t *raw;

	if (nr_subbufs == 0)
		return 0;
	if (!loaded[data[0] & 3])
		loaded[data[0] & 3] = load(data[0] & 1, data[0] & 2);
	formats = loaded[data[0] & 3];
	raw = calloc(nr_subbufs, SUBBUF_BYTES);
	MUST(raw && kmt_names_new(&names, NULL) == 0 && kmt_stacks_new(0, 0, &stacks, NULL) == 0);
	MUST(kmt_decoder_new(formats, names, stacks, 3, &decoder, NULL) == 0);
	memcpy(raw, data + 1, size - 1);
	for (size_t i = 0; i < nr_subbufs && data[0] & 4; i++)
		fit_commit(raw + i * SUBBUF_BYTES, kmt_formats_page(formats));
	MUST(kmt_decoder_run(decoder, raw, nr_subbufs * SUBBUF_BYTES, "fuzz", 0, &batch) == 0);
	MUST(kmt_decoder_finish(decoder, &batch) == 0);
	check(&batch, nr_subbufs, data[0] & 2 ? 4 : 8);
	book(&batch);
	MUST(kmt_decoder_stats(decoder)->damaged_subbufs <= nr_subbufs);
	kmt_batch_deinit(&batch);
	(void)kmt_decoder_free(decoder);
	(void)kmt_names_free(names);
	(void)kmt_stacks_free(stacks);
	free(raw);
	return 0;
}
