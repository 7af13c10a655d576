// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../../src/tape/json-text.h"
#include "check.h"
#include "dir.h"
#include "heap.h"
#include "kmemtape/fs.h"
#include "kmemtape/manifest.h"

/* As json-c would lay it out. To be freed. */
static char *printed_by_json_c(const char *text)
{
	struct json_object *root = json_tokener_parse(text);
	char *again;

	if (!root)
		fail_msg("no JSON: %s", text);
	again = strdup(json_object_to_json_string_ext(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
	return again;
}

static char *text_of(const struct dir *dir, const char *name)
{
	char *text;

	CHECK_EQ(kmt_read_file(dir->fd, name, 1 << 20, &text, NULL, NULL), 0);
	return text;
}

static void fill(struct kmt_json_text *json)
{
	static const char odd[] = "a\"b\\c\x01\x1f\x7f\n\t\b\f\r/\xc3\xa4";

	kmt_json_text_array(json, "nothing");
	kmt_json_text_end_array(json);
	kmt_json_text_object(json, odd);
	kmt_json_text_end_object(json);
	kmt_json_text_array(json, "numbers");
	for (int i = 0; i < 3000; i++) /* more than its buffer has */
		kmt_json_text_int(json, NULL, i % 2 ? INT64_MIN + i : i);
	kmt_json_text_object(json, NULL);
	kmt_json_text_uint(json, "most", UINT64_MAX);
	kmt_json_text_string(json, "odd", odd);
	kmt_json_text_end_object(json);
	kmt_json_text_end_array(json);
	kmt_json_text_bool(json, "is_true", true);
	kmt_json_text_bool(json, "is_false", false);
}

TEST(it_is_what_json_c_would_print)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_close_fd)
	int fd = openat(dir.fd, "json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct kmt_json_text json;

	kmt_json_text_init(&json, fd);
	fill(&json);
	CHECK_EQ(kmt_json_text_finish(&json), 0);
	KMT_CLEANUP(kmt_freep) char *text = text_of(&dir, "json");
	KMT_CLEANUP(kmt_freep) char *again = printed_by_json_c(text);
	CHECK(strlen(text) > 10 * KMT_JSON_TEXT_BYTES);
	CHECK_TEXT(text, again);
}

TEST(the_first_failure_is_told)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct kmt_json_text json;

	kmt_json_text_init(&json, fd);
	fill(&json);
	json.fd = -1; /* would be EBADF */
	CHECK_EQ(kmt_json_text_finish(&json), -ENOSPC);
}

static void fill_manifest(struct kmt_manifest *m)
{
	kmt_manifest_init(m);
	(void)snprintf(m->command, sizeof(m->command), "sh -c \"a\\b\"\t/x");
	(void)snprintf(m->sets, sizeof(m->sets), "page"); /* and so "no-slab" */
	m->sample = 16;
	m->has_command_status = true;
	for (uint32_t cpu = 0; cpu < 1000; cpu++)
		CHECK_EQ(kmt_manifest_add_cpu(m, cpu), 0);
	CHECK_EQ(kmt_manifest_add_event(m, "kmem:kfree"), 0);
	CHECK_EQ(kmt_manifest_add_recorder_pid(m, 30), 0);
	CHECK_EQ(kmt_manifest_add_stats(m, &(struct kmt_cpu_stats){ 5, 1, 20, 300, 4000 }), 0);
	CHECK_EQ(kmt_manifest_add_probe(m, &(struct kmt_probe_stats){ "kmemtape:rcu_free", 1, 2 }),
		 0);
	CHECK_EQ(kmt_manifest_add_pair(m, &(struct kmt_pair){ .name = "dentry", .is_count = true }),
		 0);
	CHECK_EQ(kmt_manifest_add_filter(m, "kmem:kmalloc", "bytes_alloc >= 4096"), 0);
	kmt_manifest_note_disturbance(m, 1, 2, "trace");
	kmt_manifest_note_disturbance(m, 3, 4, "tracing_on");
}

TEST(a_manifest_is_what_json_c_would_print)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_manifest_deinit) struct kmt_manifest manifest;

	fill_manifest(&manifest);
	CHECK_EQ(kmt_manifest_write(&manifest, dir.fd, NULL), 0);
	KMT_CLEANUP(kmt_freep) char *text = text_of(&dir, "manifest.json");
	KMT_CLEANUP(kmt_freep) char *again = printed_by_json_c(text);
	CHECK_TEXT(text, again);
}

/* A recorder writes it while events are on. */
TEST(a_manifest_is_written_without_a_heap)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_manifest_deinit) struct kmt_manifest manifest;
	void *volatile probe; /* volatile: or the compiler does without it */

	fill_manifest(&manifest);
	heap_watch();
	probe = malloc(1);
	free(probe);
	CHECK_EQ(heap.calls, 1); /* it does count */
	heap_watch();
	CHECK_EQ(kmt_manifest_write_synced(&manifest, dir.fd, NULL), 0);
	CHECK_EQ(heap.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(it_is_what_json_c_would_print),
		ROW(the_first_failure_is_told),
		ROW(a_manifest_is_what_json_c_would_print),
		ROW(a_manifest_is_written_without_a_heap),
	};

	return cmocka_run_group_tests_name("json-text", tests, NULL, NULL);
}
