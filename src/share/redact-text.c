// SPDX-License-Identifier: LGPL-2.1-only
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/span.h"

#include "redact-text.h"

#define DIGITS_MIN 8u /* an address of 32 bits, or the upper half of one */

/* A line while it is written. */
struct out {
	char *to;
	size_t used;
	bool is_too_long;
};

void kmt_redact_digits(char *text, size_t bytes)
{
	for (size_t i = 0, run; i < bytes; i += run + 1) {
		for (run = 0; i + run < bytes && isxdigit((unsigned char)text[i + run]); run++)
			;
		if (run >= DIGITS_MIN)
			memset(text + i, 'x', run);
	}
}

/* --- words --- */

static bool begins_with(struct kmt_span word, const char *text)
{
	return word.bytes >= strlen(text) && memcmp(word.at, text, strlen(text)) == 0;
}

static bool is_number(struct kmt_span word)
{
	for (size_t i = 0; i < word.bytes; i++)
		if (!isdigit((unsigned char)word.at[i]))
			return false;
	return word.bytes > 0 && word.bytes <= 20;
}

/* Letters, and what goes with them; of hexadecimal digits not many in a row. */
static bool is_plain(struct kmt_span word)
{
	size_t run = 0;

	for (size_t i = 0; i < word.bytes; i++) {
		unsigned char c = (unsigned char)word.at[i];

		if (!isalnum(c) && !strchr("_():,.-+", c))
			return false;
		run = isxdigit(c) ? run + 1 : 0;
		if (run >= DIGITS_MIN)
			return false;
	}
	return word.bytes > 0;
}

static void put(struct out *out, struct kmt_span text)
{
	if (out->used + text.bytes > KMT_REDACT_LINE_MAX) {
		out->is_too_long = true;
		return;
	}
	memcpy(out->to + out->used, text.at, text.bytes);
	out->used += text.bytes;
}

static void put_text(struct out *out, const char *text)
{
	put(out, (struct kmt_span){ text, strlen(text) });
}

/* With its blanks in front. */
static void put_word(struct out *out, struct kmt_span word)
{
	if (out->used)
		put_text(out, " ");
	put(out, word);
}

/* Names of caches may have been made of an address. */
static void put_name(struct out *out, struct kmt_span name)
{
	size_t from = out->used;

	put(out, name);
	kmt_redact_digits(out->to + from, out->used - from);
}

static size_t end_line(struct out *out)
{
	if (out->is_too_long)
		out->used = 0;
	out->to[out->used] = '\0';
	return out->used;
}

/* --- snapshots --- */

/* meminfo, vmstat, zoneinfo, buddyinfo */
static void redact_numbers(struct out *out, struct kmt_span line)
{
	struct kmt_span rest = line, word;

	if (memmem(line.at, line.bytes, "start_pfn", strlen("start_pfn")))
		return;
	for (word = kmt_span_take_word(&rest); word.bytes; word = kmt_span_take_word(&rest))
		if (!is_number(word) && !is_plain(word))
			return;
	put(out, line);
}

/* What stands behind @nr words from the end of @line, which ends before them. */
static struct kmt_span split_last(struct kmt_span *line, size_t nr)
{
	const char *end = line->at + line->bytes;

	while (nr-- > 0) {
		while (line->bytes && kmt_span_is_space(line->at[line->bytes - 1]))
			line->bytes--;
		while (line->bytes && !kmt_span_is_space(line->at[line->bytes - 1]))
			line->bytes--;
	}
	return (struct kmt_span){ line->at + line->bytes, (size_t)(end - line->at - line->bytes) };
}

/* Decimal numbers, and words of @words. */
static bool has_only(struct kmt_span rest, const char *const *words)
{
	for (struct kmt_span word = kmt_span_take_word(&rest); word.bytes;
	     word = kmt_span_take_word(&rest)) {
		bool is_known = is_number(word);

		for (size_t i = 0; !is_known && words[i]; i++)
			is_known = kmt_span_is(word, words[i]);
		if (!is_known)
			return false;
	}
	return true;
}

/* "name 1 2 3 4 5 : tunables 0 0 0 : slabdata 1 2 0": a name may have blanks. */
static void redact_slab(struct out *out, struct kmt_span line)
{
	static const char tunables[] = " : tunables ";
	static const char *const words[] = { ":",	   "tunables", "slabdata",
					     "globalstat", "cpustat",  NULL };
	const char *end = memmem(line.at, line.bytes, tunables, strlen(tunables));
	struct kmt_span name = line, numbers, rest;

	if (!end)
		return;
	name.bytes = (size_t)(end - line.at);
	rest = (struct kmt_span){ end, line.bytes - name.bytes };
	numbers = split_last(&name, 5);
	if (!name.bytes || !has_only(numbers, words) || !has_only(rest, words))
		return;
	put_name(out, name);
	put(out, numbers);
	put(out, rest);
}

/* "0xffffffffc0345030": code that has no name any more */
static bool read_address(struct kmt_span word, uint64_t *ret_address)
{
	uint64_t address = 0;

	if (word.bytes < 3 || word.bytes > 18 || !begins_with(word, "0x"))
		return false;
	for (size_t i = 2; i < word.bytes; i++) {
		unsigned char c = (unsigned char)word.at[i];

		if (!isxdigit(c))
			return false;
		address = address << 4 | (uint64_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	*ret_address = address;
	return true;
}

/* "foo+0x30/0x80" */
static bool is_place(struct kmt_span word)
{
	const char *offset = memmem(word.at, word.bytes, "+0x", 3);
	struct kmt_span numbers = { offset, 0 };

	if (!offset || offset == word.at)
		return false;
	numbers.bytes = word.bytes - (size_t)(offset - word.at);
	for (size_t i = 0; i < word.bytes; i++)
		if (!isgraph((unsigned char)word.at[i]))
			return false;
	for (size_t i = 1, run = 0; i < numbers.bytes; i++) {
		char c = numbers.at[i];

		run = isxdigit((unsigned char)c) ? run + 1 : 0;
		if (run >= DIGITS_MIN || (!isxdigit((unsigned char)c) && c != 'x' && c != '/'))
			return false;
	}
	return true;
}

/* "N0=5", "pages=5", "vmalloc" */
static bool is_of_area(struct kmt_span word)
{
	static const char *const words[] = { "vmalloc", "vmap",		"ioremap", "user",
					     "vpages",	"dma-coherent", NULL };
	const char *equals = memchr(word.at, '=', word.bytes);
	struct kmt_span key = word, number;

	for (size_t i = 0; words[i]; i++)
		if (kmt_span_is(word, words[i]))
			return true;
	if (!equals)
		return false;
	key.bytes = (size_t)(equals - word.at);
	number = (struct kmt_span){ equals + 1, word.bytes - key.bytes - 1 };
	return is_number(number) && (kmt_span_is(key, "pages") ||
				     (key.bytes > 1 && *key.at == 'N' &&
				      is_number((struct kmt_span){ key.at + 1, key.bytes - 1 })));
}

/* "[mod]" */
static bool is_module(struct kmt_span word)
{
	if (word.bytes < 3 || *word.at != '[' || word.at[word.bytes - 1] != ']')
		return false;
	for (size_t i = 1; i < word.bytes - 1; i++)
		if (!isalnum((unsigned char)word.at[i]) && !strchr("_-", word.at[i]))
			return false;
	return true;
}

/* 0xffffc90000000000-0xffffc90000005000   20480 foo+0xca/0x100 [mod] pages=4 vmalloc N0=4 */
static int redact_area(struct kmt_codes *codes, struct out *out, struct kmt_span line)
{
	struct kmt_span range = kmt_span_take_word(&line), size = kmt_span_take_word(&line),
			word = kmt_span_take_word(&line);
	uint64_t address;
	char text[2 + 16 + 1];
	int r;

	if (!begins_with(range, "0x") || !is_number(size))
		return 0;
	put_text(out, "0x0-0x0");
	put_word(out, size);
	if (read_address(word, &address)) {
		r = kmt_codes_map_return(codes, address, &address);
		if (r < 0)
			return r;
		(void)snprintf(text, sizeof(text), "0x%" PRIx64, address);
		put_word(out, (struct kmt_span){ text, strlen(text) });
	} else if (is_place(word)) {
		struct kmt_span rest = line, module = kmt_span_take_word(&rest);

		put_word(out, word);
		if (is_module(module)) {
			put_word(out, module);
			line = rest;
		}
	} else if (is_of_area(word)) {
		put_word(out, word);
	}
	for (word = kmt_span_take_word(&line); word.bytes; word = kmt_span_take_word(&line))
		if (is_of_area(word))
			put_word(out, word);
	return 0;
}

static void redact_name(struct out *out, struct kmt_span line)
{
	for (size_t i = 0; i < line.bytes; i++)
		if ((unsigned char)line.at[i] < ' ')
			return;
	put_name(out, line);
}

static const struct {
	const char *head;
	enum kmt_redact_part part;
} heads[] = {
	{ "==> /proc/meminfo <==", KMT_REDACT_NUMBERS },
	{ "==> /proc/slabinfo <==", KMT_REDACT_SLABS },
	{ "==> /proc/vmallocinfo <==", KMT_REDACT_AREAS },
	{ "==> /proc/vmstat <==", KMT_REDACT_NUMBERS },
	{ "==> /proc/zoneinfo <==", KMT_REDACT_NUMBERS },
	{ "==> /proc/buddyinfo <==", KMT_REDACT_NUMBERS },
	{ "==> /sys/kernel/slab reclaim_account <==", KMT_REDACT_NAMES },
};

/* "==> snapshot 3 at 123456789 interval <==", and heads of files */
static bool is_head(struct kmt_span line, enum kmt_redact_part *part)
{
	struct kmt_span rest = line, number, at, time;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (kmt_span_is(line, heads[i].head)) {
			*part = heads[i].part;
			return true;
		}
	*part = KMT_REDACT_NO_PART;
	(void)kmt_span_take_word(&rest);
	if (!kmt_span_is(kmt_span_take_word(&rest), "snapshot"))
		return false;
	number = kmt_span_take_word(&rest);
	at = kmt_span_take_word(&rest);
	time = kmt_span_take_word(&rest);
	return is_number(number) && kmt_span_is(at, "at") && is_number(time) &&
	       is_plain(kmt_span_take_word(&rest)) &&
	       kmt_span_is(kmt_span_take_word(&rest), "<==") && !kmt_span_take_word(&rest).bytes;
}

int kmt_redact_snapshot_line(struct kmt_codes *codes, enum kmt_redact_part *part, const char *line,
			     size_t bytes, char *to)
{
	struct kmt_span span = { line, bytes };
	struct out out = { .to = to };
	int r = 0;

	if (begins_with(span, "==> ")) {
		if (is_head(span, part))
			put(&out, span);
		return (int)end_line(&out);
	}
	switch (*part) {
	case KMT_REDACT_NUMBERS:
		redact_numbers(&out, span);
		break;
	case KMT_REDACT_SLABS:
		redact_slab(&out, span);
		break;
	case KMT_REDACT_AREAS:
		r = redact_area(codes, &out, span);
		break;
	case KMT_REDACT_NAMES:
		redact_name(&out, span);
		break;
	case KMT_REDACT_NO_PART:
		break;
	}
	return r < 0 ? r : (int)end_line(&out);
}

/* --- format files --- */

/* Flags may have many digits, addresses of 64 bits have no zeros in front. */
static bool has_address(struct kmt_span text)
{
	size_t run = 0, digits = 0;

	for (size_t i = 0; i < text.bytes; i++) {
		bool is_digit = isxdigit((unsigned char)text.at[i]);

		run = is_digit ? run + 1 : 0;
		digits = !is_digit ? 0 : digits + (digits || text.at[i] != '0');
		if (run > DIGITS_MIN && digits > DIGITS_MIN)
			return true;
	}
	return false;
}

bool kmt_redact_keeps_format_line(const char *line, size_t bytes)
{
	static const char *const starts[] = { "name: ",	     "ID: ",	       "format:",
					      "\tfield:",    "print fmt: ",    "# compressed entry",
					      "\ttype_len ", "\ttime_delta ",  "\tarray ",
					      "\tpadding ",  "\ttime_extend ", "\ttime_stamp ",
					      "\tdata max " };
	struct kmt_span span = { line, bytes };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (begins_with(span, starts[i]))
			return !has_address(span);
	return bytes == 0;
}

/* --- the manifest --- */

static size_t word_bytes(const char *at)
{
	size_t bytes = 0;

	while (isalnum((unsigned char)at[bytes]) || at[bytes] == '_')
		bytes++;
	return bytes;
}

/* From a quote to the next one. */
static size_t text_bytes(const char *at)
{
	const char *end = strchr(at + 1, '"');

	return end ? (size_t)(end - at) + 1 : strlen(at);
}

/* What a condition compares may stay: sizes, pids, names of caches. */
static bool may_stay(struct kmt_span field, bool is_text)
{
	static const char *const numbers[] = { "bytes_alloc", "bytes_req", "size", "order",
					       "common_pid",  "gfp_flags", NULL };

	if (is_text)
		return kmt_span_is(field, "name");
	for (size_t i = 0; numbers[i]; i++)
		if (kmt_span_is(field, numbers[i]))
			return true;
	return false;
}

void kmt_redact_filter(char *text)
{
	struct kmt_span field = { "", 0 };
	char *to = text;

	for (const char *at = text; *at;) {
		bool is_text = *at == '"', is_digit = isdigit((unsigned char)*at);
		size_t bytes = is_text ? text_bytes(at) : word_bytes(at);

		if (!bytes && !strchr(" ()&|!<>=~-", *at)) {
			at++; /* no condition has it */
			continue;
		}
		if ((is_text || is_digit) && !may_stay(field, is_text)) {
			*to++ = '?';
			at += bytes;
			continue;
		}
		if (bytes && !is_text && !is_digit)
			field = (struct kmt_span){ to, bytes };
		bytes = bytes ? bytes : 1;
		memmove(to, at, bytes);
		to += bytes;
		at += bytes;
	}
	*to = '\0';
}

void kmt_redact_version(char *text)
{
	char *open = strchr(text, '('), *close = open ? strchr(open, ')') : NULL;

	/* Who built the kernel, and where, is the first thing in parentheses. */
	if (!close || !memchr(open, '@', (size_t)(close - open)))
		return;
	close += 1 + (close[1] == ' ');
	memmove(open, close, strlen(close) + 1);
}
