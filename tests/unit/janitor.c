// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kmemtape/fs.h"

#include "../../src/record/janitor.h"
#include "check.h"
#include "dir.h"

/* An instance that is called after @recorder, whose events are on. */
static void make_instance(const struct dir *dir, pid_t recorder, bool is_used, char ret_path[80])
{
	(void)mkdirat(dir->fd, "instances", 0700);
	(void)snprintf(ret_path, 80, "instances/kmemtape-%d", recorder);
	CHECK_EQ(mkdirat(dir->fd, ret_path, 0700), 0);
	if (!is_used)
		return;
	(void)snprintf(ret_path, 80, "instances/kmemtape-%d/events", recorder);
	CHECK_EQ(mkdirat(dir->fd, ret_path, 0700), 0);
	(void)snprintf(ret_path, 80, "instances/kmemtape-%d/events/enable", recorder);
	CHECK_EQ(kmt_write_file(dir->fd, ret_path, "1", 1, NULL), 0);
}

enum told { NOTHING, IT_IS_MADE, IT_IS_THERE };

/* A recorder that has a janitor, told so much of @dir's instance, and is killed. */
static void die(const struct dir *dir, enum told told, int go_fd)
{
	struct kmt_janitor janitor = KMT_JANITOR_NONE;
	struct kmt_tracefs tracefs = { .is_ours = false };
	char byte;

	(void)snprintf(tracefs.path, sizeof(tracefs.path), "%s", dir->path);
	if (read(go_fd, &byte, 1) != 1 || kmt_janitor_start(&janitor, &tracefs, NULL) < 0)
		_exit(1);
	if (told >= IT_IS_MADE)
		kmt_janitor_expect_instance(&janitor);
	if (told >= IT_IS_THERE)
		kmt_janitor_give_instance(&janitor);
	_exit(0); /* the kernel closes what we have, as if we were killed */
}

/* Return: what its janitor made of "1"; 0: all is gone. @is_used: else the instance is a mere name
 */
static char what_is_left(enum told told, bool is_used)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char path[80];
	pid_t recorder;
	int go[2];

	CHECK_EQ(pipe(go), 0);
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	recorder = fork();
	if (recorder == 0)
		die(&dir, told, go[0]);
	make_instance(&dir, recorder, is_used, path);
	CHECK_EQ(write(go[1], "", 1), 1);
	for (int status; wait(&status) > 0;) /* for the janitor, too, which is ours now */
		CHECK_EQ(status, 0);
	CHECK_EQ(close(go[0]) + close(go[1]), 0);
	if (faccessat(dir.fd, path, F_OK, 0) < 0)
		return 0;
	CHECK_EQ(is_used ? kmt_read_file(dir.fd, path, 16, &text, NULL, NULL) : 0, 0);
	return text ? *text : '1';
}

TEST(the_events_of_a_recorder_that_was_killed_go_off)
{
	CHECK_EQ(what_is_left(IT_IS_THERE, true), '0');
}

/* One that was refused, since there was another's by that name, of the same pid in its namespace.
 */
TEST(what_is_not_its_recorders_is_left_alone)
{
	CHECK_EQ(what_is_left(NOTHING, true), '1');
}

TEST(an_instance_of_a_recorder_that_was_killed_while_it_made_it_goes)
{
	CHECK_EQ(what_is_left(IT_IS_MADE, false), 0);
}

/* It may have been refused just then. */
TEST(one_that_is_used_by_then_is_left_alone)
{
	CHECK_EQ(what_is_left(IT_IS_MADE, true), '1');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(the_events_of_a_recorder_that_was_killed_go_off),
		ROW(what_is_not_its_recorders_is_left_alone),
		ROW(an_instance_of_a_recorder_that_was_killed_while_it_made_it_goes),
		ROW(one_that_is_used_by_then_is_left_alone),
	};

	return cmocka_run_group_tests_name("janitor", tests, NULL, NULL);
}
