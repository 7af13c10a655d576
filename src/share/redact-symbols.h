/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_REDACT_SYMBOLS_H
#define KMT_SHARE_REDACT_SYMBOLS_H

#include "codes.h"
#include "kmemtape/tape.h"

/*
 * symbols/: where code was, and the same with made-up addresses. What is missing on the tape, or
 * cannot be read, is missing on the new one.
 */

/**
 * kmt_redact_find_code() - fill @codes with all that the tape knows, and place it
 *
 * Return: 0; -EBADMSG if that is more than a kernel can have; -ENOMEM.
 */
int kmt_redact_find_code(const struct kmt_tape *tape, struct kmt_codes *codes, struct kmt_err *err);

/**
 * kmt_redact_symbols() - write symbols/ of the new tape @dirfd
 *
 * Return: 0; negative errno of a write; -E2BIG, -ENOMEM as kmt_codes_map().
 */
int kmt_redact_symbols(const struct kmt_tape *tape, struct kmt_codes *codes, int dirfd,
		       struct kmt_err *err);

#endif
