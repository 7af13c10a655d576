/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_LOSS_H
#define KMT_REPLAY_LOSS_H

#include <stdint.h>

#include "kmemtape/judgement.h"
#include "kmemtape/ledger.h"
#include "kmemtape/manifest.h"
#include "kmemtape/result.h"

/* Events that happened and are not on the tape. */

/**
 * kmt_loss_book() - book what was lost without a mark in a sub-buffer
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_loss_book(struct kmt_ledger *ledger, const struct kmt_manifest *manifest, uint64_t end_ns);

/* How many they are by marks on the tape, or by the kernel's own count where that is more. */
uint64_t kmt_loss_known(const struct kmt_ledger *ledger, const struct kmt_manifest *manifest);

/**
 * kmt_loss_if_all_read() - how many they are, some places not telling their number
 * @other_events: records that are no event of the ledger's
 *
 * These are among those that the kernel has counted, unless something got lost behind its back: a
 * page, a chunk. That can't be if all that it gave us to read is on the tape.
 *
 * Return: KMT_UNKNOWN if it isn't.
 */
uint64_t kmt_loss_if_all_read(const struct kmt_ledger *ledger, const struct kmt_manifest *manifest,
			      uint64_t other_events);

/*
 * Disturbances: somebody else changed something in the recorder's tracefs instance, and nobody
 * knows how much is missing of that time. Each is a KMT_EVENT_LOSS of unknown size, to be booked
 * when it ended, among the events.
 */

/*
 * When the one behind the first @nr_booked ended, or the recording began if that was later, but not
 * before @last_ns, when the one before it was booked. UINT64_MAX: there is none.
 */
uint64_t kmt_loss_next_ns(const struct kmt_manifest *manifest, size_t nr_booked, uint64_t last_ns);

/* The event of the @i-th, at @time_ns. */
struct kmt_event kmt_loss_of(const struct kmt_manifest *manifest, size_t i, uint64_t time_ns);

/* A note for each. Return: 0 or -ENOMEM. */
int kmt_loss_note(const struct kmt_manifest *manifest, struct kmt_result *result);

#endif
