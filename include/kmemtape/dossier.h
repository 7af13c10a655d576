/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_DOSSIER_H
#define KMEMTAPE_DOSSIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/ledger.h"
#include "kmemtape/site.h"

/*
 * Dossiers: all that is known of a call site, gathered while its objects come and go. Memory is
 * bounded: lists take a number of lines, details of a number of objects are kept. What no longer
 * fits is missing in the lists, and never in a sum.
 */
#define KMT_DOSSIERS_MAX	32u   /* sites at once: a function has a few */
#define KMT_DOSSIER_LINES_MAX	4096u /* of each list, over all sites */
#define KMT_DOSSIER_DETAILS_MAX 4096u /* live objects at a time whose birth is remembered */
#define KMT_DOSSIER_OLDEST	10u

/* Upper ends of the bins of ages but the last: 1, 10, 100 ms, 1, 10 s, 1, 10 m, 1, 10 h. */
#define KMT_DOSSIER_AGES 10u
uint64_t kmt_dossier_age_to(unsigned int bin); /* UINT64_MAX: the last one */

enum kmt_running {
	KMT_RUNNING_TASK,
	KMT_RUNNING_SOFTIRQ,
	KMT_RUNNING_HARDIRQ,
};

/* Texts are borrowed: from the tape's names while the ledger is there, then from the result. */
struct kmt_dossier_size {
	uint64_t requested, allocated; /* bytes of one object */
	uint64_t allocs, live;
};

struct kmt_dossier_flags {
	uint32_t gfp;
	const char *text; /* "GFP_KERNEL|__GFP_ZERO" */
	uint64_t allocs;
};

/* @pid of tasks of the same name that no longer got a line of their own */
#define KMT_PID_OTHERS INT32_MIN

struct kmt_dossier_task {
	const char *comm; /* NULL unknown */
	int32_t pid;	  /* -1: an interrupt, no task; KMT_PID_OTHERS */
	enum kmt_running running;
	uint64_t allocs;
	uint64_t live; /* of the objects whose birth is remembered */
};

/* Lifetimes in nanoseconds; of @nr of the freed. */
struct kmt_lifetimes {
	uint64_t nr, min_ns, max_ns;
	double sum_ns;
};

struct kmt_dossier_freer {
	uint64_t call_site;
	uint64_t first_ns; /* of the first free: with the pid, for the symbol */
	int32_t first_pid;
	uint64_t frees;
	uint64_t in_interrupt; /* of the frees */
	struct kmt_lifetimes lifetimes;
	const char *function, *module, *taint; /* as in struct kmt_row */
	uint64_t offset, size;
	uint32_t instance;
	bool is_unknown;
	const char *lines; /* as in struct kmt_row */
};

struct kmt_dossier_object {
	uint64_t ptr, time_ns; /* trace clock, of its allocation */
	uint64_t requested, allocated;
	uint16_t cpu;
	bool has_details; /* the rest is known */
	const char *comm;
	int32_t pid;
	enum kmt_running running;
	uint32_t gfp;
	const char *gfp_text;
};

struct kmt_dossier {
	struct kmt_site site; /* the row that it is of */
	uint64_t allocs, frees, reused;
	uint64_t live;			/* of any age */
	uint64_t remembered;		/* of the live: that have details */
	struct kmt_dossier_size *sizes; /* most allocations first */
	struct kmt_dossier_flags *flags;
	struct kmt_dossier_task *tasks;	  /* most live first */
	struct kmt_dossier_freer *freers; /* most frees first */
	size_t nr_sizes, nr_flags, nr_tasks, nr_freers;
	struct kmt_dossier_object oldest[KMT_DOSSIER_OLDEST]; /* oldest first */
	size_t nr_oldest;
	uint64_t live_ages[KMT_DOSSIER_AGES], freed_ages[KMT_DOSSIER_AGES],
		reused_ages[KMT_DOSSIER_AGES];
};

void kmt_dossier_deinit(struct kmt_dossier *dossier);

/* Gathers them. */
struct kmt_dossiers;

struct kmt_dossiers_options {
	uint64_t kernel_from, kernel_to; /* as in struct kmt_ledger_options */
	uint64_t hash_seed;
};

int kmt_dossiers_new(const struct kmt_dossiers_options *options, struct kmt_dossiers **ret_dossiers,
		     struct kmt_err *err);
struct kmt_dossiers *kmt_dossiers_free(struct kmt_dossiers *dossiers);

/* What a struct kmt_watcher is told. Return: 0 or -ENOMEM. */
int kmt_dossiers_alloc(struct kmt_dossiers *dossiers, const struct kmt_account *account,
		       const struct kmt_event *event, const char *comm);
int kmt_dossiers_end(struct kmt_dossiers *dossiers, const struct kmt_account *account,
		     const struct kmt_object *object, enum kmt_end how,
		     const struct kmt_event *event, const char *comm);
int kmt_dossiers_live(struct kmt_dossiers *dossiers, const struct kmt_account *account,
		      uint64_t ptr, const struct kmt_object *object);

/* A module came or went: addresses outside the kernel may be someone else's now. */
void kmt_dossiers_pass_module(struct kmt_dossiers *dossiers);

/**
 * kmt_dossiers_assign() - @account belongs to the site @number
 * @number: below KMT_DOSSIERS_MAX
 *
 * After the last event, before kmt_ledger_finish(). Accounts of no site are left out.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_dossiers_assign(struct kmt_dossiers *dossiers, const struct kmt_account *account,
			unsigned int number);

/* Ages count back from here. Before kmt_ledger_finish(). */
void kmt_dossiers_set_end(struct kmt_dossiers *dossiers, uint64_t end_ns);

/**
 * kmt_dossiers_fill() - the dossier of a site, behind kmt_ledger_finish()
 * @ret_dossier: the caller's to kmt_dossier_deinit(); its site is left alone
 */
int kmt_dossiers_fill(const struct kmt_dossiers *dossiers, unsigned int number,
		      struct kmt_dossier *ret_dossier);

KMT_DEFINE_FREEP(struct kmt_dossiers *, kmt_dossiers_free)

#endif
