// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "reasons.h"

void kmt_reasons_add(struct kmt_reasons *reasons, bool is_for, const char *fmt, ...)
{
	struct kmt_reason *reason;
	va_list args;

	if (reasons->nr == KMT_REASONS_MAX)
		return;
	reason = &reasons->list[reasons->nr++];
	reason->is_for = is_for;
	va_start(args, fmt);
	(void)vsnprintf(reason->text, sizeof(reason->text), fmt, args);
	va_end(args);
}

int kmt_reasons_give(const struct kmt_reasons *reasons, struct kmt_judgement *judgement)
{
	judgement->reasons = NULL;
	judgement->nr_reasons = 0;
	if (reasons->nr == 0)
		return 0;
	judgement->reasons = calloc(reasons->nr, sizeof(*judgement->reasons));
	if (!judgement->reasons)
		return -ENOMEM;
	for (int is_for = 1; is_for >= 0; is_for--)
		for (size_t i = 0; i < reasons->nr; i++)
			if (reasons->list[i].is_for == is_for)
				judgement->reasons[judgement->nr_reasons++] = reasons->list[i];
	return 0;
}
