// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "kmemtape/dossier.h"

#include "check.h"
#include "heap.h"
#include "ledger.h"

#define MS	UINT64_C(1000000)
#define S	(1000 * MS)
#define SOFTIRQ 0x10
#define HARDIRQ 0x08
#define FREER_A UINT64_C(0xffffffff81003000)
#define FREER_B UINT64_C(0xffffffff81004000)

/* A ledger whose SITE_A is watched: site 0 of the dossiers. */
struct watched {
	struct kmt_dossiers *dossiers;
	struct kmt_ledger *ledger;
};

static bool watch_a(void *context, const struct kmt_account *account)
{
	return account->key.call_site == SITE_A;
}

static int pass_alloc(void *context, const struct kmt_account *account,
		      const struct kmt_event *event, const char *comm)
{
	return kmt_dossiers_alloc(((struct watched *)context)->dossiers, account, event, comm);
}

static int pass_free(void *context, const struct kmt_account *account,
		     const struct kmt_object *object, enum kmt_end how,
		     const struct kmt_event *event, const char *comm)
{
	return kmt_dossiers_end(((struct watched *)context)->dossiers, account, object, how, event,
				comm);
}

static int pass_end(void *context, const struct kmt_account *account, uint64_t ptr,
		    const struct kmt_object *object)
{
	return kmt_dossiers_live(((struct watched *)context)->dossiers, account, ptr, object);
}

static void open_watched(struct watched *watched)
{
	static const char sshd[] = "sshd";
	struct kmt_dossiers_options asked = { .kernel_from = usual.kernel_from,
					      .kernel_to = usual.kernel_to,
					      .hash_seed = 7 };
	struct kmt_ledger_options options = usual;

	options.has_late_frees = true;
	options.watcher = (struct kmt_watcher){ .context = watched,
						.is_watched = watch_a,
						.on_alloc = pass_alloc,
						.on_free = pass_free,
						.on_end = pass_end };
	CHECK_EQ(kmt_dossiers_new(&asked, &watched->dossiers, NULL), 0);
	watched->ledger = new_ledger(&options);
	CHECK_EQ(kmt_ledger_name_task(watched->ledger, 100, sshd), 0);
}

static void close_watched(struct watched *watched)
{
	watched->ledger = kmt_ledger_free(watched->ledger);
	watched->dossiers = kmt_dossiers_free(watched->dossiers);
}

#define WATCHED                                                    \
	KMT_CLEANUP(close_watched) struct watched watched = { 0 }; \
	struct kmt_ledger *ledger;                                 \
	open_watched(&watched);                                    \
	ledger = watched.ledger

static struct kmt_dossier fill(struct watched *watched, uint64_t end_ns)
{
	struct kmt_dossier dossier = { .site.call_site = SITE_A };
	const struct kmt_account *accounts;
	size_t nr;

	accounts = kmt_ledger_accounts(watched->ledger, &nr);
	kmt_dossiers_set_end(watched->dossiers, end_ns);
	for (size_t i = 0; i < nr; i++)
		if (accounts[i].key.call_site == SITE_A)
			CHECK_EQ(kmt_dossiers_assign(watched->dossiers, &accounts[i], 0), 0);
	CHECK_EQ(kmt_ledger_finish(watched->ledger, end_ns, 0, 0), 0);
	CHECK_EQ(kmt_dossiers_fill(watched->dossiers, 0, &dossier), 0);
	return dossier;
}

#define DOSSIER(end_ns) \
	KMT_CLEANUP(kmt_dossier_deinit) struct kmt_dossier dossier = fill(&watched, end_ns)

TEST(sizes_are_counted_as_asked_for_and_as_given)
{
	WATCHED;
	take(ledger, KMALLOC(.time_ns = 1, .bytes_req = 50, .bytes_alloc = 64));
	take(ledger, KMALLOC(.time_ns = 2, .ptr = PTR + 64, .bytes_req = 64, .bytes_alloc = 64));
	take(ledger, KMALLOC(.time_ns = 3, .ptr = PTR + 128, .bytes_req = 64, .bytes_alloc = 64));
	take(ledger, KMALLOC(.time_ns = 4, .ptr = PTR + 256, .bytes_req = 64, .bytes_alloc = 96));
	take(ledger, KFREE(.time_ns = 5, .ptr = PTR + 128));
	DOSSIER(10);
	CHECK_EQ(dossier.allocs, 4);
	CHECK_EQ(dossier.nr_sizes, 3);
	CHECK_EQ(dossier.sizes[0].requested, 64);
	CHECK_EQ(dossier.sizes[0].allocated, 64);
	CHECK_EQ(dossier.sizes[0].allocs, 2);
	CHECK_EQ(dossier.sizes[0].live, 1);
	CHECK_EQ(dossier.sizes[1].requested, 50); /* one live each: by size then */
	CHECK_EQ(dossier.sizes[2].allocated, 96);
}

TEST(tasks_and_interrupts_are_told_apart)
{
	WATCHED;
	take(ledger, KMALLOC(.time_ns = 1));
	take(ledger, KMALLOC(.time_ns = 2, .ptr = PTR + 64, .context = SOFTIRQ));
	take(ledger,
	     KMALLOC(.time_ns = 3, .ptr = PTR + 128, .context = SOFTIRQ | HARDIRQ, .pid = 7));
	take(ledger, KMALLOC(.time_ns = 4, .ptr = PTR + 192, .pid = 7));
	take(ledger, KFREE(.time_ns = 5, .ptr = PTR + 192));
	DOSSIER(10);
	CHECK_EQ(dossier.nr_tasks, 4);
	CHECK_EQ(dossier.remembered, 3);
	for (size_t i = 0; i < 4; i++) {
		const struct kmt_dossier_task *task = &dossier.tasks[i];

		CHECK_EQ(task->allocs, 1);
		CHECK_EQ(task->live, task->pid != 7);
		CHECK_EQ(task->pid == -1, task->running != KMT_RUNNING_TASK);
		if (task->pid == 100)
			CHECK_TEXT(task->comm, "sshd");
		if (task->pid == 7)
			CHECK(!task->comm);
	}
}

TEST(who_frees_is_told_with_lifetimes)
{
	WATCHED;
	for (uint64_t i = 0; i < 3; i++) {
		take(ledger, KMALLOC(.time_ns = 10 * i + 1));
		take(ledger, KFREE(.time_ns = 10 * i + 2 + i, .call_site = FREER_A, .pid = 9,
				   .context = i ? 0 : SOFTIRQ));
	}
	take(ledger, KMALLOC(.time_ns = 100));
	take(ledger, KFREE(.time_ns = 100 + 2 * S, .call_site = FREER_B));
	DOSSIER(3 * S);
	CHECK_EQ(dossier.nr_freers, 2);
	CHECK(dossier.freers[0].call_site == FREER_A);
	CHECK_EQ(dossier.freers[0].frees, 3);
	CHECK_EQ(dossier.freers[0].in_interrupt, 1);
	CHECK_EQ(dossier.freers[0].first_ns, 2);
	CHECK_EQ(dossier.freers[0].first_pid, 9);
	CHECK_EQ(dossier.freers[0].lifetimes.min_ns, 1);
	CHECK_EQ(dossier.freers[0].lifetimes.max_ns, 3);
	CHECK(dossier.freers[0].lifetimes.sum_ns == 6);
	CHECK(dossier.freers[1].call_site == FREER_B);
	CHECK_EQ(dossier.freers[1].lifetimes.min_ns, 2 * S);
	CHECK_EQ(dossier.freed_ages[0], 3);
	CHECK_EQ(dossier.freed_ages[4], 1);
}

TEST(freers_in_modules_are_told_apart_when_modules_come_and_go)
{
	WATCHED;
	for (uint64_t i = 0; i < 4; i++) {
		take(ledger, KMALLOC(.time_ns = 10 * i + 1));
		take(ledger, KFREE(.time_ns = 10 * i + 2, .call_site = i & 1 ? MODULE : FREER_A));
		if (i == 1)
			kmt_dossiers_pass_module(watched.dossiers);
	}
	DOSSIER(50);
	CHECK_EQ(dossier.nr_freers, 3);
	CHECK(dossier.freers[0].call_site == FREER_A);
	CHECK_EQ(dossier.freers[0].frees, 2);
}

TEST(a_reuse_is_no_free_until_the_late_one_comes)
{
	WATCHED;
	take(ledger, CACHE_ALLOC(.time_ns = 1));
	take(ledger, CACHE_ALLOC(.time_ns = 3 * S)); /* reused: its free is not seen */
	take(ledger, CACHE_ALLOC(.time_ns = 3 * S + 10, .cpu = 1));
	take(ledger, CACHE_FREE(.time_ns = 3 * S + 20, .call_site = FREER_A));
	DOSSIER(4 * S);
	CHECK_EQ(dossier.reused, 1);
	CHECK_EQ(dossier.frees, 1);
	CHECK_EQ(dossier.live, 1);
	CHECK_EQ(dossier.nr_freers, 1);
	CHECK_EQ(dossier.freers[0].lifetimes.nr, 0); /* nobody knows any more */
	CHECK_EQ(dossier.reused_ages[4], 1);
	CHECK_EQ(dossier.freed_ages[0], 1);
	CHECK_EQ(dossier.reused_ages[0], 0);
}

TEST(the_first_of_two_events_leaves_no_trace)
{
	WATCHED;
	take(ledger, KMALLOC(.time_ns = 1, .bytes_alloc = LARGE, .bytes_req = LARGE, .gfp = 0xcc0));
	take(ledger, KMALLOC(.time_ns = 2, .call_site = SITE_B, .bytes_alloc = LARGE,
			     .bytes_req = LARGE, .gfp = 0xcc0));
	DOSSIER(10);
	CHECK_EQ(dossier.allocs, 0);
	CHECK_EQ(dossier.nr_sizes, 0);
	CHECK_EQ(dossier.nr_flags, 0);
	CHECK_EQ(dossier.nr_tasks, 0);
	CHECK_EQ(dossier.nr_oldest, 0);
	CHECK_EQ(dossier.remembered, 0);
}

TEST(the_oldest_live_objects_are_told_in_order)
{
	WATCHED;
	for (uint64_t i = 0; i < 100; i++) /* the first 20 go */
		take(ledger, KMALLOC(.time_ns = 10 + i / 2, .ptr = PTR + i * 64, .gfp = (uint32_t)i,
				     .cpu = 3));
	for (uint64_t i = 0; i < 20; i++)
		take(ledger, KFREE(.time_ns = 100, .ptr = PTR + i * 64));
	DOSSIER(S);
	CHECK_EQ(dossier.live, 80);
	CHECK_EQ(dossier.nr_oldest, KMT_DOSSIER_OLDEST);
	for (uint64_t i = 0; i < KMT_DOSSIER_OLDEST; i++) {
		CHECK(dossier.oldest[i].ptr == PTR + (20 + i) * 64);
		CHECK_EQ(dossier.oldest[i].time_ns, 10 + (20 + i) / 2);
		CHECK_EQ(dossier.oldest[i].gfp, 20 + i);
		CHECK_EQ(dossier.oldest[i].cpu, 3);
		CHECK_TEXT(dossier.oldest[i].comm, "sshd");
	}
	CHECK_EQ(dossier.live_ages[3], 80);
}

/* Many of everything: numbers stay exact, lists and memory do not grow with them. */
TEST(memory_is_bounded_and_numbers_are_exact)
{
	const uint64_t nr = 30000;
	uint64_t listed = 0, live = 0;
	WATCHED;
	size_t before;

	heap_watch();
	for (uint64_t i = 0; i < nr; i++)
		take(ledger, KMALLOC(.time_ns = i + 1, .ptr = PTR + i * 4096, .bytes_alloc = 4096,
				     .bytes_req = 1 + i % 4096, .gfp = (uint32_t)i,
				     .pid = 101 + (int32_t)i));
	before = heap.peak_bytes;
	CHECK(before < nr * 64 * 2 + (4u << 20)); /* the live set, and the lists */
	for (uint64_t i = 0; i < nr; i += 2)
		take(ledger,
		     KFREE(.time_ns = nr + i, .ptr = PTR + i * 4096, .call_site = FREER_A + i));
	DOSSIER(2 * nr);
	CHECK_EQ(dossier.allocs, nr);
	CHECK_EQ(dossier.frees, nr / 2);
	CHECK_EQ(dossier.live, nr / 2);
	CHECK_EQ(dossier.nr_flags, KMT_DOSSIER_LINES_MAX);
	CHECK_EQ(dossier.nr_freers, KMT_DOSSIER_LINES_MAX);
	CHECK(dossier.nr_tasks <= KMT_DOSSIER_LINES_MAX);
	CHECK(dossier.remembered <= KMT_DOSSIER_DETAILS_MAX);
	for (size_t i = 0; i < dossier.nr_tasks; i++) {
		listed += dossier.tasks[i].allocs;
		live += dossier.tasks[i].live;
	}
	CHECK_EQ(listed, nr); /* the later ones by name */
	CHECK_EQ(live, dossier.remembered);
	for (size_t i = 0; i < KMT_DOSSIER_OLDEST; i++) {
		CHECK(dossier.oldest[i].ptr == PTR + (2 * i + 1) * 4096);
		CHECK(dossier.oldest[i].has_details);
	}
}

TEST(what_was_born_when_memory_was_full_is_told_without_details)
{
	WATCHED;
	for (uint64_t i = 0; i < KMT_DOSSIER_DETAILS_MAX; i++)
		take(ledger, KMALLOC(.time_ns = i + 1, .ptr = PTR + i * 64));
	take(ledger, KMALLOC(.time_ns = 10000, .ptr = PTR - 64));
	for (uint64_t i = 0; i < KMT_DOSSIER_DETAILS_MAX; i++)
		take(ledger, KFREE(.time_ns = 20000 + i, .ptr = PTR + i * 64));
	take(ledger, KMALLOC(.time_ns = 30000, .ptr = PTR - 128));
	DOSSIER(40000);
	CHECK_EQ(dossier.live, 2);
	CHECK_EQ(dossier.remembered, 1);
	CHECK_EQ(dossier.nr_oldest, 2);
	CHECK(dossier.oldest[0].ptr == PTR - 64 && !dossier.oldest[0].has_details);
	CHECK(dossier.oldest[1].ptr == PTR - 128 && dossier.oldest[1].has_details);
}

TEST(ages_are_in_the_bin_of_their_size)
{
	WATCHED;
	for (unsigned int i = 0; i < KMT_DOSSIER_AGES - 1; i++) {
		take(ledger, KMALLOC(.time_ns = i + 1, .ptr = PTR + i * 64));
		CHECK(i == 0 || kmt_dossier_age_to(i) > kmt_dossier_age_to(i - 1));
	}
	for (unsigned int i = 0; i < KMT_DOSSIER_AGES - 1; i++) /* just as old */
		take(ledger, KFREE(.time_ns = i + 1 + kmt_dossier_age_to(i), .ptr = PTR + i * 64));
	DOSSIER(kmt_dossier_age_to(KMT_DOSSIER_AGES - 2) + 100);
	CHECK_EQ(dossier.freed_ages[0], 0);
	for (unsigned int i = 1; i < KMT_DOSSIER_AGES; i++)
		CHECK_EQ(dossier.freed_ages[i], 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(sizes_are_counted_as_asked_for_and_as_given),
		ROW(tasks_and_interrupts_are_told_apart),
		ROW(who_frees_is_told_with_lifetimes),
		ROW(freers_in_modules_are_told_apart_when_modules_come_and_go),
		ROW(a_reuse_is_no_free_until_the_late_one_comes),
		ROW(the_first_of_two_events_leaves_no_trace),
		ROW(the_oldest_live_objects_are_told_in_order),
		ROW(memory_is_bounded_and_numbers_are_exact),
		ROW(what_was_born_when_memory_was_full_is_told_without_details),
		ROW(ages_are_in_the_bin_of_their_size),
	};

	return cmocka_run_group_tests_name("dossier", tests, NULL, NULL);
}
