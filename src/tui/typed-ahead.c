// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "keys.h"
#include "typed-ahead.h"

void kmt_typed_ahead_add(struct kmt_typed_ahead *typed, int key)
{
	if (typed->nr == sizeof(typed->keys) / sizeof(typed->keys[0]))
		return;
	typed->keys[typed->nr++] = key;
	typed->is_text =
		typed->is_text ? key != KMT_KEY_ENTER : kmt_key_action(key) == KMT_ACTION_FILTER;
}

int kmt_typed_ahead_take(struct kmt_typed_ahead *typed)
{
	int key = typed->keys[0];

	if (!typed->nr)
		return -1;
	memmove(typed->keys, typed->keys + 1, --typed->nr * sizeof(typed->keys[0]));
	if (!typed->nr)
		typed->is_text = false;
	return key;
}

void kmt_typed_ahead_clear(struct kmt_typed_ahead *typed)
{
	typed->nr = 0;
	typed->is_text = false;
}
