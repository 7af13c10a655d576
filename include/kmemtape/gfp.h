/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_GFP_H
#define KMEMTAPE_GFP_H

#include <stddef.h>
#include <stdint.h>

/*
 * The names of allocation flags. Which bit is which changes with the kernel's version and
 * configuration; the table that it prints its own events with is part of their format files.
 */
#define KMT_GFP_NAMES_MAX  64u /* Linux 6.18 has 37 */
#define KMT_GFP_NAME_BYTES 32u
#define KMT_GFP_TEXT_BYTES 512u

struct kmt_gfp_names {
	size_t nr; /* 0: the format file has none */
	struct {
		uint32_t mask;
		char name[KMT_GFP_NAME_BYTES];
	} entries[KMT_GFP_NAMES_MAX];
};

/**
 * kmt_gfp_names_init() - find the table in a format file
 * @text: of kmem:kmalloc or the like; untrusted. What makes no sense is passed over
 */
void kmt_gfp_names_init(struct kmt_gfp_names *names, const char *text, size_t bytes);

/**
 * kmt_gfp_format() - "GFP_KERNEL|__GFP_ZERO"
 *
 * As the kernel does it: the first entry that fits takes its bits, what is left over is a number.
 *
 * Return: @buf
 */
const char *kmt_gfp_format(const struct kmt_gfp_names *names, uint32_t gfp,
			   char buf[KMT_GFP_TEXT_BYTES]);

#endif
