/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_CORE_REASONS_H
#define KMT_CORE_REASONS_H

#include "kmemtape/judgement.h"

/* What speaks for and against a class, while it is being found. */
struct kmt_reasons {
	struct kmt_reason list[KMT_REASONS_MAX];
	size_t nr;
};

/* Adds one; too many or too long ones are cut. */
void kmt_reasons_add(struct kmt_reasons *reasons, bool is_for, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Gives @judgement a copy, those for its class first. Return: 0 or -ENOMEM. */
int kmt_reasons_give(const struct kmt_reasons *reasons, struct kmt_judgement *judgement);

#endif
