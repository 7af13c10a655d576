/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_SYMBOLS_CUT_H
#define KMT_SHARE_SYMBOLS_CUT_H

#include <stddef.h>
#include <stdint.h>

/**
 * kmt_symbols_cut() - lines of kallsyms, without those that nobody asks for
 * @text: @bytes and a zero byte
 * @addresses: return addresses, ascending: looked up in what is left, by kmt_symbols_look_up() and
 *	the like, each is what it is in all of @text
 * @ret_text: on the heap, with a zero byte
 *
 * What is left also tells where the kernel's own code is, _stext, and where modules are that no
 * other list has: so a few lines of each module stay.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_symbols_cut(const char *text, size_t bytes, const uint64_t *addresses, size_t nr_addresses,
		    char **ret_text, size_t *ret_bytes);

#endif
