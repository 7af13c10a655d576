/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DAT_WRITER_H
#define KMT_DAT_WRITER_H

#include <stdio.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/tape.h"

/*
 * A trace.dat being written, of version 6: the one that every trace-cmd reads. The first failure to
 * write is remembered, and asked for later.
 */
struct kmt_dat_writer {
	const struct kmt_tape *tape;
	FILE *file;
	bool is_big_endian;
	int error; /* negative errno; 0: none */
};

void kmt_dat_put_number(struct kmt_dat_writer *writer, unsigned int bytes, uint64_t n);
void kmt_dat_put_bytes(struct kmt_dat_writer *writer, const void *bytes, size_t size);
void kmt_dat_put_word(struct kmt_dat_writer *writer, const char *text); /* with its zero byte */

/* A text, with its length in @width bytes before it. */
void kmt_dat_put_sized(struct kmt_dat_writer *writer, unsigned int width, const void *text,
		       size_t bytes);

/* The parts of a trace.dat that are text on a tape. Return: 0 or negative errno. */
int kmt_dat_put_headers(struct kmt_dat_writer *writer, struct kmt_err *err);
int kmt_dat_put_formats(struct kmt_dat_writer *writer, struct kmt_err *err);
int kmt_dat_put_kallsyms(struct kmt_dat_writer *writer, struct kmt_err *err);
int kmt_dat_put_cmdlines(struct kmt_dat_writer *writer, struct kmt_err *err);

#endif
