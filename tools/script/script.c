// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/units.h"

#include "script.h"

int script_open(struct script *script, const char *name, struct kmt_err *err)
{
	*script = (struct script){ .name = name };
	if (strcmp(name, "-") == 0) {
		script->name = "stdin";
		script->file = stdin;
		return 0;
	}
	script->file = fopen(name, "re");
	if (!script->file)
		return kmt_fail(err, -errno, "%s: %s", name, strerror(errno));
	return 0;
}

void script_close(struct script *script)
{
	if (script->file && script->file != stdin)
		(void)fclose(script->file);
	free(script->line);
	*script = (struct script){ 0 };
}

int script_fail(const struct script *script, struct kmt_err *err, const char *fmt, ...)
{
	char text[KMT_ERR_BYTES / 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return kmt_fail(err, -EINVAL, "%s:%u: %s", script->name, script->number, text);
}

/* A line of a text that nothing may be done to. */
static bool take_verbatim(struct script *script)
{
	static char bar[] = "|";
	char *line = script->line;

	script->verbatim = NULL;
	if (line[0] != '|' || (line[1] != ' ' && line[1] != '\n' && line[1]))
		return false;
	line[strcspn(line, "\n")] = '\0';
	script->verbatim = line[1] ? line + 2 : line + 1;
	script->words[0] = bar;
	script->nr_words = 1;
	return true;
}

static int split(struct script *script, struct kmt_err *err)
{
	char *save, *word;

	if (take_verbatim(script))
		return 0;
	script->nr_words = 0;
	word = strtok_r(script->line, " \t\r\n", &save);
	for (; word && *word != '#'; word = strtok_r(NULL, " \t\r\n", &save)) {
		if (script->nr_words == SCRIPT_WORDS_MAX)
			return script_fail(script, err, "more than %d words", SCRIPT_WORDS_MAX);
		script->words[script->nr_words++] = word;
	}
	return 0;
}

int script_next(struct script *script, struct kmt_err *err)
{
	do {
		int r;

		errno = 0;
		if (getline(&script->line, &script->room, script->file) < 0) {
			if (ferror(script->file))
				return kmt_fail(err, -EIO, "%s: %s", script->name, strerror(errno));
			return SCRIPT_END;
		}
		script->number++;
		r = split(script, err);
		if (r < 0)
			return r;
	} while (script->nr_words == 0);
	return SCRIPT_LINE;
}

int script_number(const struct script *script, size_t at, uint64_t min, uint64_t max,
		  uint64_t *ret_n, struct kmt_err *err)
{
	uint64_t n;

	if (at >= script->nr_words)
		return script_fail(script, err, "'%s': a number is missing", script->words[0]);
	if (kmt_parse_uint(script->words[at], &n) < 0 || n < min || n > max)
		return script_fail(script, err, "'%s' is not a number in %" PRIu64 "..%" PRIu64,
				   script->words[at], min, max);
	*ret_n = n;
	return 0;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

void script_unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] == 'x' && isxdigit((unsigned char)from[2]) &&
		    isxdigit((unsigned char)from[3])) {
			*to = (char)(hex_digit(from[2]) << 4 | hex_digit(from[3]));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

int script_text(const struct script *script, size_t from, char text[SCRIPT_TEXT_MAX],
		struct kmt_err *err)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = from; i < script->nr_words; i++) {
		size_t length = strlen(script->words[i]);

		if (used + length + 2 > SCRIPT_TEXT_MAX)
			return script_fail(script, err, "text too long");
		if (i > from)
			text[used++] = ' ';
		memcpy(text + used, script->words[i], length + 1);
		used += length;
	}
	script_unescape(text);
	return 0;
}

void script_put_text(FILE *out, const char *text, int is_word)
{
	for (const char *p = text; *p; p++) {
		bool is_plain = *p > ' ' && *p < 0x7f && *p != '\\' && *p != '#';

		/* A space keeps its meaning only alone between two words. */
		if (*p == ' ' && !is_word && p > text && p[-1] != ' ' && p[1] && p[1] != ' ')
			is_plain = true;
		if (is_plain)
			(void)fputc(*p, out);
		else
			(void)fprintf(out, "\\x%02x", (unsigned char)*p);
	}
}
