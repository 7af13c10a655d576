// SPDX-License-Identifier: GPL-2.0-only
/* leak=timer, irq: from a softirq (a timer), from a hard interrupt (irq_work). */
#include "lab.h"

#include <linux/completion.h>
#include <linux/irq_work.h>
#include <linux/preempt.h>
#include <linux/timer.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0) /* 9b13df3fb64e: renamed; 8fa7292fee5c (v6.15): the old name is gone */
#define timer_delete_sync del_timer_sync
#endif

static char *leak = "";
module_param(leak, charp, 0);
static bool healthy;
module_param(healthy, bool, 0);

#define ROUNDS	    LAB_STEPS
#define TIMER_NR    10 /* objects a round */
#define TIMER_BYTES 60
#define IRQ_NR	    5
#define IRQ_BYTES   500

static struct lab_count count;
static int rounds, wrong_context;
static DECLARE_COMPLETION(done);

static LAB_SITE void lab_timer_leak(void)
{
	wrong_context += !in_serving_softirq();
	for (int i = 0; i < TIMER_NR; i++) {
		void *object = kmalloc(TIMER_BYTES, GFP_ATOMIC);

		if (!object)
			continue;
		lab_count_alloc(&count, TIMER_BYTES, kmalloc_size_roundup(TIMER_BYTES));
		if (healthy) {
			kfree(object);
			lab_count_free(&count, TIMER_BYTES, kmalloc_size_roundup(TIMER_BYTES));
		}
	}
}

static void on_timer(struct timer_list *timer)
{
	lab_timer_leak();
	if (++rounds < ROUNDS)
		mod_timer(timer, jiffies + 1 + msecs_to_jiffies(spread_ms / ROUNDS));
	else
		complete(&done);
}

static LAB_SITE void lab_irq_leak(void)
{
	wrong_context += !hardirq_count();
	for (int i = 0; i < IRQ_NR; i++) {
		void *object = kmalloc(IRQ_BYTES, GFP_ATOMIC);

		if (!object)
			continue;
		lab_count_alloc(&count, IRQ_BYTES, kmalloc_size_roundup(IRQ_BYTES));
		if (healthy) {
			kfree(object);
			lab_count_free(&count, IRQ_BYTES, kmalloc_size_roundup(IRQ_BYTES));
		}
	}
}

static void on_irq(struct irq_work *work)
{
	lab_irq_leak();
}

static DEFINE_TIMER(timer, on_timer);
static struct irq_work work;

static int __init lab_irq_init(void)
{
	bool is_timer = !strcmp(leak, "timer");

	if (is_timer) {
		mod_timer(&timer, jiffies + 1);
		wait_for_completion(&done);
		timer_delete_sync(&timer);
	} else if (!strcmp(leak, "irq")) {
		init_irq_work(&work, on_irq);
		for (int i = 0; i < ROUNDS; i++) {
			irq_work_queue(&work);
			irq_work_sync(&work);
			lab_rest();
		}
	} else {
		return -EINVAL;
	}
	if (wrong_context)
		printk(KERN_NOTICE "kmt-lab: not as planned: wrong context in %d rounds\n", wrong_context);
	if (is_timer)
		LAB_SAY_KMALLOC("lab_timer_leak", &count, TIMER_BYTES);
	else
		LAB_SAY_KMALLOC("lab_irq_leak", &count, IRQ_BYTES);
	return 0;
}

static void __exit lab_irq_exit(void)
{
}

module_init(lab_irq_init);
module_exit(lab_irq_exit);
