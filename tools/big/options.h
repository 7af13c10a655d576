/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_BIG_OPTIONS_H
#define KMEMTAPE_TOOLS_BIG_OPTIONS_H

#include "load.h"

/* What both programs are told on the command line. */
struct options {
	struct load load;
	const char *formats; /* directory */
	bool is_repeating;
};

/* What the options are, for --help. */
#define OPTIONS_HELP                                                                 \
	"  --events N      at least so many [10M]\n"                                 \
	"  --cpus N        [2]\n"                                                    \
	"  --live N        objects that are live all the time, at least [100K]\n"    \
	"  --sites N       that allocate [300]\n"                                    \
	"  --formats DIR   of the kernel that it is as if of [" BIG_FORMATS_DIR "]\n" \
	"Numbers may end in K, M or G: thousands.\n"

/* After that, everything happens again. All CPUs have worked on all groups, which must be so. */
#define OPTIONS_PERIOD_ROUNDS 256u

/* Return: index of the first operand, or -1: it was told what is wrong. */
int options_parse(int argc, char **argv, struct options *options);

#endif
