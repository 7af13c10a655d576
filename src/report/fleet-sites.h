/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_FLEET_SITES_H
#define KMT_REPORT_FLEET_SITES_H

#include "kmemtape/fleet.h"

/* Of its tapes, which it has. @host_of_tape: below nr_hosts, of each. Return: 0 or -ENOMEM. */
int kmt_fleet_make_sites(struct kmt_fleet *fleet, const size_t *host_of_tape);

#endif
