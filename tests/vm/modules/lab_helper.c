// SPDX-License-Identifier: GPL-2.0-only
/* Of functions that allocate for others: the call site is theirs, and the leak is ours. */
#include "lab.h"

#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/string.h>

static bool healthy;
module_param(healthy, bool, 0);

#define NR 400

static const char text[] = "what is copied, and forgotten by who asked for it";

static LAB_SITE void lab_helper_strings(struct lab_count *count, int step)
{
	lab_for_step(i, NR, step) {
		char *copy = kstrdup(text, GFP_KERNEL);

		if (!copy)
			continue;
		lab_count_alloc(count, sizeof(text), kmalloc_size_roundup(sizeof(text)));
		if (healthy) {
			kfree(copy);
			lab_count_free(count, sizeof(text), kmalloc_size_roundup(sizeof(text)));
		}
	}
}

#define COPY_BYTES 200

static LAB_SITE void lab_helper_copies(struct lab_count *count, const void *from, int step)
{
	lab_for_step(i, NR, step) {
		void *copy = kvmalloc(COPY_BYTES, GFP_KERNEL);

		if (!copy)
			continue;
		memcpy(copy, from, COPY_BYTES);
		lab_count_alloc(count, COPY_BYTES, kmalloc_size_roundup(COPY_BYTES));
		if (healthy) {
			kvfree(copy);
			lab_count_free(count, COPY_BYTES, kmalloc_size_roundup(COPY_BYTES));
		}
	}
}

/* Each is two objects, whose sizes are the network's matter. */
static LAB_SITE void lab_helper_packets(struct lab_count *count, int step)
{
	lab_for_step(i, NR, step) {
		struct sk_buff *skb = alloc_skb(700, GFP_KERNEL);

		if (!skb)
			continue;
		count->allocs += 2;
		count->objects += 2;
		if (healthy) {
			kfree_skb(skb);
			count->objects -= 2;
		}
	}
}

static int __init lab_helper_init(void)
{
	struct lab_count strings = {}, copies = {}, packets = {};
	char from[COPY_BYTES] = {};

	for (int step = 0; step < LAB_STEPS; step++) {
		lab_helper_strings(&strings, step);
		lab_helper_copies(&copies, from, step);
		lab_helper_packets(&packets, step);
		lab_rest();
	}
	LAB_SAY("lab_helper_strings", "helper", &strings, "");
	LAB_SAY("lab_helper_copies", "helper", &copies, "");
	LAB_SAY("lab_helper_packets", "helper", &packets, "");
	return 0;
}

static void __exit lab_helper_exit(void)
{
}

module_init(lab_helper_init);
module_exit(lab_helper_exit);
