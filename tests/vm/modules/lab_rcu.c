// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects that are freed with kfree_rcu(), which mostly leaves no event, and some for which nobody calls it:
 * at a site of their own, or (same_site=1) allocated where the healthy ones are.
 */
#include "lab.h"

#include <linux/rcupdate.h>

static bool same_site;
module_param(same_site, bool, 0);
static bool healthy;
module_param(healthy, bool, 0);

#define NR 2000
#define IS_FORGOTTEN(i) ((i) % 50 == 49)

struct lab_node {
	struct rcu_head rcu;
	char text[200];
};

static struct lab_count nodes, forgotten;

static LAB_SITE struct lab_node *lab_rcu_node_new(void)
{
	struct lab_node *node = kmalloc(sizeof(*node), GFP_KERNEL);

	if (node) {
		lab_count_alloc(&nodes, sizeof(*node), kmalloc_size_roundup(sizeof(*node)));
		node->text[0] = 0;
	}
	return node;
}

static LAB_SITE struct lab_node *lab_rcu_never_queued(void)
{
	struct lab_node *node = kmalloc(sizeof(*node), GFP_KERNEL);

	if (node) {
		lab_count_alloc(&forgotten, sizeof(*node), kmalloc_size_roundup(sizeof(*node)));
		node->text[0] = 0;
	}
	return node;
}

/* The last reader is gone: as the allocator sees it, the node is free some time after. */
static void drop_node(struct lab_node *node, struct lab_count *count)
{
	lab_count_free(count, sizeof(*node), kmalloc_size_roundup(sizeof(*node)));
	kfree_rcu(node, rcu);
}

static void free_node(struct lab_node *node, struct lab_count *count)
{
	lab_count_free(count, sizeof(*node), kmalloc_size_roundup(sizeof(*node)));
	kfree(node);
}

static int __init handle_nodes(int step)
{
	lab_for_step(i, NR, step) {
		bool is_forgotten = IS_FORGOTTEN(i), is_apart = is_forgotten && !same_site;
		struct lab_node *node = is_apart ? lab_rcu_never_queued() : lab_rcu_node_new();

		if (!node)
			return -ENOMEM;
		if (!is_forgotten)
			drop_node(node, &nodes);
		else if (healthy && is_apart)
			free_node(node, &forgotten);
		else if (healthy)
			drop_node(node, &nodes);
	}
	return 0;
}

static int __init lab_rcu_init(void)
{
	for (int step = 0; step < LAB_STEPS; step++) {
		int r = handle_nodes(step);

		if (r)
			return r;
		lab_rest();
	}
	if (!same_site)
		LAB_SAY_KMALLOC("lab_rcu_never_queued", &forgotten, sizeof(struct lab_node));
	LAB_SAY("lab_rcu_node_new", "untraced", &nodes, " by=kfree_rcu");
	return 0;
}

static void __exit lab_rcu_exit(void)
{
}

module_init(lab_rcu_init);
module_exit(lab_rcu_exit);
