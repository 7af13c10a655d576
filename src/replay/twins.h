/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_TWINS_H
#define KMT_REPLAY_TWINS_H

#include "kmemtape/result.h"

/*
 * Areas of vmalloc are seen twice where their events were recorded, too: a caller in vmallocinfo
 * and a row are one finding, of which the row knows more. It has no word where it may have missed
 * something that the counters saw.
 *
 * @rows: by site, judged
 * @result: reconciliation.vmallocs are judged; those that have a twin are marked
 */
void kmt_twins_mark(const struct kmt_row *rows, size_t nr, struct kmt_result *result);

#endif
