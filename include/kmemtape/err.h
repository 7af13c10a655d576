/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_ERR_H
#define KMEMTAPE_ERR_H

/*
 * One idiom for errors: a function that can fail returns int. Negative errno means failed, 0 or a
 * named positive value is a documented answer. The words are written once, into the caller's
 * struct kmt_err, by whoever knows the file name; callers pass both up unchanged.
 *
 * Codes raised here: -EBADMSG damaged, -ENODATA cut short, -EPROTONOSUPPORT written by a newer
 * format, -ENOTSUP this kernel lacks it, -ENOMEM. Results of system calls pass through as -errno.
 */

#define KMT_ERR_BYTES 512

struct kmt_err {
	char text[KMT_ERR_BYTES]; /* one line, no newline, always terminated; "" while nothing
				     failed */
};

/**
 * kmt_fail() - say why, and return the code
 * @err: where the words go; may be NULL. Longer text is cut.
 * @code: negative errno
 *
 * Return: @code, so that a failing function can `return kmt_fail(...)`.
 */
int kmt_fail(struct kmt_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
