// SPDX-License-Identifier: LGPL-2.1-only
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "words.h"

struct node {
	const char *text; /* the key that is sought, or the one behind it */
	uint32_t number;
	char copy[];
};

static int by_text(const void *left, const void *right)
{
	const struct node *a = left, *b = right;

	return strcmp(a->text, b->text);
}

void kmt_intern_deinit(struct kmt_intern *intern)
{
	tdestroy(intern->root, free);
	free(intern->texts);
	*intern = (struct kmt_intern){ 0 };
}

static bool make_room(struct kmt_intern *intern)
{
	size_t nr = intern->nr;
	const char **grown;

	if (nr & (nr - 1)) /* full at every power of two */
		return true;
	grown = reallocarray(intern->texts, nr ? nr * 2 : 1, sizeof(*grown));
	if (grown)
		intern->texts = grown;
	return grown && nr < UINT32_MAX;
}

static struct node *add_node(struct kmt_intern *intern, const char *text)
{
	size_t bytes = strlen(text) + 1;
	struct node *node = make_room(intern) ? malloc(sizeof(*node) + bytes) : NULL;

	if (!node)
		return NULL;
	memcpy(node->copy, text, bytes);
	node->text = node->copy;
	node->number = (uint32_t)intern->nr;
	if (!tsearch(node, &intern->root, by_text)) {
		free(node);
		return NULL;
	}
	intern->texts[intern->nr++] = node->text;
	return node;
}

uint32_t kmt_intern_add(struct kmt_intern *intern, const char *text, bool *ret_is_new)
{
	struct node key = { .text = text };
	struct node **found = tfind(&key, &intern->root, by_text);
	struct node *node = found ? *found : add_node(intern, text);

	if (ret_is_new)
		*ret_is_new = node && !found;
	intern->has_failed |= !node;
	return node ? node->number : 0;
}

uint32_t kmt_intern_addf(struct kmt_intern *intern, bool *ret_is_new, const char *fmt, ...)
{
	char text[3 * KMT_NAME_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return kmt_intern_add(intern, text, ret_is_new);
}

bool kmt_intern_has(const struct kmt_intern *intern, const char *text)
{
	struct node key = { .text = text };

	return tfind(&key, &intern->root, by_text);
}
