// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "kmemtape/span.h"

bool kmt_span_is_space(char c)
{
	return c == ' ' || c == '\t';
}

struct kmt_span kmt_span_take_word(struct kmt_span *rest)
{
	struct kmt_span word;

	while (rest->bytes && kmt_span_is_space(*rest->at))
		rest->at++, rest->bytes--;
	word = (struct kmt_span){ rest->at, 0 };
	while (rest->bytes && !kmt_span_is_space(*rest->at))
		rest->at++, rest->bytes--, word.bytes++;
	return word;
}

struct kmt_span kmt_span_take_last_word(struct kmt_span *rest)
{
	struct kmt_span word = { rest->at + rest->bytes, 0 };

	while (rest->bytes && kmt_span_is_space(rest->at[rest->bytes - 1]))
		rest->bytes--, word.at--;
	while (rest->bytes && !kmt_span_is_space(rest->at[rest->bytes - 1]))
		rest->bytes--, word.at--, word.bytes++;
	return word;
}

bool kmt_span_is(struct kmt_span span, const char *text)
{
	return span.bytes == strlen(text) && memcmp(span.at, text, span.bytes) == 0;
}
