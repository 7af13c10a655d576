/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_LINES_READER_H
#define KMT_CLI_LINES_READER_H

#include "kmemtape/lines.h"

/* Source lines from the files of this host, by libdw. Opening it puts the process into a sandbox
 * that allows to read these, and the network if debuginfod is to be asked. */
struct kmt_lines_reader {
	struct kmt_lines_source source;
	struct kmt_lines *lines;
	const char *debuginfo;
};

/* @debuginfo: as in struct kmt_lines_options; borrowed. What the process opens goes with it. */
void kmt_lines_reader_init(struct kmt_lines_reader *reader, const char *debuginfo);

#endif
