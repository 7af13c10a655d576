// SPDX-License-Identifier: LGPL-2.1-only
#include "list.h"

/* No more blank rows at the end than there must be, and the chosen one among the others. */
static void settle(struct kmt_list *list)
{
	size_t last_top;

	if (list->nr_rows == 0)
		list->nr_rows = 1;
	last_top = list->nr > list->nr_rows ? list->nr - list->nr_rows : 0;
	if (list->chosen >= list->nr)
		list->chosen = list->nr ? list->nr - 1 : 0;
	if (list->top > list->chosen)
		list->top = list->chosen;
	if (list->chosen - list->top >= list->nr_rows)
		list->top = list->chosen - list->nr_rows + 1;
	if (list->top > last_top)
		list->top = last_top;
}

void kmt_list_set_nr(struct kmt_list *list, size_t nr)
{
	list->nr = nr;
	settle(list);
}

/* More rows show what is above, too. */
void kmt_list_set_rows(struct kmt_list *list, size_t nr_rows)
{
	size_t more = nr_rows > list->nr_rows ? nr_rows - list->nr_rows : 0;

	list->top -= more < list->top ? more : list->top;
	list->nr_rows = nr_rows;
	settle(list);
}

void kmt_list_move(struct kmt_list *list, long by)
{
	size_t back = by < 0 ? (size_t)-by : 0;

	if (by < 0)
		list->chosen -= back < list->chosen ? back : list->chosen;
	else
		list->chosen += (size_t)by;
	settle(list);
}

void kmt_list_choose(struct kmt_list *list, size_t line)
{
	list->chosen = line;
	settle(list);
}
