// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "check.h"
#include "ledger.h"

/* What the ledger told, as one line of text. */
struct told {
	char text[512];
	int answer; /* of all calls */
};

static void say(struct told *told, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct told *told, const char *fmt, ...)
{
	size_t length = strlen(told->text);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(told->text + length, sizeof(told->text) - length, fmt, args);
	va_end(args);
}

static bool watch_a(void *context, const struct kmt_account *account)
{
	say(context, "open ");
	return account->key.call_site == SITE_A;
}

static int note_alloc(void *context, const struct kmt_account *account,
		      const struct kmt_event *event, const char *comm)
{
	struct told *told = context;

	CHECK_EQ(account->key.call_site, SITE_A);
	say(told, "alloc:%d:%s ", (int)account->allocs, comm ? comm : "?");
	return told->answer;
}

static int note_free(void *context, const struct kmt_account *account,
		     const struct kmt_object *object, enum kmt_end how,
		     const struct kmt_event *event, const char *comm)
{
	static const char *const names[] = { "freed", "reused", "late", "replaced" };
	struct told *told = context;

	CHECK_EQ(account->key.call_site, SITE_A);
	CHECK_EQ(object == NULL, how == KMT_END_LATE);
	say(told, "%s:%d:%s ", names[how], object ? (int)object->time_ns : -1, comm ? comm : "?");
	return told->answer;
}

static int note_end(void *context, const struct kmt_account *account, uint64_t ptr,
		    const struct kmt_object *object)
{
	struct told *told = context;

	CHECK_EQ(account->key.call_site, SITE_A);
	CHECK_EQ(ptr, PTR);
	say(told, "live:%d ", (int)object->time_ns);
	return told->answer;
}

static struct kmt_ledger_options watching(struct told *told)
{
	struct kmt_ledger_options options = usual;

	options.has_late_frees = true;
	options.watcher = (struct kmt_watcher){ .context = told,
						.is_watched = watch_a,
						.on_alloc = note_alloc,
						.on_free = note_free,
						.on_end = note_end };
	return options;
}

TEST(each_end_of_a_watched_object_is_told)
{
	struct told told = { "" };
	struct kmt_ledger_options options = watching(&told);
	LEDGER(&options);

	CHECK_EQ(kmt_ledger_name_task(ledger, 100, "sshd"), 0);
	take(ledger, CACHE_ALLOC(.time_ns = 1));
	take(ledger, CACHE_FREE(.time_ns = 2, .pid = 7));
	CHECK_TEXT(told.text, "open alloc:1:sshd freed:1:? ");
	told.text[0] = '\0';
	take(ledger, CACHE_ALLOC(.time_ns = 3));
	take(ledger, CACHE_ALLOC(.time_ns = 4, .cpu = 1));
	take(ledger, CACHE_FREE(.time_ns = 5));
	CHECK_TEXT(told.text, "alloc:2:sshd reused:3:sshd alloc:3:sshd late:-1:sshd ");
	told.text[0] = '\0';
	CHECK_EQ(kmt_ledger_finish(ledger, 0, 0, 0), 0);
	CHECK_TEXT(told.text, "live:4 ");
}

TEST(the_first_of_two_events_is_told_as_replaced)
{
	struct told told = { "" };
	struct kmt_ledger_options options = watching(&told);
	LEDGER(&options);

	take(ledger, KMALLOC(.time_ns = 1, .bytes_alloc = LARGE, .bytes_req = LARGE));
	take(ledger,
	     KMALLOC(.time_ns = 2, .call_site = SITE_B, .bytes_alloc = LARGE, .bytes_req = LARGE));
	CHECK_TEXT(told.text, "open alloc:1:? open replaced:1:? ");
}

TEST(of_what_is_not_watched_nothing_is_told)
{
	struct told told = { "" };
	struct kmt_ledger_options options = watching(&told);
	LEDGER(&options);

	take(ledger, CACHE_ALLOC(.time_ns = 1, .call_site = SITE_B));
	take(ledger, CACHE_FREE(.time_ns = 2));
	take(ledger, CACHE_ALLOC(.time_ns = 3, .call_site = SITE_B));
	take(ledger, CACHE_ALLOC(.time_ns = 4, .call_site = SITE_B));
	CHECK_EQ(kmt_ledger_finish(ledger, 0, 0, 0), 0);
	CHECK_TEXT(told.text, "open ");
}

TEST(a_watcher_without_memory_ends_the_replay)
{
	struct told told = { .answer = 0 };
	struct kmt_ledger_options options = watching(&told);
	struct kmt_event event = KMALLOC(.time_ns = 1);
	LEDGER(&options);

	take(ledger, event);
	told.answer = -ENOMEM;
	event.ptr += 64;
	CHECK_EQ(kmt_ledger_take(ledger, &event), -ENOMEM);
	event = KFREE(.time_ns = 2, .ptr = PTR + 64);
	CHECK_EQ(kmt_ledger_take(ledger, &event), -ENOMEM);
	CHECK_EQ(kmt_ledger_finish(ledger, 0, 0, 0), -ENOMEM);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(each_end_of_a_watched_object_is_told),
		ROW(the_first_of_two_events_is_told_as_replaced),
		ROW(of_what_is_not_watched_nothing_is_told),
		ROW(a_watcher_without_memory_ends_the_replay),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
