// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>
#include <string.h>

#include "filter.h"

bool kmt_filter_add(struct kmt_filter *filter, int character)
{
	if (character < 0x20 || character > 0x7e || filter->length + 1 >= KMT_FILTER_BYTES)
		return false;
	filter->text[filter->length++] = (char)character;
	filter->text[filter->length] = '\0';
	return true;
}

bool kmt_filter_erase(struct kmt_filter *filter)
{
	if (filter->length == 0)
		return false;
	filter->text[--filter->length] = '\0';
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
