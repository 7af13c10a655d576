/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_MUTATE_COMMANDS_H
#define KMT_TESTS_MUTATE_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "child.h"
#include "files.h"
#include "report.h"

/* A tape goes through commands, and what they say has to make sense. */
struct trial {
	const struct files *files; /* the tape */
	const char *directory;	   /* to work in; holds nothing else between two trials */
	bool is_odd;		   /* see alter.h */
	bool is_all;		   /* all commands, not just some */
	bool is_plain;		   /* just the two that each tape goes through */
	bool finds_leaks;	   /* of the commands themselves */
	uint64_t state;		   /* of what is chosen at random */

	struct report report; /* of `replay --format json` */
	bool is_good;	      /* verify says so */
	unsigned int commands;
	long rss_kib, cpu_ms;	/* the most that a command took */
	char problem[512];	/* "": none */
	struct outcome outcome; /* of the command with the problem */
};

/* commands_find() - which commands this kmemtape has */
void commands_find(void);

/* commands_try() - on the tape, as DIRECTORY/tape */
void commands_try(struct trial *trial);

#endif
