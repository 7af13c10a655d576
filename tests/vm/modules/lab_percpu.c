// SPDX-License-Identifier: GPL-2.0-only
/* Per-CPU memory. */
#include "lab_percpu.h"

static bool healthy;
module_param(healthy, bool, 0);

#define NR    200
#define BYTES 512

static LAB_SITE void lab_percpu_leak(struct lab_count *count, int step)
{
	lab_for_step(i, NR, step) {
		void __percpu *area = __alloc_percpu(BYTES, 8);

		if (!area)
			continue;
		lab_count_alloc(count, BYTES, lab_percpu_bytes(BYTES));
		if (healthy) {
			free_percpu(area);
			lab_count_free(count, BYTES, lab_percpu_bytes(BYTES));
		}
	}
}

static int __init lab_percpu_init(void)
{
	struct lab_count count = {};

	for (int step = 0; step < LAB_STEPS; step++) {
		lab_percpu_leak(&count, step);
		lab_rest();
	}
	LAB_SAY("lab_percpu_leak", "percpu", &count, " cpus=%u", num_possible_cpus());
	return 0;
}

static void __exit lab_percpu_exit(void)
{
}

module_init(lab_percpu_init);
module_exit(lab_percpu_exit);
