// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/owners.h"

#include "helpers.h"

#define PATTERNS_MAX 4096u /* each is compared with each function */
#define PATTERN_MAX  512u  /* KSYM_NAME_LEN of Linux 6.1 */

struct patterns {
	char **texts;
	size_t nr;
};

struct kmt_owners {
	struct patterns helpers, owners; /* of the user */
};

int kmt_owners_new(struct kmt_owners **ret_owners, struct kmt_err *err)
{
	struct kmt_owners *owners = calloc(1, sizeof(*owners));

	if (!owners)
		return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_owners = owners;
	return 0;
}

static void forget_from(struct patterns *patterns, size_t nr)
{
	while (patterns->nr > nr)
		free(patterns->texts[--patterns->nr]);
}

struct kmt_owners *kmt_owners_free(struct kmt_owners *owners)
{
	if (!owners)
		return NULL;
	forget_from(&owners->helpers, 0);
	forget_from(&owners->owners, 0);
	free(owners->helpers.texts);
	free(owners->owners.texts);
	free(owners);
	return NULL;
}

static int append(struct patterns *patterns, const char *text, size_t bytes)
{
	char *copy = strndup(text, bytes);

	if (!copy)
		return -ENOMEM;
	if ((patterns->nr & (patterns->nr - 1)) == 0) { /* full at every power of two */
		size_t room = patterns->nr ? patterns->nr * 2 : 1;
		char **grown = reallocarray(patterns->texts, room, sizeof(*grown));

		if (!grown) {
			free(copy);
			return -ENOMEM;
		}
		patterns->texts = grown;
	}
	patterns->texts[patterns->nr++] = copy;
	return 0;
}

static size_t skip_blanks(const char *text, size_t bytes)
{
	size_t nr = 0;

	while (nr < bytes && (text[nr] == ' ' || text[nr] == '\t' || text[nr] == '\r'))
		nr++;
	return nr;
}

static size_t word_bytes(const char *text, size_t bytes)
{
	size_t nr = 0;

	while (nr < bytes && text[nr] != ' ' && text[nr] != '\t' && text[nr] != '\r')
		nr++;
	return nr;
}

static bool is_word(const char *text, size_t bytes, const char *word)
{
	return strlen(word) == bytes && memcmp(text, word, bytes) == 0;
}

/* Why a pattern is none; NULL if it is one. */
static const char *complaint(const struct kmt_owners *owners, const char *pattern, size_t bytes)
{
	if (bytes > PATTERN_MAX)
		return "a pattern of more than 512 bytes";
	if (memchr(pattern, '\0', bytes))
		return "a zero byte";
	if (owners->helpers.nr + owners->owners.nr >= PATTERNS_MAX)
		return "more than 4096 patterns";
	for (size_t i = 0; i < bytes; i++)
		if (pattern[i] != '*')
			return NULL;
	return "a pattern that is every function's";
}

static int add_line(struct kmt_owners *owners, const char *name, size_t line_nr, const char *line,
		    size_t bytes, struct kmt_err *err)
{
	const char *end = line + bytes, *what, *pattern, *why;
	size_t what_bytes, pattern_bytes;
	struct patterns *patterns;

	what = line + skip_blanks(line, bytes);
	if (what == end || *what == '#')
		return 0;
	what_bytes = word_bytes(what, (size_t)(end - what));
	pattern = what + what_bytes;
	pattern += skip_blanks(pattern, (size_t)(end - pattern));
	pattern_bytes = word_bytes(pattern, (size_t)(end - pattern));
	line = pattern + pattern_bytes;
	line += skip_blanks(line, (size_t)(end - line));
	patterns = is_word(what, what_bytes, "helper")	? &owners->helpers
		   : is_word(what, what_bytes, "owner") ? &owners->owners
							: NULL;
	if (!patterns || !pattern_bytes || (line != end && *line != '#'))
		return kmt_fail(err, -EBADMSG,
				"%.300s:%zu: not a line like 'helper PATTERN' or 'owner PATTERN'",
				name, line_nr);
	why = complaint(owners, pattern, pattern_bytes);
	if (why)
		return kmt_fail(err, -EBADMSG, "%.300s:%zu: %s", name, line_nr, why);
	if (append(patterns, pattern, pattern_bytes) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 0;
}

int kmt_owners_add(struct kmt_owners *owners, const char *name, const char *text, size_t bytes,
		   struct kmt_err *err)
{
	size_t nr_helpers = owners->helpers.nr, nr_owners = owners->owners.nr, line_nr = 1;
	const char *end = text + bytes;

	if (bytes > KMT_OWNERS_BYTES_MAX)
		return kmt_fail(err, -EBADMSG, "%.300s: larger than 1 MiB", name);
	for (const char *line = text; line < end; line_nr++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		int r = add_line(owners, name, line_nr, line, (size_t)(stop - line), err);

		if (r < 0) {
			forget_from(&owners->helpers, nr_helpers);
			forget_from(&owners->owners, nr_owners);
			return r;
		}
		line = stop + 1;
	}
	return 0;
}

static bool matches(const struct patterns *patterns, const char *function)
{
	for (size_t i = 0; i < patterns->nr; i++)
		if (fnmatch(patterns->texts[i], function, 0) == 0)
			return true;
	return false;
}

bool kmt_owners_is_helper(const struct kmt_owners *owners, const char *function, const char *module)
{
	if (owners && matches(&owners->owners, function))
		return false;
	if (owners && matches(&owners->helpers, function))
		return true;
	/* A module can name its functions as it likes. */
	return !module && kmt_helper_kind(function) != KMT_HELPER_NONE;
}
