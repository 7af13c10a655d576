// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../fuzz/change.h"
#include "../fuzz/fuzz.h"
#include "lines.h"

#define REPEATS_MAX 3000u
#define WORD_BYTES  4096u

struct span {
	size_t at, bytes;
};

static struct span line_at(const uint8_t *text, size_t bytes, size_t at)
{
	struct span line = { at, 0 };

	while (line.at > 0 && text[line.at - 1] != '\n')
		line.at--;
	while (line.at + line.bytes < bytes && text[line.at + line.bytes++] != '\n')
		;
	return line;
}

static struct span word_at(const uint8_t *text, size_t bytes, size_t at)
{
	struct span word = { at, 0 };

	while (word.at > 0 && isalnum(text[word.at - 1]))
		word.at--;
	while (word.at + word.bytes < bytes && isalnum(text[word.at + word.bytes]))
		word.bytes++;
	return word;
}

/* Puts @with, @times, where @span was. */
static void put(uint8_t **text, size_t *bytes, struct span span, const void *with,
		size_t with_bytes, size_t times)
{
	size_t tail = *bytes - span.at - span.bytes, more = with_bytes * times;
	uint8_t *made = malloc(span.at + more + tail + 1);

	MUST(made);
	memcpy(made, *text, span.at);
	for (size_t i = 0; i < times; i++)
		memcpy(made + span.at + i * with_bytes, with, with_bytes);
	memcpy(made + span.at + more, *text + span.at + span.bytes, tail);
	free(*text);
	*text = made;
	*bytes = span.at + more + tail;
}

/* Return: bytes of it */
static size_t strange_word(char word[WORD_BYTES], uint64_t *state)
{
	static const char *const words[] = { "",
					     "\033]0;owned\007",
					     "\033[2J\033[31m",
					     "%s%n%x%s%s",
					     "../../../../etc/passwd",
					     "/",
					     "-1",
					     "0x",
					     "0xffffffffffffffff",
					     "ffffffffffffffff",
					     "18446744073709551616",
					     "99999999999999999999999999",
					     "nan",
					     "\xc2\x9b"
					     "31m",
					     "\xe2\x80\xae",
					     "\r",
					     "[ext4]",
					     "a b" };
	size_t nr = sizeof(words) / sizeof(words[0]), i = change_below(state, nr + 2);

	if (i < nr)
		return (size_t)snprintf(word, WORD_BYTES, "%s", words[i]);
	if (i == nr)
		return (size_t)snprintf(word, WORD_BYTES, "%llu",
					(unsigned long long)change_number(state));
	memset(word, 'a', WORD_BYTES);
	return 1 + change_below(state, WORD_BYTES);
}

void lines_change(uint8_t **text, size_t *bytes, uint64_t *state, char what[WHAT_BYTES])
{
	struct span line = line_at(*text, *bytes, change_below(state, *bytes));
	struct span other = line_at(*text, *bytes, change_below(state, *bytes));
	struct span word = word_at(*text, *bytes, line.at + change_below(state, line.bytes));
	char with[WORD_BYTES];
	uint8_t *copy = malloc(other.bytes + line.bytes + 1);
	size_t times;

	MUST(copy);
	memcpy(copy, *text + other.at, other.bytes);
	switch (change_below(state, 8)) {
	case 0:
		(void)snprintf(what, WHAT_BYTES, "the line at %zu is missing", line.at);
		put(text, bytes, line, copy, 0, 0);
		break;
	case 1:
		(void)snprintf(what, WHAT_BYTES, "the line at %zu instead of that at %zu", other.at,
			       line.at);
		put(text, bytes, line, copy, other.bytes, 1);
		break;
	case 2:
		times = change_below(state, 8) ? 2 : change_below(state, REPEATS_MAX);
		(void)snprintf(what, WHAT_BYTES, "the line at %zu %zu times", other.at, times);
		put(text, bytes, other, copy, other.bytes, times);
		break;
	case 3:
		(void)snprintf(what, WHAT_BYTES, "the file ends behind %zu", word.at);
		*bytes = word.at;
		break;
	default:
		times = strange_word(with, state);
		(void)snprintf(what, WHAT_BYTES, "another word of %zu bytes at %zu", times,
			       word.at);
		put(text, bytes, word, with, times, 1);
	}
	free(copy);
}
