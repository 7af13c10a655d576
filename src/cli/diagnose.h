/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_DIAGNOSE_H
#define KMT_CLI_DIAGNOSE_H

#include "kmemtape/diagnosis.h"

#include "host.h"

/**
 * kmt_diagnose() - is it the kernel at all?
 * @host: one reading at least
 * @diagnosis: nr_cpus and watched_ns are set; all but abilities is filled in
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_diagnose(const struct kmt_host *host, struct kmt_diagnosis *diagnosis);

#endif
