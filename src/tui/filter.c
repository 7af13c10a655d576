// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>
#include <string.h>

#include "filter.h"

#define FOLLOWING_MAX 3 /* bytes of a character behind its first one: none is cut */

static bool is_following(int byte)
{
	return (byte & 0xc0) == 0x80;
}

bool kmt_filter_add(struct kmt_filter *filter, int byte)
{
	size_t room = KMT_FILTER_BYTES - 1 - filter->length;

	if (byte < 0x20 || byte == 0x7f || byte > 0xff || room == 0 ||
	    (byte >= 0xc0 && room <= FOLLOWING_MAX))
		return false;
	filter->text[filter->length++] = (char)byte;
	filter->text[filter->length] = '\0';
	return true;
}

bool kmt_filter_erase(struct kmt_filter *filter)
{
	if (filter->length == 0)
		return false;
	while (--filter->length && is_following(filter->text[filter->length]))
		continue;
	filter->text[filter->length] = '\0';
	return true;
}

bool kmt_filter_clear(struct kmt_filter *filter)
{
	bool had_text = filter->length > 0;

	*filter = (struct kmt_filter){ .is_typed = filter->is_typed };
	return had_text;
}

bool kmt_filter_matches(const struct kmt_filter *filter, const char *text, const char *more)
{
	char words[KMT_FILTER_BYTES], *rest = NULL;

	if (filter->length == 0)
		return true;
	(void)snprintf(words, sizeof(words), "%s", filter->text);
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		if (!strcasestr(text, word) && (!more || !strcasestr(more, word)))
			return false;
	return true;
}
