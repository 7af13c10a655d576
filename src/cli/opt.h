/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_OPT_H
#define KMT_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One table for each command: it feeds parsing, range errors, --help, and the tests that read the
 * man page. Long options take "--name VALUE" and "--name=VALUE"; "--" ends the options.
 */
enum kmt_opt_type {
	KMT_OPT_FLAG, /* value: bool */
	KMT_OPT_TEXT, /* value: const char *, borrowed from argv */
	KMT_OPT_LIST, /* value: struct kmt_opt_list; can be given several times */
	KMT_OPT_UINT, /* value: uint64_t, within min..max */
	KMT_OPT_TIME, /* value: uint64_t nanoseconds, within min..max */
	KMT_OPT_SIZE, /* value: uint64_t bytes, within min..max */
	KMT_OPT_WORD, /* value: int, index into words[] */
};

#define KMT_OPT_LIST_MAX 16

struct kmt_opt_list {
	const char *texts[KMT_OPT_LIST_MAX]; /* borrowed from argv */
	size_t nr;
};

struct kmt_opt {
	char letter; /* 0: has none */
	const char *name;
	const char *arg; /* how --help calls the value; NULL for flags */
	enum kmt_opt_type type;
	void *value; /* left as it is when the option isn't given */
	uint64_t min, max;
	const char *const *words;      /* NULL-terminated */
	const char *const *word_helps; /* as many, each a part of a line; NULL: help has it all */
	const char *help;	       /* a line or more, "\n" between them */
};

struct kmt_command {
	const char *name;		   /* "record" */
	const char *summary;		   /* half a line */
	const char *usage;		   /* behind "kmemtape record " */
	const char *notes;		   /* below the options in --help; NULL for none */
	int (*run)(int argc, char **argv); /* Return: exit code */
};

/* Answers of kmt_opt_parse() */
enum {
	KMT_OPT_RUN = 0,  /* go on; *ret_first is the first operand */
	KMT_OPT_DONE = 1, /* --help was printed: exit 0 */
};

#define KMT_EXIT_DONE	0
#define KMT_EXIT_FAILED 1
#define KMT_EXIT_USAGE	2
#define KMT_EXIT_LEAKS	3

/**
 * kmt_opt_parse() - parse argv[1..], operands and options in any order, until "--"
 * @opts: ends with an entry without a name; --help is added
 * @ret_first: argv is permuted so that the operands are argv[*ret_first..argc-1]
 *
 * Return: an answer above, or -EINVAL: one line was printed to stderr, exit 2.
 */
int kmt_opt_parse(const struct kmt_command *command, const struct kmt_opt *opts, int argc,
		  char **argv, int *ret_first);

/* A line on stdout. Names from a tape may be in it: what a terminal would heed is escaped. */
void kmt_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same of lines, each with its end. Of very long ones, the end is cut. */
void kmt_print_lines(const char *text);

/* The same on stderr, as "kmemtape COMMAND: TEXT". Return: @exit_code. */
int kmt_complain(const struct kmt_command *command, int exit_code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

extern const struct kmt_command kmt_command_record, kmt_command_replay, kmt_command_info,
	kmt_command_verify, kmt_command_doctor, kmt_command_import, kmt_command_export,
	kmt_command_pack, kmt_command_recover, kmt_command_diff, kmt_command_merge;

#endif
