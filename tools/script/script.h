/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_SCRIPT_H
#define KMEMTAPE_TOOLS_SCRIPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kmemtape/err.h"

/*
 * The text form of a tape. Lines of words; `#` at the start of a word begins a comment. In any
 * word, \xNN is a byte. First what concerns the whole tape (see script-header.c for the plain
 * ones):
 *
 *   kernel 6.18.0
 *   formats 6.18 pages stacks     a directory of tests/formats, or a path with a slash in it; and
 *                         which events the tape has beside those of the slab: pages, percpu,
 *                         vmalloc, areas (of vmalloc, by probes), pairs, stacks
 *   endian little         or big;  long 8, or 4
 *   cpu 3                 has a file, even if no event
 *   recorder_pid 77
 *   filter kmem:kmalloc bytes_alloc >= 4096     a condition of the kernel on these
 *   disturbed FROM TO FILE        somebody else changed this file of the recorder's tracefs instance
 *   pair dentry d_alloc __d_free [module=M] [count]     functions that were recorded as the events
 *                         pair_dentry_alloc and pair_dentry_free; their formats are the group pairs
 *   stats CPU overrun=N commit_overrun=N dropped=N read=N
 *   symbol ffffffff81000000 T name [module]
 *   module load TIME NAME SIZE ADDRESS TAINT BUILD-ID
 *   module unload TIME NAME
 *   module_symbol LINE ffffffffc0000000 t name       LINE counts the `module` lines from 1
 *   comm PID NAME
 *   snapshot TIME WHY     of the kernel's own counters; WHY: start, interval or end. Then its text,
 *   | ==> /proc/meminfo <==     each line behind a bar and a space, as it is: no comments, no \xNN
 *   | MemTotal: 4096 kB         in it. A bar alone is an empty line
 *
 * then what happened, for each CPU in the order of its ring buffer:
 *
 *   TIME CPU [abs|extend] EVENT key=value...
 *   TIME CPU lost N       N events are missing here; `?`: nobody knows how many
 *   TIME CPU subbuf       a new sub-buffer, though this one isn't full
 *   TIME CPU pad BYTES    a discarded record; `rest`: up to the end of the sub-buffer
 *   TIME CPU chunk        end a chunk; the CPU was drained up to TIME
 *   TIME CPU mark         the same for a CPU that had nothing to say
 *
 * Keys are the fields of the event's format file. Short names: pid (common_pid; in task events,
 * the task that is spoken of, and `by` is common_pid), flags, preempt, gfp, comm. What isn't given
 * is 0; node is -1, bytes_alloc is bytes_req. A call_site may be `function+0x10`. In an event that
 * has a field `flags`, common_flags has its long name.
 *
 * A stack is the event kernel_stack, of the allocation before it: caller=ADDRESS,... innermost
 * first, pid= and flags= as of that one. Its size is the number of addresses, unless size= comes
 * behind them.
 *
 * The time goes into the record as the kernel would write it; `extend` and `abs` force a time
 * extend or an absolute time stamp before the record. A time that goes backwards takes `abs` by
 * itself.
 */
#define SCRIPT_WORDS_MAX 64
#define SCRIPT_TEXT_MAX	 512

struct script {
	const char *name;
	FILE *file;
	unsigned int number; /* of the line */
	char *line;
	size_t room;
	char *words[SCRIPT_WORDS_MAX];
	size_t nr_words; /* never 0 after SCRIPT_LINE */
	const char *
		verbatim; /* what is behind the bar of a line that is the one word `|`; else NULL */
};

enum { SCRIPT_END = 0, SCRIPT_LINE = 1 };

int script_open(struct script *script, const char *name, struct kmt_err *err);
void script_close(struct script *script);

/* Return: SCRIPT_LINE with the next line that has words, SCRIPT_END, or negative errno. */
int script_next(struct script *script, struct kmt_err *err);

/* kmt_fail() with file and line in front. Return: -EINVAL. */
int script_fail(const struct script *script, struct kmt_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Word @at as a number: decimal, maybe negative, or 0x.... */
int script_number(const struct script *script, size_t at, uint64_t min, uint64_t max,
		  uint64_t *ret_n, struct kmt_err *err);

/* The words from @from on, put together with single spaces, \xNN undone. */
int script_text(const struct script *script, size_t from, char text[SCRIPT_TEXT_MAX],
		struct kmt_err *err);

/* Undo \xNN in place. */
void script_unescape(char *text);

/* The other way. @is_word: spaces are escaped too; else only those that would get lost. */
void script_put_text(FILE *out, const char *text, int is_word);

#endif
