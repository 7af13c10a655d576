/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_NEW_TAPE_H
#define KMT_RECORD_NEW_TAPE_H

#include <stdbool.h>

#include "kmemtape/err.h"

/* The tape being made: can be dropped again as long as nothing was recorded. */
struct kmt_new_tape {
	const char *path; /* borrowed */
	int fd;
	int reserve_fd;	 /* a file without a name, to have disk space for the last writes */
	bool had_directory; /* an empty one, made by the user */
	bool is_kept;
};

#define KMT_NEW_TAPE_NONE { .fd = -1, .reserve_fd = -1 }

int kmt_new_tape_create(struct kmt_new_tape *tape, const char *path, struct kmt_err *err);

/* Give the reserved disk space back. */
void kmt_new_tape_use_reserve(struct kmt_new_tape *tape);

/* A guard: closes; removes all of the tape unless it is kept. */
void kmt_new_tape_release(struct kmt_new_tape *tape);

#endif
