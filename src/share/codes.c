// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "codes.h"

#define PAGE_SHIFT_MIN 12u /* the smallest of any kernel, and what replay goes by */
#define ERRNO_MAX      4095u

/* The image's parts have holes of less: 2 MiB for its sections' rights, 16 MiB on any. */
#define KERNEL_HOLE_MAX (UINT64_C(16) << 20)

/* Between two ranges there is room for so many unknown pages. */
#define GAP_PAGES_64 (UINT64_C(1) << 20)
#define GAP_PAGES_32 UINT64_C(16)

/* Made-up places; see addresses.c. */
#define FROM_64	 UINT64_C(0x5ec0000000000000)
#define BYTES_64 (UINT64_C(1) << 32) /* of a range */
#define FROM_32	 UINT64_C(0x10000000)
#define TO_32	 UINT64_C(0x40000000)
#define BYTES_32 (UINT64_C(1) << 27)

static uint64_t page_down(const struct kmt_codes *codes, uint64_t address)
{
	return address >> codes->page_shift << codes->page_shift;
}

/* Zero of the last page: so no range ends there. */
static uint64_t page_end(const struct kmt_codes *codes, uint64_t address)
{
	uint64_t page = page_down(codes, address);
	uint64_t end = page + (UINT64_C(1) << codes->page_shift);

	return end ? end : page;
}

static uint64_t gap_pages(const struct kmt_codes *codes)
{
	return codes->is_32bit ? GAP_PAGES_32 : GAP_PAGES_64;
}

void kmt_codes_init(struct kmt_codes *codes, uint32_t long_bytes, uint32_t page_bytes)
{
	*codes = (struct kmt_codes){ .is_32bit = long_bytes == 4, .page_shift = PAGE_SHIFT_MIN };
	while (codes->page_shift < 16 && UINT64_C(1) << codes->page_shift < page_bytes)
		codes->page_shift++;
}

void kmt_codes_deinit(struct kmt_codes *codes)
{
	kmt_ids_deinit(&codes->pages);
	free(codes->ranges);
	*codes = (struct kmt_codes){ 0 };
}

uint64_t kmt_codes_bytes(const struct kmt_codes *codes, uint64_t bytes)
{
	uint64_t max = codes->is_32bit ? BYTES_32 : BYTES_64;

	return bytes < max ? bytes : max;
}

static uint64_t hole_max(const struct kmt_code_range *range)
{
	return range->is_kernel ? KERNEL_HOLE_MAX : 0;
}

/* Makes one of two that are no further apart than they may be. */
static bool join(struct kmt_code_range *range, const struct kmt_code_range *other)
{
	uint64_t hole = hole_max(range);

	if (range->is_kernel != other->is_kernel ||
	    (other->from > range->to && other->from - range->to > hole) ||
	    (range->from > other->to && range->from - other->to > hole))
		return false;
	range->from = other->from < range->from ? other->from : range->from;
	range->to = other->to > range->to ? other->to : range->to;
	return true;
}

static int append(struct kmt_codes *codes, const struct kmt_code_range *range)
{
	if (codes->nr == codes->room) {
		size_t room = codes->room ? codes->room * 2 : 256;
		struct kmt_code_range *grown =
			reallocarray(codes->ranges, room, sizeof(*codes->ranges));

		if (!grown)
			return -ENOMEM;
		codes->ranges = grown;
		codes->room = room;
	}
	codes->ranges[codes->nr++] = *range;
	return 0;
}

int kmt_codes_add(struct kmt_codes *codes, uint64_t address, uint64_t bytes, bool is_kernel)
{
	uint64_t last = address + (bytes ? kmt_codes_bytes(codes, bytes) - 1 : 0);
	struct kmt_code_range range = { .from = page_down(codes, address), .is_kernel = is_kernel };

	if (last < address || address == 0) /* kallsyms is hidden, or it wraps around */
		return 0;
	range.to = page_end(codes, last);
	if (range.to <= range.from)
		return 0;
	/* Symbols are mostly sorted: most often it is the last range again. */
	if (codes->nr && join(&codes->ranges[codes->nr - 1], &range))
		return 0;
	return codes->nr < KMT_CODE_RANGES_MAX ? append(codes, &range) : -EBADMSG;
}

static int by_address(const void *a, const void *b)
{
	const struct kmt_code_range *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return y->is_kernel - x->is_kernel;
}

/* Ascending, those that touch are one, and none overlaps another. */
static void tidy(struct kmt_codes *codes)
{
	size_t nr = 0;

	if (codes->nr)
		qsort(codes->ranges, codes->nr, sizeof(*codes->ranges), by_address);
	for (size_t i = 0; i < codes->nr; i++) {
		struct kmt_code_range range = codes->ranges[i];

		if (nr && join(&codes->ranges[nr - 1], &range))
			continue;
		if (nr && range.from < codes->ranges[nr - 1].to)
			range.from = codes->ranges[nr - 1].to; /* of the one that begins first */
		if (range.from < range.to)
			codes->ranges[nr++] = range;
	}
	codes->nr = nr;
}

int kmt_codes_place(struct kmt_codes *codes)
{
	uint64_t at = codes->is_32bit ? FROM_32 : FROM_64;
	uint64_t gap = gap_pages(codes) << codes->page_shift;
	int r;

	tidy(codes);
	for (size_t i = 0; i < codes->nr; i++) {
		struct kmt_code_range *range = &codes->ranges[i];
		uint64_t bytes = range->to - range->from;

		at += gap;
		if (bytes > (codes->is_32bit ? TO_32 - FROM_32 : BYTES_64 << 8) ||
		    (codes->is_32bit && at + bytes + gap > TO_32))
			return -EBADMSG;
		range->fake = at;
		at += bytes;
	}
	at += gap;
	r = append(codes, &(struct kmt_code_range){ UINT64_MAX, UINT64_MAX, at, 0, false });
	if (r == 0)
		codes->nr--;
	return r;
}

/* The first range that ends above @address; of those above all, the empty one. */
static struct kmt_code_range *find(const struct kmt_codes *codes, uint64_t address)
{
	size_t low = 0, high = codes->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (codes->ranges[mid].to <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return &codes->ranges[low];
}

/* The next page of the gap below @range; when it is full, always the last one. */
static uint64_t unknown_page(const struct kmt_codes *codes, struct kmt_code_range *range)
{
	uint64_t nr = gap_pages(codes);

	/* Not next to a range, as it might be taken for its last function. */
	if (range->nr_unknown < nr - 2)
		range->nr_unknown++;
	return range->fake - ((nr - range->nr_unknown) << codes->page_shift);
}

int kmt_codes_map(struct kmt_codes *codes, uint64_t address, uint64_t *ret_address)
{
	uint64_t all_bits = codes->is_32bit ? UINT32_MAX : UINT64_MAX;
	struct kmt_code_range *range;
	struct kmt_id *id;
	int r;

	*ret_address = address;
	if (address >> PAGE_SHIFT_MIN == 0 || address > all_bits - ERRNO_MAX)
		return 0;
	range = find(codes, address);
	if (address >= range->from) {
		*ret_address = range->fake + (address - range->from);
		return 0;
	}
	r = kmt_ids_get(&codes->pages, address >> codes->page_shift, &id);
	if (r < 0)
		return r;
	if (r == 0)
		id->value = unknown_page(codes, range);
	*ret_address = id->value + (address - page_down(codes, address));
	return 0;
}

int kmt_codes_map_return(struct kmt_codes *codes, uint64_t address, uint64_t *ret_address)
{
	uint64_t inside;
	int r;

	*ret_address = address;
	if (address == 0)
		return 0;
	r = kmt_codes_map(codes, address - 1, &inside);
	if (r == 0)
		*ret_address = inside + 1;
	return r;
}
