// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/units.h"

#include "complete.h"
#include "opt.h"

#define HELP_COLUMN 26 /* leaves 54 of 80 columns for the words */
#define WORD_WIDTH  12

void kmt_print(const char *fmt, ...)
{
	char text[1024], safe[4 * sizeof(text)];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("%s\n", kmt_escape(safe, sizeof(safe), text));
}

void kmt_print_lines(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		kmt_print("%.*s", length < INT_MAX ? (int)length : INT_MAX, text);
		text += length;
		text += *text == '\n';
	}
}

int kmt_complain(const struct kmt_command *command, int exit_code, const char *fmt, ...)
{
	char text[1024], safe[2048]; /* names from a tape may be in it */
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "kmemtape%s%s: %s\n", *command->name ? " " : "", command->name,
		kmt_escape(safe, sizeof(safe), text));
	return exit_code;
}

static int usage_error(const struct kmt_command *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int usage_error(const struct kmt_command *command, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return kmt_complain(command, -EINVAL, "%s (see 'kmemtape %s --help')", text, command->name);
}

static void print_option(const struct kmt_opt *opt)
{
	const char *line = opt->help;
	char head[64] = "";
	int width;

	(void)snprintf(head, sizeof(head), "  %c%c%s --%s%s%s", opt->letter ? '-' : ' ',
		       opt->letter ? opt->letter : ' ', opt->letter ? "," : " ", opt->name,
		       opt->arg ? " " : "", opt->arg ? opt->arg : "");
	width = (int)strlen(head);
	printf("%s%*s", head, width < HELP_COLUMN ? HELP_COLUMN - width : 0, "");
	if (width >= HELP_COLUMN)
		printf("\n%*s", HELP_COLUMN, "");
	while (*line) {
		int n = (int)strcspn(line, "\n");

		printf("%.*s\n", n, line);
		line += n;
		if (*line == '\n') {
			line++;
			printf("%*s", HELP_COLUMN, "");
		}
	}
	for (int i = 0; opt->word_helps && opt->words[i]; i++)
		printf("%*s%-*s%s\n", HELP_COLUMN + 2, "", WORD_WIDTH, opt->words[i],
		       opt->word_helps[i]);
}

static void print_help(const struct kmt_command *command, const struct kmt_opt *opts)
{
	static const struct kmt_opt help = { 'h', "help", .help = "print this and exit" };

	printf("Usage: kmemtape %s %s\n%s\n\n", command->name, command->usage, command->summary);
	for (; opts->name; opts++)
		print_option(opts);
	print_option(&help);
	if (command->notes)
		printf("\n%s", command->notes);
}

static int read_word(const struct kmt_command *command, const struct kmt_opt *opt, const char *text)
{
	char list[256] = "";

	for (int i = 0; opt->words[i]; i++) {
		if (strcmp(opt->words[i], text) == 0) {
			*(int *)opt->value = i;
			return 0;
		}
		(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			       i ? ", " : "", opt->words[i]);
	}
	return usage_error(command, "--%s: '%s' is none of %s", opt->name, text, list);
}

static int read_number(const struct kmt_command *command, const struct kmt_opt *opt,
		       const char *text)
{
	char min[KMT_UNITS_BYTES], max[KMT_UNITS_BYTES];
	uint64_t n = 0;
	int r;

	switch (opt->type) {
	case KMT_OPT_TIME:
		r = kmt_parse_time(text, &n);
		if (r == -EINVAL)
			return usage_error(command,
					   "--%s: '%s' is not a time like 500ms, 10s or 2h",
					   opt->name, text);
		kmt_format_time(min, opt->min);
		kmt_format_time(max, opt->max);
		break;
	case KMT_OPT_SIZE:
		r = kmt_parse_size(text, &n);
		if (r == -EINVAL)
			return usage_error(command, "--%s: '%s' is not a size like 512K, 16M or 2G",
					   opt->name, text);
		kmt_format_size(min, opt->min);
		kmt_format_size(max, opt->max);
		break;
	default:
		r = kmt_parse_uint(text, &n);
		if (r == -EINVAL)
			return usage_error(command,
					   "--%s: '%s' is not a number (%" PRIu64 "..%" PRIu64 ")",
					   opt->name, text, opt->min, opt->max);
		(void)snprintf(min, sizeof(min), "%" PRIu64, opt->min);
		(void)snprintf(max, sizeof(max), "%" PRIu64, opt->max);
	}
	if (r < 0 || n < opt->min || n > opt->max)
		return usage_error(command, "--%s: '%s' is not in %s..%s", opt->name, text, min,
				   max);
	*(uint64_t *)opt->value = n;
	return 0;
}

static int read_list(const struct kmt_command *command, const struct kmt_opt *opt, const char *text)
{
	struct kmt_opt_list *list = opt->value;

	if (list->nr == KMT_OPT_LIST_MAX)
		return usage_error(command, "--%s: '%s' is one more than %d", opt->name, text,
				   KMT_OPT_LIST_MAX);
	list->texts[list->nr++] = text;
	return 0;
}

static int read_value(const struct kmt_command *command, const struct kmt_opt *opt,
		      const char *text)
{
	switch (opt->type) {
	case KMT_OPT_FLAG:
		*(bool *)opt->value = true;
		return 0;
	case KMT_OPT_TEXT:
		*(const char **)opt->value = text;
		return 0;
	case KMT_OPT_LIST:
		return read_list(command, opt, text);
	case KMT_OPT_WORD:
		return read_word(command, opt, text);
	default:
		return read_number(command, opt, text);
	}
}

/* The option that argv[i] names, and its value if that is in the same word. */
static const struct kmt_opt *find(const struct kmt_opt *opts, const char *word,
				  const char **ret_value)
{
	for (; opts->name; opts++) {
		size_t n = strlen(opts->name);

		*ret_value = NULL;
		if (word[1] == '-' && strncmp(word + 2, opts->name, n) == 0) {
			if (word[2 + n] == '\0')
				return opts;
			if (word[2 + n] == '=') {
				*ret_value = word + 2 + n + 1;
				return opts;
			}
		}
		if (word[1] != '-' && opts->letter && word[1] == opts->letter) {
			if (word[2])
				*ret_value = word + 2;
			return opts;
		}
	}
	return NULL;
}

/* Reads the option argv[*i], and moves *i to its last word. */
static int read_option(const struct kmt_command *command, const struct kmt_opt *opts, int argc,
		       char **argv, int *i)
{
	const char *word = argv[*i], *value;
	const struct kmt_opt *opt = find(opts, word, &value);

	if (!opt)
		return usage_error(command, "there is no option '%s'", word);
	if (opt->type == KMT_OPT_FLAG && value)
		return usage_error(command, "'%s': --%s takes no value", word, opt->name);
	if (opt->type != KMT_OPT_FLAG && !value) {
		if (*i + 1 >= argc)
			return usage_error(command, "--%s needs a value: %s", opt->name, opt->arg);
		value = argv[++*i];
	}
	return read_value(command, opt, value);
}

int kmt_opt_parse(const struct kmt_command *command, const struct kmt_opt *opts, int argc,
		  char **argv, int *ret_first)
{
	int nr_operands = 0, i;

	if (kmt_complete_is_wanted()) {
		kmt_complete_options(command, opts, argc, argv);
		return KMT_OPT_DONE;
	}
	/* Operands are gathered at argv[1..], then moved up against what follows "--". */
	for (i = 1; i < argc; i++) {
		char *word = argv[i];
		int r;

		if (strcmp(word, "--") == 0) {
			i++;
			break;
		}
		if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			print_help(command, opts);
			return KMT_OPT_DONE;
		}
		if (word[0] != '-' || !word[1]) {
			argv[1 + nr_operands++] = word;
			continue;
		}
		r = read_option(command, opts, argc, argv, &i);
		if (r < 0)
			return r;
	}
	memmove(argv + i - nr_operands, argv + 1, (size_t)nr_operands * sizeof(*argv));
	*ret_first = i - nr_operands;
	return KMT_OPT_RUN;
}
