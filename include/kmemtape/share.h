/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_SHARE_H
#define KMEMTAPE_SHARE_H

#include <stdint.h>

#include "kmemtape/err.h"
#include "kmemtape/tape.h"

/*
 * What is done to a tape before it is given away. Each step reads a tape and makes a new one, a
 * directory, which is a tape like any other: so steps can follow each other, and each can be looked
 * at. kmt_pack() of tape.h makes a file of the last one.
 *
 * @tape: borrowed; read from its beginning, whatever was read of it before
 * @path: of the new tape, as kmt_tape_create(); of a failed step nothing stays
 *
 * Return: 0; as kmt_tape_create(); -EBADMSG, -ENODATA if @tape is too damaged; -ENOTSUP if that
 * can't be done to such a tape, with why; negative errno of a failed write; -ENOMEM.
 */

/**
 * kmt_share_range() - a part of the time
 * @from_ns, @to_ns: since the recording's start (manifest start_ns); what an event's time must be
 * at least, and below. The report says the same as if just this had been recorded
 */
int kmt_share_range(struct kmt_tape *tape, const char *path, uint64_t from_ns, uint64_t to_ns,
		    struct kmt_err *err);

/* What kmt_share_redact() left in, as lines for the user; zero-terminated, on the heap. */
int kmt_share_redact(struct kmt_tape *tape, const char *path, char **ret_kept, struct kmt_err *err);

/**
 * kmt_share_distill() - what a leak report needs, instead of events
 *
 * The new tape replays to the same report.
 */
int kmt_share_distill(struct kmt_tape *tape, const char *path, struct kmt_err *err);

/**
 * kmt_share_small() - the same events in a third of the room: chunks of columns (columns.h)
 *
 * All but bytes of records that are in no field, and of records that were discarded. A file that
 * was cut stays so; one that is damaged is refused (-EBADMSG). All other steps make ordinary chunks
 * again.
 */
int kmt_share_small(struct kmt_tape *tape, const char *path, struct kmt_err *err);

/**
 * kmt_share_recover() - a good tape of all that can be read of a damaged one
 * @tape, @damage: of kmt_tape_open_damaged()
 * @ret_lost: lines for the user on what is missing; "" nothing; on the heap
 */
int kmt_share_recover(struct kmt_tape *tape, const struct kmt_err *damage, const char *path,
		      char **ret_lost, struct kmt_err *err);

#endif
