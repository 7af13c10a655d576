/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_CORE_DOSSIER_PARTS_H
#define KMT_CORE_DOSSIER_PARTS_H

#include "kmemtape/dossier.h"
#include "kmemtape/liveset.h"

#include "tally.h"

#define NO_SITE UINT32_MAX

/* How an object was allocated; or a place for that, free. */
struct detail {
	const char *comm;
	uint32_t gfp;
	int32_t pid;
	enum kmt_running running;
	uint32_t next_free;
};

/* What is kept of one account. */
struct file {
	uint32_t site; /* NO_SITE */
	unsigned int last_reused_bin;
	uint64_t freed_ages[KMT_DOSSIER_AGES], reused_ages[KMT_DOSSIER_AGES];
};

/* What is summed up for one site at the end. */
struct site {
	uint64_t allocs, frees, reused, live, remembered;
	uint64_t live_ages[KMT_DOSSIER_AGES], freed_ages[KMT_DOSSIER_AGES],
		reused_ages[KMT_DOSSIER_AGES];
	struct kmt_dossier_object oldest[KMT_DOSSIER_OLDEST];
	size_t nr_oldest;
};

struct kmt_dossiers {
	struct kmt_dossiers_options options;
	uint64_t nr_modules_passed;
	uint64_t end_ns;
	struct tally sizes;  /* by requested and allocated bytes */
	struct tally flags;  /* by gfp */
	struct tally tasks;  /* by name, pid and what ran */
	struct tally freers; /* by call site, and how many modules had passed */
	struct kmt_liveset *remembered; /* object->account is the number of a detail */
	struct detail *details;
	uint32_t first_free; /* of the details */
	struct file *files;
	size_t nr_files, room_files;
	uint32_t *by_account; /* number of a file + 1; 0: has none */
	size_t nr_by_account;
	struct site sites[KMT_DOSSIERS_MAX];
};

#endif
