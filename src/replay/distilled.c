// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "distilled.h"

void kmt_distilled_init(struct kmt_distilled *distilled)
{
	*distilled = (struct kmt_distilled){ .is_complete = false };
	kmt_vmalloc_series_init(&distilled->series);
}

void kmt_distilled_deinit(struct kmt_distilled *distilled)
{
	for (size_t i = 0; i < distilled->books.nr_accounts; i++)
		free(distilled->books.accounts[i].track);
	free(distilled->books.accounts);
	free(distilled->books.unknown_frees);
	for (size_t i = 0; i < distilled->nr_notes; i++)
		free(distilled->notes[i]);
	free(distilled->notes);
	free(distilled->modules);
	free(distilled->frames);
	free(distilled->stacks);
	kmt_vmalloc_series_deinit(&distilled->series);
	free(distilled->cells);
	for (size_t i = 0; i < distilled->nr_dossiers; i++)
		kmt_dossier_deinit(&distilled->dossiers[i]);
	free(distilled->dossiers);
	kmt_distilled_init(distilled);
}

int kmt_distilled_note_module(struct kmt_distilled *distilled, const struct kmt_module_event *event)
{
	if (distilled->nr_modules > KMT_BOOKS_MODULES_MAX)
		return 0; /* too many to be written as it is */
	if (distilled->nr_modules == distilled->room_modules) {
		size_t room = distilled->room_modules ? distilled->room_modules * 2 : 64;
		struct kmt_module_event *grown =
			reallocarray(distilled->modules, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		distilled->modules = grown;
		distilled->room_modules = room;
	}
	distilled->modules[distilled->nr_modules++] = *event;
	return 0;
}

/* Texts by number */

void kmt_text_list_deinit(struct kmt_text_list *list)
{
	free(list->texts);
	*list = (struct kmt_text_list){ NULL };
}

int kmt_text_list_add(struct kmt_text_list *list, const char *text)
{
	if (!text)
		return 0;
	if (list->nr == list->room) {
		size_t room = list->room ? list->room * 2 : 256;
		const char **grown = reallocarray(list->texts, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->texts = grown;
		list->room = room;
	}
	list->texts[list->nr++] = text;
	return 0;
}

static int compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* By text, so that the same tape gives the same bytes. */
void kmt_text_list_sort(struct kmt_text_list *list)
{
	size_t to = 0;

	if (list->nr)
		qsort(list->texts, list->nr, sizeof(*list->texts), compare);
	for (size_t i = 0; i < list->nr; i++)
		if (!to || strcmp(list->texts[to - 1], list->texts[i]) != 0)
			list->texts[to++] = list->texts[i];
	list->nr = to;
}

uint64_t kmt_text_list_find(const struct kmt_text_list *list, const char *text)
{
	const char **found =
		text ? bsearch(&text, list->texts, list->nr, sizeof(text), compare) : NULL;

	return found ? (uint64_t)(found - list->texts) + 1 : 0;
}

const char *kmt_text_list_get(const struct kmt_text_list *list, struct kmt_books_scan *scan)
{
	uint64_t number = kmt_books_get(scan, list->nr);

	return number ? list->texts[number - 1] : NULL;
}
