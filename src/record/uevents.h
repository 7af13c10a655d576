/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_UEVENTS_H
#define KMT_RECORD_UEVENTS_H

#include "kmemtape/err.h"

/* What the kernel announces about its own objects; bits. */
enum kmt_uevent {
	KMT_UEVENT_MODULE = 1, /* one came or went */
	KMT_UEVENT_CPU = 2,    /* one went online or offline */
};

/* kmt_uevents_open() - a socket that gets them, non-blocking; the caller closes it */
int kmt_uevents_open(int *ret_fd, struct kmt_err *err);

/* kmt_uevents_read() - read all that wait. Return: bits; all of them if some were missed. */
unsigned int kmt_uevents_read(int fd);

#endif
