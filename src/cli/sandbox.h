/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_SANDBOX_H
#define KMT_CLI_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kmemtape/err.h"

/*
 * A process that reads what others have written first gives away what it doesn't need for that: so
 * whatever a hostile file makes of it can read that file, and write to the output. By landlock
 * (files), seccomp (system calls: no exec, no sockets, no other process), no_new_privs, and without
 * root's capabilities but for those that let it open files of other users. Kernels that lack one of
 * the first two do without it; kmt_sandbox_describe() tells.
 */

#define KMT_SANDBOX_PATHS_MAX                                               \
	1048 /* KMT_SUMMARIES_MAX, and what a sanitizer or a debugger wants \
	      */

struct kmt_sandbox {
	const char *reads[KMT_SANDBOX_PATHS_MAX];  /* files, or directories with all beneath; what
						      isn't there is passed over */
	const char *writes[KMT_SANDBOX_PATHS_MAX]; /* the same; may be read, too */
	size_t nr_reads, nr_writes;
	bool has_terminal; /* that is drawn on, and whose modes are set: open already */
	bool has_network; /* debuginfod wants it, and threads, pipes, and the like */
	pid_t child;	  /* that may be killed, and sent to by a socket; 0: none */
};

/* Paths are borrowed until kmt_sandbox_enter(); NULL is passed over. */
void kmt_sandbox_read(struct kmt_sandbox *sandbox, const char *path);
void kmt_sandbox_write(struct kmt_sandbox *sandbox, const char *path);

/**
 * kmt_sandbox_enter() - for the rest of this process and of those that it makes
 *
 * Before there are threads. Descriptors that are open stay as they are.
 *
 * Return: 0; negative errno if the kernel has it, and refused it: then nothing should be read.
 */
int kmt_sandbox_enter(const struct kmt_sandbox *sandbox, struct kmt_err *err);

/* "landlock 7, seccomp", "no landlock, no seccomp": what there is here and in this build. */
const char *kmt_sandbox_describe(char *buffer, size_t size);

#endif
