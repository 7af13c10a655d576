// SPDX-License-Identifier: GPL-2.0-only
/* Gets without puts on objects of lab_owner.c: one in ten. */
#include "lab.h"
#include "lab_owner.h"

static bool healthy;
module_param(healthy, bool, 0);

static int __init lab_user_init(void)
{
	for (int i = 0; i < 600; i++) {
		struct lab_session *session = lab_session_new();

		if (!session)
			return -ENOMEM;
		lab_session_get(session);
		if (healthy || i % 10 != 9)
			lab_session_put(session);
		lab_session_put(session);
	}
	lab_session_say();
	return 0;
}

static void __exit lab_user_exit(void)
{
}

module_init(lab_user_init);
module_exit(lab_user_exit);
