// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "books-text.h"

static const char hex_digits[] = "0123456789abcdef";

/* "%" alone is the empty text. */
void kmt_books_put_text(FILE *file, const char *text)
{
	if (!*text)
		(void)putc('%', file);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c > ' ' && c < 0x7f && c != '%')
			(void)putc(c, file);
		else
			(void)fprintf(file, "%%%02x", c);
	}
}

static void put_number(FILE *file, uint64_t number, uint64_t before, enum kmt_row_style style)
{
	if (style == KMT_ROW_HEX)
		(void)fprintf(file, " 0x%" PRIx64, number);
	else if (style == KMT_ROW_PLAIN)
		(void)fprintf(file, " %" PRIu64, number);
	else if (number >= before)
		(void)fprintf(file, " %" PRIu64, number - before);
	else
		(void)fprintf(file, " -%" PRIu64, before - number);
}

/* What is written for element @i. */
static uint64_t written(const uint64_t *numbers, size_t i, enum kmt_row_style style)
{
	return style == KMT_ROW_DELTA && i ? numbers[i] - numbers[i - 1] : numbers[i];
}

void kmt_books_put_row(FILE *file, const uint64_t *numbers, size_t nr, enum kmt_row_style style)
{
	size_t to;

	for (size_t from = 0; from < nr; from = to) {
		uint64_t number = written(numbers, from, style);

		for (to = from + 1; to < nr && written(numbers, to, style) == number;)
			to++;
		put_number(file, numbers[from], from ? numbers[from - 1] : 0, style);
		if (to - from > 1)
			(void)fprintf(file, "*%zu", to - from);
	}
}

void kmt_books_scan_begin(struct kmt_books_scan *scan, char *text, size_t bytes)
{
	*scan = (struct kmt_books_scan){ .at = text, .end = text + bytes, .line = 1 };
}

void kmt_books_wrong(struct kmt_books_scan *scan, const char *what)
{
	if (!scan->wrong)
		scan->wrong = what;
}

const char *kmt_books_get_word(struct kmt_books_scan *scan)
{
	char *word;
	size_t bytes;

	for (; *scan->at == ' ' || *scan->at == '\n'; scan->at++)
		scan->line += *scan->at == '\n';
	bytes = strcspn(scan->at, " \n");
	if (scan->wrong || bytes == 0) {
		kmt_books_wrong(scan, scan->at < scan->end ? "a zero byte" : "ends too early");
		return NULL;
	}
	word = scan->at;
	scan->at += bytes;
	if (*scan->at) {
		scan->line += *scan->at == '\n';
		*scan->at++ = '\0';
	}
	return word;
}

void kmt_books_expect(struct kmt_books_scan *scan, const char *word)
{
	const char *found = kmt_books_get_word(scan);

	if (found && strcmp(found, word) != 0)
		kmt_books_wrong(scan, "another word than is due there");
}

static int digit_of(char c)
{
	const char *found = c ? strchr(hex_digits, c) : NULL;

	return found ? (int)(found - hex_digits) : -1;
}

const char *kmt_books_get_text(struct kmt_books_scan *scan)
{
	char *text = (char *)(uintptr_t)kmt_books_get_word(scan), *to = text;

	if (!text)
		return "";
	if (strcmp(text, "%") == 0)
		return text + 1;
	for (const char *at = text; *at;) {
		int high, low;

		if (*at != '%') {
			*to++ = *at++;
			continue;
		}
		high = digit_of(at[1]);
		low = high >= 0 ? digit_of(at[2]) : -1;
		if (low < 0 || high + low == 0) {
			kmt_books_wrong(scan, "a text that is none");
			return "";
		}
		*to++ = (char)(high * 16 + low);
		at += 3;
	}
	*to = '\0';
	return text;
}

/* Return: behind the number; NULL if there is none, or it is too large. */
static const char *read_number(const char *at, uint64_t *ret_number)
{
	bool is_hex = at[0] == '0' && at[1] == 'x';
	uint64_t base = is_hex ? 16 : 10, number = 0;
	const char *from = is_hex ? at + 2 : at;

	for (at = from; digit_of(*at) >= 0 && digit_of(*at) < (int)base; at++)
		if (__builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, (uint64_t)digit_of(*at), &number))
			return NULL;
	*ret_number = number;
	return at > from ? at : NULL;
}

uint64_t kmt_books_get(struct kmt_books_scan *scan, uint64_t max)
{
	const char *word = kmt_books_get_word(scan), *end;
	uint64_t number = 0;

	if (!word)
		return 0;
	end = read_number(word, &number);
	if (end && !*end && number <= max)
		return number;
	kmt_books_wrong(scan, "no number, or one that is too large");
	return 0;
}

size_t kmt_books_get_nr(struct kmt_books_scan *scan, size_t max, size_t bytes_each)
{
	size_t nr = (size_t)kmt_books_get(scan, max);

	if (nr <= (size_t)(scan->end - scan->at) / (bytes_each ? bytes_each : 1))
		return nr;
	kmt_books_wrong(scan, "a number of more than follow");
	return 0;
}

/* "-3*12": how many times, and the number. Return: false if it is nothing of the kind. */
static bool read_run(const char *word, uint64_t *ret_number, uint64_t *ret_times,
		     enum kmt_row_style style)
{
	bool is_less = style == KMT_ROW_DELTA && *word == '-';

	*ret_times = 1;
	word = read_number(is_less ? word + 1 : word, ret_number);
	if (!word)
		return false;
	if (is_less)
		*ret_number = -*ret_number;
	if (*word != '*')
		return !*word;
	word = read_number(word + 1, ret_times);
	return word && !*word && *ret_times;
}

void kmt_books_get_row(struct kmt_books_scan *scan, uint64_t *numbers, size_t nr,
		       enum kmt_row_style style, uint64_t max)
{
	uint64_t number, times, last = 0;
	size_t at = 0;

	while (at < nr) {
		const char *word = kmt_books_get_word(scan);

		if (!word)
			break;
		if (!read_run(word, &number, &times, style) || times > nr - at) {
			kmt_books_wrong(scan, "a row of numbers that is none");
			break;
		}
		for (; times; times--) {
			last = style == KMT_ROW_DELTA ? last + number : number;
			if (last > max)
				kmt_books_wrong(scan, "a number that is too large");
			numbers[at++] = last;
		}
	}
	if (scan->wrong)
		memset(numbers, 0, nr * sizeof(*numbers));
}
