// SPDX-License-Identifier: GPL-2.0-only
#define TWIN_LEAK lab_first_leak
#define TWIN_NR	  300
#include "lab_twin.h"
