// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "addresses.h"

/*
 * Where the made-up addresses are: no kernel of 64 bits has any there, since they begin with 8 to f
 * (x86-64, arm64, powerpc, mips, loongarch, riscv64) or with 0 (s390); of 32 bits, they are of user
 * space, with the usual split.
 */
#define OBJECTS_64 UINT64_C(0x5eb0000000000000)
#define AREAS_64   UINT64_C(0x5ea0000000000000)
#define PERCPU_64  UINT64_C(0x5e90000000000000)
#define FRAMES_64  UINT64_C(0x0000010000000000) /* in physical memory of 2^52 bytes at most */
#define FROM_32	   UINT64_C(0x40000000)
#define TO_32	   UINT64_C(0xc0000000)
#define FRAMES_32  UINT64_C(0x10000000)
#define FRAMES_TO  UINT64_C(0xfff00000) /* of 32 bits */

#define ERRNO_MAX      4095u /* Linux include/linux/err.h: MAX_ERRNO */
#define CLASS_BITS_MIN (KMT_BLOCK_PAGES_SHIFT + 1)
#define CLASS_BITS_MAX 20u /* a sample of 1 in a million */
#define ORDER_BITS     4u

static unsigned int bits_of(uint64_t n)
{
	unsigned int bits = 0;

	for (; n; n >>= 1)
		bits++;
	return bits;
}

bool kmt_addresses_may_be_coarse(const struct kmt_manifest *manifest)
{
	static const char *const archs[] = { "x86_64", "aarch64", "riscv64" };

	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++)
		if (strcmp(manifest->arch, archs[i]) == 0)
			return true;
	return manifest->long_bytes == 4 && manifest->sample > 1;
}

int kmt_addresses_init(struct kmt_addresses *addresses, const struct kmt_manifest *manifest,
		       bool is_coarse)
{
	unsigned int bits;

	*addresses = (struct kmt_addresses){
		.is_coarse = is_coarse,
		.is_32bit = manifest->long_bytes == 4,
		.all_bits = manifest->long_bytes == 4 ? UINT32_MAX : UINT64_MAX,
		.page_shift = bits_of(manifest->page_bytes) - 1,
		.frame_mask = manifest->sample_page_mask,
	};
	addresses->page_mask = manifest->sample_mask >> addresses->page_shift;
	if (!addresses->page_mask && !addresses->frame_mask && manifest->sample > 1)
		addresses->page_mask = manifest->sample - 1; /* tapes before there were masks */
	addresses->next_frame = addresses->is_32bit ? FRAMES_32 : FRAMES_64;
	if (!addresses->page_mask && !addresses->frame_mask)
		return 0;
	bits = bits_of(addresses->page_mask | addresses->frame_mask);
	if (bits > (is_coarse ? KMT_BLOCK_PAGES_SHIFT : CLASS_BITS_MAX))
		return -ENOTSUP;
	addresses->class_bits = bits < CLASS_BITS_MIN ? CLASS_BITS_MIN : bits;
	return addresses->is_32bit && !is_coarse ? -E2BIG : 0;
}

void kmt_addresses_deinit(struct kmt_addresses *addresses)
{
	kmt_ids_deinit(&addresses->objects);
	kmt_ids_deinit(&addresses->areas);
	kmt_ids_deinit(&addresses->percpu);
	kmt_ids_deinit(&addresses->blocks);
	kmt_ids_deinit(&addresses->frames);
}

static bool is_no_address(const struct kmt_addresses *addresses, uint64_t address)
{
	return address >> addresses->page_shift == 0 || address > addresses->all_bits - ERRNO_MAX;
}

/* The made-up page with the number @page, and the offset of @address in it. */
static int place(const struct kmt_addresses *addresses, uint64_t base, uint64_t page,
		 uint64_t address, uint64_t *ret_address)
{
	uint64_t offset = address & ((UINT64_C(1) << addresses->page_shift) - 1);

	if (addresses->is_32bit) {
		if (page >= (TO_32 - FROM_32) >> addresses->page_shift)
			return -E2BIG;
		base = FROM_32;
	}
	*ret_address = base + (page << addresses->page_shift) + offset;
	return 0;
}

/* Of a page's number, what a sample goes by, and the lowest bit: what it is a multiple of. */
static uint64_t class_of(const struct kmt_addresses *addresses, uint64_t page)
{
	uint64_t low = (UINT64_C(1) << addresses->class_bits) - 1;

	return (page & addresses->page_mask) | (page & -page & low);
}

static int number_of(struct kmt_ids *ids, uint64_t key, uint64_t *ret_number)
{
	struct kmt_id *id;
	int r = kmt_ids_get(ids, key, &id);

	if (r < 0)
		return r;
	*ret_number = id->value - 1;
	return 0;
}

int kmt_addresses_object(struct kmt_addresses *addresses, uint64_t address, uint64_t *ret_address)
{
	uint64_t page = address >> addresses->page_shift, number;
	unsigned int shift = addresses->is_coarse ? KMT_BLOCK_PAGES_SHIFT : 0;
	int r;

	*ret_address = address;
	if (is_no_address(addresses, address))
		return 0;
	r = number_of(&addresses->objects, page >> shift, &number);
	if (r < 0)
		return r;
	if (addresses->is_coarse)
		number = number << shift | (page & ((UINT64_C(1) << shift) - 1));
	else if (addresses->class_bits)
		number = number << addresses->class_bits | class_of(addresses, page);
	return place(addresses, OBJECTS_64, number, address, ret_address);
}

static int numbered(struct kmt_addresses *addresses, struct kmt_ids *ids, uint64_t base,
		    uint64_t address, uint64_t *ret_address)
{
	uint64_t number;
	int r;

	*ret_address = address;
	if (is_no_address(addresses, address))
		return 0;
	r = number_of(ids, address >> addresses->page_shift, &number);
	return r < 0 ? r : place(addresses, base, number, address, ret_address);
}

int kmt_addresses_area(struct kmt_addresses *addresses, uint64_t address, uint64_t *ret_address)
{
	return numbered(addresses, &addresses->areas, AREAS_64, address, ret_address);
}

int kmt_addresses_percpu(struct kmt_addresses *addresses, uint64_t address, uint64_t *ret_address)
{
	return numbered(addresses, &addresses->percpu, PERCPU_64, address, ret_address);
}

int kmt_addresses_note_block(struct kmt_addresses *addresses, uint64_t frame, unsigned int order)
{
	struct kmt_id *id;
	int r;

	if (addresses->is_coarse || order == 0)
		return 0;
	r = kmt_ids_get(&addresses->blocks, frame >> order << ORDER_BITS | order, &id);
	addresses->orders |= 1u << order;
	return r < 0 ? r : 0;
}

/* The largest block that @frame was ever a part of. */
static unsigned int order_of(const struct kmt_addresses *addresses, uint64_t frame)
{
	unsigned int order = KMT_BLOCK_PAGES_SHIFT;

	if (addresses->is_coarse)
		return order;
	for (; order; order--)
		if (addresses->orders & 1u << order &&
		    kmt_ids_has(&addresses->blocks, frame >> order << ORDER_BITS | order))
			return order;
	return 0;
}

int kmt_addresses_frame(struct kmt_addresses *addresses, uint64_t frame, uint64_t *ret_frame)
{
	unsigned int order = order_of(addresses, frame);
	uint64_t nr = UINT64_C(1) << order, first;
	struct kmt_id *id;
	int r;

	r = kmt_ids_get(&addresses->frames, frame >> order << ORDER_BITS | order, &id);
	if (r == 0) {
		uint64_t step = UINT64_C(1) << (addresses->is_coarse ? 0 : addresses->class_bits);

		step = step < nr ? nr : step;
		first = (addresses->next_frame + step - 1) & -step;
		if (addresses->is_32bit && first + step > FRAMES_TO)
			return -E2BIG;
		addresses->next_frame = first + step;
		id->value =
			first | (addresses->is_coarse ? 0 : frame & addresses->frame_mask & -nr);
	}
	if (r < 0)
		return r;
	*ret_frame = id->value | (frame & (nr - 1));
	return 0;
}
