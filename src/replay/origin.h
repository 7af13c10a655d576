/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_ORIGIN_H
#define KMT_REPLAY_ORIGIN_H

#include "kmemtape/manifest.h"
#include "kmemtape/result.h"

/*
 * Notes on how a tape came about, where the report has to be read with that in mind.
 * @end_ns: of what is on it
 * Return: 0 or -ENOMEM.
 */
int kmt_origin_note(const struct kmt_manifest *manifest, uint64_t end_ns,
		    struct kmt_result *result);

#endif
