/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_ADDRESSES_H
#define KMT_SHARE_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "ids.h"
#include "kmemtape/manifest.h"

/*
 * Addresses of memory to made-up ones, that tell no more than which are the same: of each page, its
 * number by first appearance; within the page, the offset. What replay needs beyond that is kept:
 * bits that a sample goes by, where an address is a multiple of more than a page, and which frames
 * a block of pages is made of.
 *
 * What a random base can be told by, where there is one:
 *
 *   x86-64   direct map, vmalloc and vmemmap: multiples of 1 GiB (arch/x86/mm/kaslr.c: PUD_MASK);
 *            text: of 2 MiB, and nothing of it is in an address of an object; modules: of a page
 *            (arch/x86/kernel/module.c until Linux 6.9, arch/x86/mm/init.c since)
 *   arm64    linear map: ARM64_MEMSTART_ALIGN, 512 MiB or more (asm/kernel-pgtable.h);
 *            text: of 2 MiB; modules: of a page (kernel/module.c)
 *   riscv64  text: of 2 MiB (mm/init.c: PMD_SIZE)
 *   s390     text: of 16 KiB (boot/startup.c: THREAD_SIZE); until Linux 6.9 text lies where it does
 * in physical memory, so that frames which nobody is ever given show where it is i386     text: of
 * CONFIG_PHYSICAL_ALIGN, 8 KiB or more, and in physical memory alike
 *
 * The offset in a page is below all of them. Between the numbers of two pages there is no relation
 * but which came first, so knowing what one of them stands for tells nothing of another: there is
 * no key that an XOR or a difference would cancel.
 *
 * A tape may know more pages than there is room to remember. Then the number is that of a block of
 * 8192 pages, in which all lie as they did: at most 512 MiB (of 64 KiB pages), which is below the
 * bases of memory of x86-64, arm64 and riscv64, whose text is elsewhere. On others it is refused.
 * 32-bit kernels' samples have no room for anything else. Pages of vmalloc areas and per-CPU memory
 * have numbers in any case, for modules are among them.
 */
#define KMT_BLOCK_PAGES_SHIFT 13u

struct kmt_addresses {
	bool is_coarse; /* numbers of blocks */
	bool is_32bit;
	uint64_t all_bits;
	unsigned int page_shift;
	unsigned int class_bits; /* samples: so many bits of a page's number are no id; else 0 */
	uint64_t page_mask;	 /* of a slab page's number, the bits that a sample goes by */
	uint64_t frame_mask;	 /* the same of page frame numbers */
	struct kmt_ids objects, areas, percpu;
	struct kmt_ids blocks; /* of more than a page, that were ever one: number << 4 | order */
	struct kmt_ids frames; /* of what is one block or page, where it begins */
	uint64_t next_frame;
	unsigned int orders; /* a bit for each that blocks has */
};

/**
 * kmt_addresses_init() - none yet
 *
 * Return: 0; -E2BIG if there can only be blocks; -ENOTSUP if the sample is of too few addresses.
 */
int kmt_addresses_init(struct kmt_addresses *addresses, const struct kmt_manifest *manifest,
		       bool is_coarse);
void kmt_addresses_deinit(struct kmt_addresses *addresses);

/* True if blocks are allowed on this architecture. */
bool kmt_addresses_may_be_coarse(const struct kmt_manifest *manifest);

/*
 * Of objects, vmalloc areas and per-CPU memory. What is no address stays: NULL, ZERO_SIZE_PTR and
 * all else below a page, and error numbers.
 *
 * Return: 0; -E2BIG if there are too many pages; -ENOMEM.
 */
int kmt_addresses_object(struct kmt_addresses *addresses, uint64_t address, uint64_t *ret_address);
int kmt_addresses_area(struct kmt_addresses *addresses, uint64_t address, uint64_t *ret_address);
int kmt_addresses_percpu(struct kmt_addresses *addresses, uint64_t address, uint64_t *ret_address);

/*
 * A block of 1 << @order page frames: all of them are noted before the first one is asked for.
 * Return: as above.
 */
int kmt_addresses_note_block(struct kmt_addresses *addresses, uint64_t frame, unsigned int order);
int kmt_addresses_frame(struct kmt_addresses *addresses, uint64_t frame, uint64_t *ret_frame);

#endif
