/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_ABILITIES_H
#define KMT_CLI_ABILITIES_H

#include "kmemtape/diagnosis.h"

/**
 * kmt_abilities_find() - what can be recorded here
 * @root_fd: /
 * @is_root: of this process; else much stays unknown, unless it has capabilities
 * @capabilities: that it may use
 * @diagnosis: nr_cpus and total_bytes are set; abilities are filled in
 *
 * Looks only: nothing is mounted, enabled or written.
 */
void kmt_abilities_find(int root_fd, bool is_root, uint64_t capabilities,
			struct kmt_diagnosis *diagnosis);

#endif
