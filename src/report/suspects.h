/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_SUSPECTS_H
#define KMT_REPORT_SUSPECTS_H

#include <stddef.h>
#include <stdio.h>

#include "kmemtape/result.h"

#define KMT_SUSPECTS_SHOWN 3u /* more is no first screen */

/* A row or a vmalloc row: the other is NULL. */
struct kmt_suspect {
	const struct kmt_row *row;
	const struct kmt_vmalloc_row *vmalloc;
	const struct kmt_judgement *judgement;
};

/**
 * kmt_suspects_find() - the first suspects: leaks before growth before what is uncertain
 * @suspects: KMT_SUSPECTS_SHOWN of them, borrowed from @result
 *
 * Return: how many there are.
 */
size_t kmt_suspects_find(const struct kmt_result *result, struct kmt_suspect *suspects);

/* Why each is called what it is called, and what speaks against it. */
void kmt_suspects_print(const struct kmt_result *result, const struct kmt_suspect *suspects,
			size_t nr, FILE *file);

#endif
