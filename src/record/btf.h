/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_BTF_H
#define KMT_RECORD_BTF_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/err.h"

/*
 * The kernel's own description of its functions and structures (Documentation/bpf/btf.rst). Just enough of
 * it to tell what a probe would find in their arguments.
 */
#define KMT_BTF_PARAMS_MAX 8

/**
 * kmt_btf_signature() - what the parameters of a function are
 * @btf: /sys/kernel/btf/vmlinux, in this machine's byte order
 * @ret_signature: a letter for each: 'p' a pointer, 'f' a pointer to a function, 'i' an integer, '?'
 * anything else
 *
 * Return: 1 found; 0 there is no such function, or it has too many parameters; -EBADMSG if @btf makes no
 * sense; -EPROTONOSUPPORT if it has what is newer than us; -ENOMEM.
 */
int kmt_btf_signature(const void *btf, size_t bytes, const char *function,
		      char ret_signature[KMT_BTF_PARAMS_MAX + 1], struct kmt_err *err);

/**
 * kmt_btf_member() - where a member of a structure is
 * @structure, @member: "vm_struct", "caller"; a member of what has no name in it is a member, too
 * @ret_offset: bytes from its begin
 *
 * Return: 1 found; 0 there is no such thing, or it doesn't begin with a byte; errors as above.
 */
int kmt_btf_member(const void *btf, size_t bytes, const char *structure, const char *member,
		   uint32_t *ret_offset, struct kmt_err *err);

#endif
