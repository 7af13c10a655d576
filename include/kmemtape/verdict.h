/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_VERDICT_H
#define KMEMTAPE_VERDICT_H

#include "kmemtape/result.h"

/**
 * kmt_verdict_make() - what the first line says
 * @result: its totals, times, grace_ns, has_free_probes and reconciliation (vmallocs judged) are
 *	read; its verdict is filled
 * @rows: judged, *by site* whatever the result is grouped by; in any order; suppressed ones are
 *	marked
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_verdict_make(struct kmt_result *result, const struct kmt_row *rows, size_t nr_rows);

#endif
