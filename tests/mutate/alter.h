/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_MUTATE_ALTER_H
#define KMT_TESTS_MUTATE_ALTER_H

#include "files.h"

#define STORY_BYTES 1024

/* What became of a tape, and what may therefore be asked of it. */
struct alteration {
	char story[STORY_BYTES]; /* for whoever reads of a failure */
	bool is_cut;		 /* nothing but less: no leak may look likelier than before */
	bool is_odd;		 /* with what can't be packed: links, pipes, directories */
};

/* alter() - up to three changes that depend on @state only */
void alter(struct files *files, uint64_t *state, struct alteration *ret_alteration);

#endif
