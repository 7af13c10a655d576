/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_COUNTERS_TEXT_H
#define KMEMTAPE_ZOO_COUNTERS_TEXT_H

struct zoo_machine;

/*
 * What /proc/meminfo, slabinfo and vmallocinfo would say now (Linux fs/proc/meminfo.c,
 * mm/slab_common.c, mm/vmalloc.c), as a snapshot holds them. Return: on the heap.
 */
char *zoo_counters_text(const struct zoo_machine *machine);

#endif
