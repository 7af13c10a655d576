// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../../src/tape/tar.h"

#include "kmemtape/fs.h"
#include "kmemtape/members.h"

#include "check.h"
#include "dir.h"

#define LIMIT (1u << 20)

/* A small tree in @dir/t.tape, as far as members go: nothing looks into the files here. */
static const char make_tree[] = "mkdir -p t.tape/cpu t.tape/events/kmem/kfree &&"
				"printf '{}' >t.tape/manifest.json &&"
				"printf zero >t.tape/cpu/0000.zst &&"
				"seq 1000 >t.tape/cpu/0001.zst &&"
				"printf 'name: kfree' >t.tape/events/kmem/kfree/format";

static void shell(const struct dir *dir, const char *commands)
{
	KMT_CLEANUP(kmt_freep) char *line = NULL;

	CHECK(asprintf(&line, "cd %s && { %s\n}", dir->path, commands) > 0);
	if (system(line) != 0)
		fail_msg("failed: %s", commands);
}

static struct dir enter_tree(const char *commands)
{
	struct dir dir = enter_dir();

	shell(&dir, make_tree);
	shell(&dir, commands);
	return dir;
}

static int open_in(const struct dir *dir, const char *name, struct kmt_members **ret_members,
		   struct kmt_err *err)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/%s", dir->path, name);
	return kmt_members_open(path, ret_members, err);
}

static void check_text(const struct kmt_members *members, const char *path, const char *expected)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;

	CHECK_EQ(kmt_members_read(members, path, LIMIT, &text, &bytes), 0);
	CHECK_EQ(bytes, strlen(text));
	if (expected)
		CHECK_TEXT(text, expected);
}

static void check_list(const struct kmt_members *members, const char *under, const char *expected)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	char all[1024] = "";

	CHECK_EQ(kmt_members_list(members, under, &paths, NULL), 0);
	for (char **path = paths; *path; path++) {
		(void)strcat(all, *path);
		(void)strcat(all, " ");
	}
	CHECK_TEXT(all, expected);
}

static void check_tree(const struct kmt_members *members)
{
	check_text(members, "manifest.json", "{}");
	check_text(members, "cpu/0000.zst", "zero");
	check_text(members, "cpu/0001.zst", NULL);
	check_text(members, "events/kmem/kfree/format", "name: kfree");
	check_list(members, "",
		   "cpu/0000.zst cpu/0001.zst events/kmem/kfree/format manifest.json ");
	check_list(members, "cpu", "cpu/0000.zst cpu/0001.zst ");
}

/* What a tar made by @commands from the tree is, as a tape. */
static void check_packed(const char *commands)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_tree(commands);
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
	struct kmt_err err = { "" };

	if (open_in(&dir, "t.tar", &members, &err) < 0)
		fail_msg("%s: %s", commands, err.text);
	CHECK(kmt_members_is_packed(members));
	CHECK(!kmt_members_damage(members));
	check_tree(members);
}

static int open_packed(const char *commands, struct kmt_err *err)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_tree(commands);
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
	int r = open_in(&dir, "t.tar", &members, err);

	CHECK((r == 0) == (members != NULL));
	return r;
}

TEST(a_directory_has_its_files)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_tree("true");
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;

	CHECK_EQ(open_in(&dir, "t.tape", &members, NULL), 0);
	CHECK(!kmt_members_is_packed(members));
	CHECK(!kmt_members_damage(members));
	check_tree(members);
}

TEST(a_tar_has_the_same_files_whoever_made_it)
{
	check_packed("tar cf t.tar t.tape");
	check_packed("tar cf t.tar ./t.tape");
	check_packed("tar cf t.tar -C t.tape .");
	check_packed("cd t.tape && tar cf ../t.tar *");
	check_packed("tar cf t.tar --format=v7 t.tape");
	check_packed("tar cf t.tar --format=ustar t.tape");
	check_packed("tar cf t.tar --format=oldgnu t.tape");
	check_packed("tar cf t.tar --format=pax t.tape");
	check_packed(
		"tar cf t.tar --format=pax --pax-option=globexthdr.name=g,comment=hello t.tape");
}

TEST(long_names_are_those_of_ustar_gnu_and_pax)
{
	check_packed("d=$(printf '%090d/%050d' 0 0); mkdir -p $d; mv t.tape $d;"
		     "tar cf t.tar --format=ustar $d");
	check_packed("d=$(printf '%0200d' 0); mkdir -p $d; mv t.tape $d;"
		     "tar cf t.tar --format=gnu $d");
	check_packed("d=$(printf '%0200d' 0); mkdir -p $d; mv t.tape $d;"
		     "tar cf t.tar --format=pax $d");
}

/* Nine GiB of zeros are not written: the header, a hole, and a tar of the rest. */
TEST(sizes_are_octal_or_binary_or_of_pax)
{
	KMT_CLEANUP(leave_dir)
	struct dir dir = enter_tree(
		"truncate -s 9G t.tape/snapshots.zst; printf end >t.tape/z;"
		"make() { tar c --format=$1 t.tape/snapshots.zst 2>/dev/null | head -c $2 >$1.tar;"
		"  truncate -s $(($2 + (9 << 30))) $1.tar; tar c t.tape/manifest.json t.tape/z >>$1.tar; };"
		"make gnu 512; make pax 1536");
	static const char *const names[] = { "gnu.tar", "pax.tar" };

	for (int i = 0; i < 2; i++) {
		KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
		KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };

		CHECK_EQ(open_in(&dir, names[i], &members, NULL), 0);
		CHECK_EQ(kmt_members_get(members, "snapshots.zst", &member), 0);
		CHECK_EQ(member.bytes, UINT64_C(9) << 30);
		check_text(members, "z", "end");
	}
}

TEST(what_is_not_there_is_missing)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_tree("tar cf t.tar t.tape");
	static const char *const names[] = { "t.tape", "t.tar" };
	static const char *const paths[] = { "comms",
					     "cpu/0002.zst",
					     "",
					     "cpu",
					     "cpu/",
					     "x/y/z",
					     "../t.tape/manifest.json",
					     "cpu/../manifest.json",
					     "/etc/passwd" };
	struct kmt_member member;

	for (int i = 0; i < 2; i++) {
		KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;

		CHECK_EQ(open_in(&dir, names[i], &members, NULL), 0);
		for (size_t k = 0; k < sizeof(paths) / sizeof(paths[0]); k++)
			CHECK_EQ(kmt_members_get(members, paths[k], &member),
				 strcmp(paths[k], "cpu") == 0 ? -EISDIR : -ENOENT);
	}
	CHECK_EQ(kmt_members_get(NULL, "comms", &member), -ENOENT);
}

TEST(no_link_is_followed)
{
	KMT_CLEANUP(leave_dir)
	struct dir dir = enter_tree("echo secret >s; mkdir d; echo secret >d/f;"
				    "ln -s ../s t.tape/comms; ln -s ../d t.tape/symbols;"
				    "ln -s nowhere t.tape/snapshots.zst; tar cf t.tar t.tape");
	static const char *const names[] = { "t.tape", "t.tar" };
	struct kmt_member member;

	for (int i = 0; i < 2; i++) {
		KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;

		CHECK_EQ(open_in(&dir, names[i], &members, NULL), 0);
		CHECK_EQ(kmt_members_get(members, "comms", &member), -ELOOP);
		CHECK_EQ(kmt_members_get(members, "snapshots.zst", &member), -ELOOP);
		CHECK_EQ(kmt_members_get(members, "symbols/f", &member), i ? -ENOENT : -ELOOP);
		check_tree(members); /* no list has them, either */
	}
}

TEST(a_link_in_a_tar_is_not_followed_within_it)
{
	KMT_CLEANUP(leave_dir)
	struct dir dir =
		enter_tree("ln t.tape/cpu/0000.zst t.tape/cpu/0009.zst; tar cf t.tar t.tape");
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
	struct kmt_member member;
	int nr = 0;

	CHECK_EQ(open_in(&dir, "t.tar", &members, NULL), 0);
	nr += kmt_members_get(members, "cpu/0000.zst", &member) == -ELOOP;
	nr += kmt_members_get(members, "cpu/0009.zst", &member) == -ELOOP;
	CHECK_EQ(nr, 1); /* whichever tar met second */
}

TEST(what_is_no_file_is_refused_without_waiting_for_it)
{
	KMT_CLEANUP(leave_dir)
	struct dir dir =
		enter_tree("mkfifo t.tape/comms; mkdir t.tape/snapshots.zst; tar cf t.tar t.tape;"
			   "mkfifo fifo");
	static const char *const names[] = { "t.tape", "t.tar" };
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *none = NULL;
	struct kmt_member member;

	for (int i = 0; i < 2; i++) {
		KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;

		CHECK_EQ(open_in(&dir, names[i], &members, NULL), 0);
		CHECK_EQ(kmt_members_get(members, "comms", &member), -EBADMSG);
		CHECK_EQ(kmt_members_get(members, "snapshots.zst", &member), -EISDIR);
	}
	CHECK_EQ(open_in(&dir, "fifo", &none, NULL), -EBADMSG);
	CHECK_EQ(kmt_members_open("/dev/null", &none, NULL), -EBADMSG);
}

TEST(names_that_leave_the_tape_are_passed_over)
{
	KMT_CLEANUP(leave_dir)
	struct dir dir = enter_tree(
		"echo evil >evil; tar cPf t.tar t.tape --transform 's,^evil,../evil,' evil;"
		"tar rPf t.tar --transform 's,^evil,/tmp/evil,' evil;"
		"tar rPf t.tar --transform 's,^evil,t.tape/../comms,' evil;"
		"tar rPf t.tar --transform 's,^evil,t.tape//etc/evil,' evil");
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;

	CHECK_EQ(open_in(&dir, "t.tar", &members, NULL), 0);
	check_tree(members);
}

TEST(a_name_that_is_there_twice_is_refused_by_name)
{
	struct kmt_err err = { "" };

	CHECK_EQ(open_packed("tar cf t.tar t.tape; tar rf t.tar t.tape/cpu/0001.zst", &err),
		 -EBADMSG);
	CHECK_HAS(err.text, "'t.tape/cpu/0001.zst' is in it twice");
	CHECK_EQ(open_packed("tar cf t.tar t.tape; tar rf t.tar --no-recursion t.tape/cpu", &err),
		 0);
}

TEST(a_tar_has_one_tape)
{
	struct kmt_err err = { "" };

	CHECK_EQ(open_packed("cp -r t.tape u.tape; tar cf t.tar *.tape", &err), -EBADMSG);
	CHECK_HAS(err.text, "more than one tape");
	CHECK_EQ(open_packed("tar cf t.tar t.tape/cpu", &err), -EBADMSG);
	CHECK_HAS(err.text, "no manifest.json");
}

TEST(what_is_no_tar_is_told_apart)
{
	struct kmt_err err = { "" };

	CHECK_EQ(open_packed(": >t.tar", &err), -EBADMSG);
	CHECK_HAS(err.text, "neither a directory nor a tar");
	CHECK_EQ(open_packed("echo hello >t.tar", &err), -EBADMSG);
	CHECK_HAS(err.text, "neither a directory nor a tar");
	CHECK_EQ(open_packed("head -c 100000 /dev/zero >t.tar", &err), -EBADMSG);
	CHECK_HAS(err.text, "neither a directory nor a tar");
	CHECK_EQ(open_packed("tar czf t.tar t.tape", &err), -EBADMSG);
	CHECK_HAS(err.text, "compressed: unpack it first");
	CHECK_EQ(open_packed("tar c t.tape | zstd -q >t.tar", &err), -EBADMSG);
	CHECK_HAS(err.text, "compressed: unpack it first");
}

/* The tree without directories, so that offsets are known: 4 members of 1, 1, 8 and 1 blocks. */
#define TAR_OF_FILES \
	"cd t.tape && tar cf ../t.tar manifest.json cpu/0000.zst cpu/0001.zst events/kmem/kfree/format; cd ..;"

TEST(a_tar_is_taken_up_to_where_it_is_cut)
{
	static const struct {
		unsigned int bytes, cpu_bytes; /* of the file, and what is left of cpu/0001.zst */
		const char *what;
	} cuts[] = {
		{ 7680, 3893, "cut" }, /* just the zeros at the end */
		{ 7500, 3893, "cut" }, /* in the header of the format */
		{ 6656, 3893, "cut" },
		{ 6000, 3440, "cut within a member" },
		{ 2560, 0, "cut within a member" },
	};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		KMT_CLEANUP(leave_dir) struct dir dir = enter_tree(TAR_OF_FILES);
		KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
		KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };
		char command[64];

		(void)snprintf(command, sizeof(command), "truncate -s %u t.tar", cuts[i].bytes);
		shell(&dir, command);
		CHECK_EQ(open_in(&dir, "t.tar", &members, NULL), 0);
		CHECK(kmt_members_damage(members));
		CHECK_HAS(kmt_members_damage(members), cuts[i].what);
		CHECK_HAS(kmt_members_damage(members), "t.tar: offset ");
		check_text(members, "cpu/0000.zst", "zero");
		CHECK_EQ(kmt_members_get(members, "cpu/0001.zst", &member), 0);
		CHECK_EQ(member.bytes, cuts[i].cpu_bytes);
	}
}

TEST(behind_a_damaged_header_nothing_is_found)
{
	KMT_CLEANUP(leave_dir)
	struct dir dir = enter_tree(
		TAR_OF_FILES "printf X | dd of=t.tar bs=1 seek=2050 conv=notrunc status=none");
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;

	CHECK_EQ(open_in(&dir, "t.tar", &members, NULL), 0);
	CHECK_HAS(kmt_members_damage(members), "offset 2048: damaged");
	check_list(members, "", "cpu/0000.zst manifest.json ");
}

TEST(a_tar_that_is_cut_before_its_manifest_says_so)
{
	struct kmt_err err = { "" };

	CHECK_EQ(open_packed("tar cf t.tar t.tape/cpu; truncate -s 1024 t.tar", &err), -EBADMSG);
	CHECK_HAS(err.text, "offset ");
	CHECK_HAS(err.text, "cut");
}

TEST(a_sum_over_the_header_finds_each_changed_byte)
{
	struct kmt_tar_header header;
	uint64_t state = 5;
	uint32_t sum;

	for (size_t i = 0; i < sizeof(header); i++)
		((uint8_t *)&header)[i] = (uint8_t)check_random(&state);
	sum = kmt_tar_sum(&header);
	for (size_t i = 0; i < sizeof(header); i++) {
		bool is_of_sum = i >= offsetof(struct kmt_tar_header, checksum) &&
				 i < offsetof(struct kmt_tar_header, type);

		((uint8_t *)&header)[i] ^= 1;
		CHECK_EQ(kmt_tar_sum(&header) == sum, is_of_sum);
		((uint8_t *)&header)[i] ^= 1;
	}
}

TEST(too_many_members_are_refused)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
	KMT_CLEANUP(kmt_fclosep) FILE *file = NULL;
	struct kmt_err err = { "" };
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/t.tar", dir.path);
	file = fopen(path, "w");
	CHECK(file);
	for (unsigned int i = 0; i <= KMT_MEMBERS_MAX; i++) {
		struct kmt_tar_header header = { .type = '0', .size = "0" };

		(void)snprintf(header.name, sizeof(header.name), "t.tape/%u", i);
		(void)snprintf(header.checksum, sizeof(header.checksum), "%06o",
			       kmt_tar_sum(&header));
		CHECK_EQ(fwrite(&header, sizeof(header), 1, file), 1);
	}
	CHECK_EQ(fflush(file), 0);
	CHECK_EQ(open_in(&dir, "t.tar", &members, &err), -EFBIG);
	CHECK_HAS(err.text, "65536");
}

TEST(a_file_beyond_the_limit_is_refused)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_tree("tar cf t.tar t.tape");
	static const char *const names[] = { "t.tape", "t.tar" };
	char *text = NULL;
	size_t bytes;

	for (int i = 0; i < 2; i++) {
		KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;

		CHECK_EQ(open_in(&dir, names[i], &members, NULL), 0);
		CHECK_EQ(kmt_members_read(members, "cpu/0000.zst", 3, &text, &bytes), -EFBIG);
		CHECK_EQ(kmt_members_read(members, "cpu/0000.zst", 4, &text, &bytes), 0);
		free(text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(a_directory_has_its_files),
		ROW(a_tar_has_the_same_files_whoever_made_it),
		ROW(long_names_are_those_of_ustar_gnu_and_pax),
		ROW(sizes_are_octal_or_binary_or_of_pax),
		ROW(what_is_not_there_is_missing),
		ROW(no_link_is_followed),
		ROW(a_link_in_a_tar_is_not_followed_within_it),
		ROW(what_is_no_file_is_refused_without_waiting_for_it),
		ROW(names_that_leave_the_tape_are_passed_over),
		ROW(a_name_that_is_there_twice_is_refused_by_name),
		ROW(a_tar_has_one_tape),
		ROW(what_is_no_tar_is_told_apart),
		ROW(a_tar_is_taken_up_to_where_it_is_cut),
		ROW(behind_a_damaged_header_nothing_is_found),
		ROW(a_tar_that_is_cut_before_its_manifest_says_so),
		ROW(a_sum_over_the_header_finds_each_changed_byte),
		ROW(too_many_members_are_refused),
		ROW(a_file_beyond_the_limit_is_refused),
	};

	return cmocka_run_group_tests_name("members", tests, NULL, NULL);
}
