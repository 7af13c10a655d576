/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_LEDGER_H
#define KMT_TESTS_LEDGER_H

#include "kmemtape/ledger.h"

#include "check.h"

/*
 * Books for tests. Events are made short: what is left out is CPU 0, pid 100, 64 bytes.
 */
#define SITE_A UINT64_C(0xffffffff81000100)
#define SITE_B UINT64_C(0xffffffff81000200)
#define MODULE UINT64_C(0xffffffffc0000100)
#define PTR    UINT64_C(0xffff888100042000)
#define PAGE   4096u
#define LARGE  UINT64_C(16384) /* above the largest cache of kmalloc */

static const struct kmt_ledger_options usual = {
	.kernel_from = 0xffffffff81000000,
	.kernel_to = 0xffffffff82000000,
	.page_bytes = PAGE,
};

static inline struct kmt_ledger *new_ledger(const struct kmt_ledger_options *options)
{
	struct kmt_ledger *ledger;

	CHECK_EQ(kmt_ledger_new(options, &ledger, NULL), 0);
	return ledger;
}

static inline void take(struct kmt_ledger *ledger, struct kmt_event event)
{
	if (!event.pid)
		event.pid = 100;
	if (kmt_event_is_alloc(&event) && !event.bytes_alloc)
		event.bytes_alloc = event.bytes_req = 64;
	CHECK_EQ(kmt_ledger_take(ledger, &event), 0);
}

#pragma GCC diagnostic ignored "-Woverride-init" /* a test changes one thing of the usual */
#define KMALLOC(...)                                                                    \
	(struct kmt_event)                                                              \
	{                                                                               \
		.kind = KMT_EVENT_KMALLOC, .call_site = SITE_A, .ptr = PTR, __VA_ARGS__ \
	}
#define CACHE_ALLOC(...)                                                                    \
	(struct kmt_event)                                                                  \
	{                                                                                   \
		.kind = KMT_EVENT_CACHE_ALLOC, .call_site = SITE_A, .ptr = PTR, __VA_ARGS__ \
	}
#define KFREE(...)                                               \
	(struct kmt_event)                                       \
	{                                                        \
		.kind = KMT_EVENT_KFREE, .ptr = PTR, __VA_ARGS__ \
	}
#define CACHE_FREE(...)                                               \
	(struct kmt_event)                                            \
	{                                                             \
		.kind = KMT_EVENT_CACHE_FREE, .ptr = PTR, __VA_ARGS__ \
	}
#define RCU_FREE(...)                                               \
	(struct kmt_event)                                          \
	{                                                           \
		.kind = KMT_EVENT_RCU_FREE, .ptr = PTR, __VA_ARGS__ \
	}
#define BULK_FREE(...)                                               \
	(struct kmt_event)                                           \
	{                                                            \
		.kind = KMT_EVENT_BULK_FREE, .ptr = PTR, __VA_ARGS__ \
	}
#define LOSS(...)                                   \
	(struct kmt_event)                          \
	{                                           \
		.kind = KMT_EVENT_LOSS, __VA_ARGS__ \
	}

static inline const struct kmt_totals *finish(struct kmt_ledger *ledger)
{
	CHECK_EQ(kmt_ledger_finish(ledger, 0, 0, 0), 0);
	return kmt_ledger_totals(ledger);
}

static inline const struct kmt_account *account(struct kmt_ledger *ledger, uint64_t call_site)
{
	size_t nr;
	const struct kmt_account *accounts = kmt_ledger_accounts(ledger, &nr);

	for (size_t i = 0; i < nr; i++)
		if (accounts[i].key.call_site == call_site)
			return &accounts[i];
	fail_msg("no account for this call site");
	return NULL;
}

#define LEDGER(options) \
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = new_ledger(options)

#endif
