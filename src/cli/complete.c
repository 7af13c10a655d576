// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "complete.h"

static bool is_wanted;

bool kmt_complete_is_wanted(void)
{
	return is_wanted;
}

/* @before: what of the word is there in any case, as "--format=" */
static void offer(const char *before, const char *word, const char *typed, const char *help)
{
	if (strncmp(word, typed, strlen(typed)) == 0)
		printf("%s%s\t%.*s\n", before, word, (int)strcspn(help, "\n"), help);
}

static void offer_option(const char *name, const char *typed, const char *help)
{
	char word[64];

	(void)snprintf(word, sizeof(word), "--%s", name);
	offer("", word, typed, help);
}

static bool is_file(const char *arg)
{
	static const char *const names[] = { "FILE", "PATH", "TAPE", "NEW" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(arg, names[i]) == 0)
			return true;
	return false;
}

/* Of a list with commas, the last is completed. */
static void offer_value(const struct kmt_opt *opt, const char *before, const char *typed)
{
	const char *comma = opt->type == KMT_OPT_WORD ? NULL : strrchr(typed, ',');
	char head[256];

	(void)snprintf(head, sizeof(head), "%s%.*s", before, comma ? (int)(comma - typed + 1) : 0,
		       typed);
	for (int i = 0; opt->words && opt->words[i]; i++)
		offer(head, opt->words[i], comma ? comma + 1 : typed,
		      opt->word_helps ? opt->word_helps[i] : "");
	if (!opt->words && is_file(opt->arg))
		printf(":files\n");
}

static const struct kmt_opt *find(const struct kmt_opt *opts, const char *word, size_t bytes)
{
	for (; opts->name; opts++) {
		if (bytes > 2 && strlen(opts->name) == bytes - 2 && strncmp(word, "--", 2) == 0 &&
		    strncmp(word + 2, opts->name, bytes - 2) == 0)
			return opts;
		if (bytes == 2 && word[0] == '-' && opts->letter && word[1] == opts->letter)
			return opts;
	}
	return NULL;
}

/* bash makes three words of "--format=te". */
static bool is_equals(const char *word)
{
	return strcmp(word, "=") == 0;
}

void kmt_complete_options(const struct kmt_command *command, const struct kmt_opt *opts, int argc,
			  char **argv)
{
	const char *typed = is_equals(argv[argc - 1]) ? "" : argv[argc - 1];
	const char *equals = strncmp(typed, "--", 2) == 0 ? strchr(typed, '=') : NULL;
	int at = argc - 1 - is_equals(argv[argc - 1]) - 1;
	const struct kmt_opt *opt = NULL;
	char before[64];

	for (int i = 1; i < argc - 1; i++)
		if (strcmp(argv[i], "--") == 0) {
			printf(":files\n");
			return;
		}
	if (at > 0 && is_equals(argv[at]))
		at--;
	if (at > 0)
		opt = find(opts, argv[at], strlen(argv[at]));
	if (opt && opt->type != KMT_OPT_FLAG) {
		offer_value(opt, "", typed);
		return;
	}
	opt = equals ? find(opts, typed, (size_t)(equals - typed)) : NULL;
	if (opt && opt->type != KMT_OPT_FLAG) {
		(void)snprintf(before, sizeof(before), "--%s=", opt->name);
		offer_value(opt, before, equals + 1);
		return;
	}
	if (typed[0] == '-') {
		for (; opts->name; opts++)
			offer_option(opts->name, typed, opts->help);
		offer_option("help", typed, "print this and exit");
		return;
	}
	if (strstr(command->usage, "TAPE") || strstr(command->usage, "FILE") ||
	    strstr(command->usage, "A B"))
		printf(":files\n");
}

int kmt_complete(const struct kmt_command *const *commands, int argc, char **argv)
{
	if (argc < 1)
		return KMT_EXIT_USAGE;
	is_wanted = true;
	for (; *commands; commands++) {
		if (argc == 1)
			offer("", (*commands)->name, argv[0], (*commands)->summary);
		else if (strcmp((*commands)->name, argv[0]) == 0)
			return (*commands)->run(argc, argv);
	}
	if (argc == 1) {
		offer_option("help", argv[0], "print this and exit");
		offer_option("version", argv[0], "print the version and exit");
	}
	return KMT_EXIT_DONE;
}
