/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_REBUILD_H
#define KMT_SHARE_REBUILD_H

#include "kmemtape/tape.h"

/**
 * kmt_rebuild_manifest() - fill the manifest of a tape that has none with what its files tell
 * @tape: of kmt_tape_open_damaged(), with long_bytes 0
 *
 * Nothing is taken for granted that would make the report accuse anybody: of free probes, it says
 * that they are not known to have worked. Pairs need the manifest; their events are left out.
 *
 * Return: 0; -EBADMSG if events/header_page is gone, too, without which nothing can be read;
 * -ENOMEM.
 */
int kmt_rebuild_manifest(struct kmt_tape *tape, struct kmt_err *err);

#endif
