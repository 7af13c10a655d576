/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_LIVESET_H
#define KMEMTAPE_LIVESET_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/quota.h"

/* The objects that are allocated and not freed, by address. One address space: never mix kernel
 * addresses with page frame numbers or per-CPU offsets. */
struct kmt_liveset;

struct kmt_object {
	uint64_t time_ns; /* of its allocation */
	uint32_t account;
	uint32_t bytes_req; /* UINT32_MAX: that much or more */
	uint32_t displaced; /* account + 1 of the object that was live at ptr before; 0: none was */
	uint16_t cpu;	    /* that allocated it */
	uint8_t is_deferred; /* given to kfree_rcu(): not live any more, its memory not yet free */
	uint8_t displaced_bin; /* kmt_age_bin() of its age, when it was displaced */
};

static_assert(sizeof(struct kmt_object) == 24, "with its address 32: the memory bound of replay");

int kmt_liveset_new(struct kmt_liveset **ret_set, struct kmt_err *err);
struct kmt_liveset *kmt_liveset_free(struct kmt_liveset *set);

/*
 * Hash addresses with a secret: who makes a tape cannot choose them to collide, then. Nothing that
 * can be seen depends on it. Before the first kmt_liveset_add().
 */
void kmt_liveset_set_seed(struct kmt_liveset *set, uint64_t seed);

/* @quota: borrowed; what the set may have is a part of it. Likewise before. */
void kmt_liveset_set_quota(struct kmt_liveset *set, struct kmt_quota *quota);

enum {
	KMT_OBJECT_NEW = 0,  /* the object is the caller's to fill */
	KMT_OBJECT_LIVE = 1, /* there is one already: *ret_object */
};

/**
 * kmt_liveset_add() - find the object at @ptr, or make room for one
 * @ptr: any address but 0
 * @ret_object: borrowed, until the next call that adds or removes
 *
 * Return: an answer above; -ENOMEM, or -EOVERFLOW as kmt_quota_take(), with @set unchanged.
 */
int kmt_liveset_add(struct kmt_liveset *set, uint64_t ptr, struct kmt_object **ret_object);

/* Return: borrowed as above; NULL if there is none. */
struct kmt_object *kmt_liveset_find(struct kmt_liveset *set, uint64_t ptr);

/* Takes out the object at @ptr, which one of the calls above gave. */
void kmt_liveset_remove(struct kmt_liveset *set, uint64_t ptr, struct kmt_object *object);

/*
 * Say that @ptr will be asked for soon: its cache lines are fetched meanwhile. The first call is
 * for what tells where the object is, the second one, when that has come, for the object.
 */
void kmt_liveset_prefetch(const struct kmt_liveset *set, uint64_t ptr);
void kmt_liveset_prefetch_object(const struct kmt_liveset *set, uint64_t ptr);

uint64_t kmt_liveset_size(const struct kmt_liveset *set);

/* Most objects that were live at once. */
uint64_t kmt_liveset_peak(const struct kmt_liveset *set);

/* Tells its quota what the set has had by now. Return: 0, -EOVERFLOW. */
int kmt_liveset_tell(struct kmt_liveset *set);

/* Calls @visit for each object, in no particular order. The set must not change meanwhile. */
void kmt_liveset_walk(const struct kmt_liveset *set,
		      void (*visit)(void *context, uint64_t ptr, const struct kmt_object *object),
		      void *context);

KMT_DEFINE_FREEP(struct kmt_liveset *, kmt_liveset_free)

#endif
