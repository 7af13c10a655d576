// SPDX-License-Identifier: GPL-2.0-only
#define TWIN_LEAK lab_second_leak
#define TWIN_NR	  500
#include "lab_twin.h"
