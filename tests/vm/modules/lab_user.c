// SPDX-License-Identifier: GPL-2.0-only
/* Gets without puts on objects of lab_owner.c: one in ten. */
#include "lab.h"
#include "lab_owner.h"

static bool healthy;
module_param(healthy, bool, 0);

#define NR 600

static int __init use_sessions(int step)
{
	lab_for_step(i, NR, step) {
		struct lab_session *session = lab_session_new();

		if (!session)
			return -ENOMEM;
		lab_session_get(session);
		if (healthy || i % 10 != 9)
			lab_session_put(session);
		lab_session_put(session);
	}
	return 0;
}

static int __init lab_user_init(void)
{
	for (int step = 0; step < LAB_STEPS; step++) {
		int r = use_sessions(step);

		if (r)
			return r;
		lab_rest();
	}
	lab_session_say();
	return 0;
}

static void __exit lab_user_exit(void)
{
}

module_init(lab_user_init);
module_exit(lab_user_exit);
