/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_TRACE_DAT_H
#define KMEMTAPE_TRACE_DAT_H

#include <stdbool.h>

#include "kmemtape/err.h"
#include "kmemtape/tape.h"

/* trace.dat, the files of trace-cmd(1): trace-cmd.dat.v6(5), v7(5). */

/* True if the file at @path begins as a trace.dat does. */
bool kmt_is_trace_dat(const char *path);

/**
 * kmt_trace_dat_import() - make a tape of a trace.dat
 * @path: of the trace.dat, untrusted
 * @tape_path: as kmt_tape_create()
 * @progress: gets the bytes of @path that are read; NULL for none
 *
 * The sub-buffers as they are, with their times and marks of loss, of its top instance or, if that
 * has no memory events, of the only instance that has some. The manifest says that trace-cmd
 * recorded it; what it doesn't know (snapshots, when allocations went off) is unknown on the tape.
 *
 * Return: 0; -EBADMSG makes no sense; -ENODATA cut short, no memory events in it, or allocations
 * without frees; -ENOTSUP another clock, several instances, or compressed in a way that we can't;
 * -EPROTONOSUPPORT neither version 6 nor 7; other negative errno. Nothing is left of the tape after
 * a failure.
 */
int kmt_trace_dat_import(const char *path, const char *tape_path, struct kmt_progress *progress,
			 struct kmt_err *err);

/**
 * kmt_trace_dat_export() - make a trace.dat of a tape: raw sub-buffers as they are
 * @tape: its CPU files are read to the end
 * @path: must not exist, and is written at several places: no pipe
 *
 * Version 6, not compressed: what every trace-cmd reads. What is missing on the tape since it is
 * damaged or cut becomes a mark of missed events.
 *
 * Return: 0; 1 if the tape is damaged or cut, with the first place in @err; -ENOTSUP if trace.dat
 * has no way to say it; negative errno. Nothing is left of the file after a failure.
 */
int kmt_trace_dat_export(const struct kmt_tape *tape, const char *path, struct kmt_err *err);

#endif
