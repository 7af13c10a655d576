// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of objects that no event of the kernel knows, of a pool of our own: for record --pair. */
#include "lab.h"

#include <linux/err.h>

static bool healthy;
module_param(healthy, bool, 0);

#define TICKET_NR  2000 /* calls that get one */
#define LEAKED_IN  5	/* one in so many is kept */
#define VOUCHER_NR 400
#define BADGE_NR   4
#define GET_NR	   1200

struct lab_thing {
	bool is_taken;
	atomic_t refs;
	char text[48];
};

static struct lab_thing tickets[TICKET_NR], vouchers[VOUCHER_NR], badges[BADGE_NR];
static struct lab_count ticket_leak, ticket_ok, voucher_leak, badge_leak, badge_ok;

static void count(struct lab_count *count, int n)
{
	count->allocs += n > 0;
	count->objects += n;
}

static LAB_SITE struct lab_thing *take_from(struct lab_thing *pool, int nr)
{
	for (int i = 0; i < nr; i++) {
		if (pool[i].is_taken)
			continue;
		pool[i].is_taken = true;
		return &pool[i];
	}
	return NULL;
}

/* Fails every now and then, in both ways that are usual. */
LAB_SITE struct lab_thing *lab_ticket_alloc(int i)
{
	if (i % 10 == 3)
		return NULL;
	if (i % 10 == 7)
		return ERR_PTR(-EAGAIN);
	return take_from(tickets, TICKET_NR);
}

/* As most functions that free, it takes what failed, too. */
LAB_SITE void lab_ticket_free(struct lab_thing *ticket)
{
	if (!IS_ERR_OR_NULL(ticket))
		ticket->is_taken = false;
	barrier();
}

LAB_SITE struct lab_thing *lab_voucher_alloc(void)
{
	struct lab_thing *voucher = take_from(vouchers, VOUCHER_NR);

	barrier(); /* no tail call */
	return voucher;
}

LAB_SITE void lab_voucher_free(int why, struct lab_thing *voucher)
{
	voucher->text[0] = why;
	voucher->is_taken = false;
}

LAB_SITE void lab_badge_get(struct lab_thing *badge)
{
	atomic_inc(&badge->refs);
}

LAB_SITE void lab_badge_put(struct lab_thing *badge)
{
	atomic_dec(&badge->refs);
}

static LAB_SITE void lab_ticket_leak(int step)
{
	lab_for_step(i, TICKET_NR, step) {
		struct lab_thing *ticket = lab_ticket_alloc(i);

		if (IS_ERR_OR_NULL(ticket)) {
			lab_ticket_free(ticket);
			continue;
		}
		count(&ticket_leak, 1);
		if (!healthy && i % LEAKED_IN == 0)
			continue;
		lab_ticket_free(ticket);
		count(&ticket_leak, -1);
	}
}

static LAB_SITE void lab_ticket_ok(int step)
{
	lab_for_step(i, TICKET_NR, step) {
		struct lab_thing *ticket = lab_ticket_alloc(0);

		if (!ticket)
			continue;
		count(&ticket_ok, 1);
		lab_ticket_free(ticket);
		count(&ticket_ok, -1);
	}
}

static LAB_SITE void lab_voucher_leak(int step)
{
	lab_for_step(i, VOUCHER_NR, step) {
		struct lab_thing *voucher = lab_voucher_alloc();

		if (!voucher)
			continue;
		count(&voucher_leak, 1);
		if (!healthy && i % LEAKED_IN == 0)
			continue;
		lab_voucher_free(i, voucher);
		count(&voucher_leak, -1);
	}
}

/* One reference of ten stays, on the same few objects that lab_badge_ok() is right with. */
static LAB_SITE void lab_badge_leak(int step)
{
	lab_for_step(i, GET_NR, step) {
		lab_badge_get(&badges[i % BADGE_NR]);
		count(&badge_leak, 1);
		if (!healthy && i % 10 == 9)
			continue;
		lab_badge_put(&badges[i % BADGE_NR]);
		count(&badge_leak, -1);
	}
}

static LAB_SITE void lab_badge_ok(int step)
{
	lab_for_step(i, GET_NR, step) {
		lab_badge_get(&badges[i % BADGE_NR]);
		count(&badge_ok, 1);
		barrier();
		lab_badge_put(&badges[i % BADGE_NR]);
		count(&badge_ok, -1);
	}
}

static int __init lab_pairs_init(void)
{
	lab_badge_put(&badges[0]); /* of a reference that is older than any recording, as it were */
	for (int step = 0; step < LAB_STEPS; step++) {
		lab_ticket_leak(step);
		lab_ticket_ok(step);
		lab_voucher_leak(step);
		lab_badge_leak(step);
		lab_badge_ok(step);
		lab_rest();
	}
	LAB_SAY("lab_ticket_leak", "pair", &ticket_leak, " pair=ticket");
	LAB_SAY("lab_ticket_ok", "pair", &ticket_ok, " pair=ticket");
	LAB_SAY("lab_voucher_leak", "pair", &voucher_leak, " pair=voucher");
	LAB_SAY("lab_badge_leak", "pair", &badge_leak, " pair=badge");
	LAB_SAY("lab_badge_ok", "pair", &badge_ok, " pair=badge");
	return 0;
}

static void __exit lab_pairs_exit(void)
{
}

module_init(lab_pairs_init);
module_exit(lab_pairs_exit);
