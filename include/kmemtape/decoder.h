/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_DECODER_H
#define KMEMTAPE_DECODER_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/event.h"
#include "kmemtape/formats.h"
#include "kmemtape/names.h"
#include "kmemtape/stacks.h"

/*
 * Raw sub-buffers of one CPU to events. The ring buffer's own format is that of Linux
 * include/linux/ring_buffer.h (enum ring_buffer_type) and kernel/trace/ring_buffer.c; any byte
 * order and word size. libtraceevent's kbuffer reads the same, and is what the tests compare with.
 */
struct kmt_decoder;

/* Events in order, reused from one call to the next. */
struct kmt_batch {
	struct kmt_event *events;
	size_t nr, room;
};

void kmt_batch_deinit(struct kmt_batch *batch);

struct kmt_decoder_stats {
	uint64_t damaged_subbufs; /* left off where they stopped making sense */
	uint64_t backward_times;  /* events that were older than the one before: set to its time */
	uint64_t other_events;	  /* records of events that are none of ours */
	struct kmt_err damage;	  /* about the first damaged one */
};

/**
 * kmt_decoder_new() - a decoder for one CPU
 * @formats: borrowed, must outlive the decoder; may be shared
 * @names: likewise
 * @stacks: likewise; NULL: stacks are passed over
 */
int kmt_decoder_new(const struct kmt_formats *formats, struct kmt_names *names,
		    struct kmt_stacks *stacks, uint16_t cpu, struct kmt_decoder **ret_decoder,
		    struct kmt_err *err);
struct kmt_decoder *kmt_decoder_free(struct kmt_decoder *decoder);

/*
 * Where a decoder looks names up first: 36 KiB. If each of hundreds of decoders had its own, none
 * would stay in the processor's cache.
 */
struct kmt_decoder_cache;

int kmt_decoder_cache_new(struct kmt_decoder_cache **ret_cache, struct kmt_err *err);
struct kmt_decoder_cache *kmt_decoder_cache_free(struct kmt_decoder_cache *cache);

/* For the runs to come, instead of its own: of decoders that have the same names, one at a time. */
void kmt_decoder_set_cache(struct kmt_decoder *decoder, struct kmt_decoder_cache *cache);

/**
 * kmt_decoder_run() - decode sub-buffers that follow the ones before
 * @raw: whole sub-buffers, untrusted
 * @bytes: a multiple of the sub-buffer size
 * @name: how messages call the file
 * @offset: of @raw in it, for messages: raw bytes before it
 * @batch: events are added at its end
 *
 * A sub-buffer that makes no sense is read up to there; the rest counts as a loss.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_decoder_run(struct kmt_decoder *decoder, const void *raw, size_t bytes, const char *name,
		    uint64_t offset, struct kmt_batch *batch);

/**
 * kmt_decoder_finish() - no more sub-buffers
 *
 * A stack follows its allocation, so that the last events of a run may wait for it until the next
 * one: here they come.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_decoder_finish(struct kmt_decoder *decoder, struct kmt_batch *batch);

/* Data is missing here: the next event is preceded by a KMT_EVENT_LOSS of unknown size. */
void kmt_decoder_note_gap(struct kmt_decoder *decoder);

const struct kmt_decoder_stats *kmt_decoder_stats(const struct kmt_decoder *decoder);

KMT_DEFINE_FREEP(struct kmt_decoder *, kmt_decoder_free)

#endif
