// SPDX-License-Identifier: GPL-2.0-only
/* Source lines out of ELF files that gcc makes for these tests. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/decode/source-path.h"
#include "kmemtape/fs.h"
#include "kmemtape/lines.h"

#include "check.h"
#include "dir.h"

#define ID_A "00112233445566778899aabbccddeeff00112233"
#define ID_B "ffffffffffffffffffffffffffffffffffffffff"

/* Two files with a static function of one name, and one that is inlined two deep. */
static const char first_c[] = "void _stext(void) {}\n"
			      "__attribute__((noipa)) void callee(long n)\n"
			      "{\n"
			      "	__asm__ volatile(\"\" : : \"r\"(n));\n"
			      "}\n"
			      "#include \"deep.h\"\n"
			      "static __attribute__((noinline)) void twice(long n)\n"
			      "{\n"
			      "	callee(n);\n"
			      "	callee(n + 1);\n"
			      "}\n"
			      "static __attribute__((noinline)) void same(long n)\n"
			      "{\n"
			      "	callee(n);\n"
			      "}\n"
			      "void outer(long n)\n"
			      "{\n"
			      "	inner(n);\n"
			      "	twice(n);\n"
			      "	same(n);\n"
			      "}\n";
static const char deep_h[] = "static inline __attribute__((always_inline)) void innermost(long n)\n"
			     "{\n"
			     "	callee(n);\n"
			     "}\n"
			     "static inline __attribute__((always_inline)) void inner(long n)\n"
			     "{\n"
			     "	innermost(n);\n"
			     "}\n";
static const char second_c[] = "void callee(long n);\n"
			       "static __attribute__((noinline)) void twice(long n)\n"
			       "{\n"
			       "	callee(n + 7);\n"
			       "	callee(n * 77);\n"
			       "	callee(n * 777);\n"
			       "	callee(n * 7777);\n"
			       "	callee(n * 77777);\n"
			       "	callee(n * 777777);\n"
			       "	callee(n ^ 7);\n"
			       "	callee(n ^ 77);\n"
			       "	callee(n ^ 777);\n"
			       "}\n"
			       "static __attribute__((noinline)) void same(long n)\n"
			       "{\n"
			       "	callee(n);\n"
			       "}\n"
			       "void second(long n)\n"
			       "{\n"
			       "	twice(n);\n"
			       "	same(n);\n"
			       "}\n";

static void run(const struct dir *dir, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A shell's command, in the directory. */
static void run(const struct dir *dir, const char *fmt, ...)
{
	char command[2048], whole[2560];
	va_list args;

	va_start(args, fmt);
	CHECK(vsnprintf(command, sizeof(command), fmt, args) < (int)sizeof(command));
	va_end(args);
	(void)snprintf(whole, sizeof(whole), "cd %s && { %s; } >log 2>&1 || { cat log; exit 1; }",
		       dir->path, command);
	if (system(whole) != 0)
		fail_msg("failed: %s", command);
}

static void write_text(const struct dir *dir, const char *path, const char *text)
{
	struct kmt_err err = { "" };

	if (kmt_write_file(dir->fd, path, text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
}

#define CFLAGS "-g -O2 -fno-optimize-sibling-calls -fcf-protection=none -fno-ipa-icf -fno-ipa-cp"

static void compile(const struct dir *dir, const char *flags)
{
	CHECK_EQ(mkdirat(dir->fd, "fs", 0700), 0);
	write_text(dir, "fs/first.c", first_c);
	write_text(dir, "fs/deep.h", deep_h);
	write_text(dir, "fs/second.c", second_c);
	run(dir, "gcc %s %s -c -o first.o fs/first.c && gcc %s %s -c -o second.o fs/second.c",
	    CFLAGS, flags, CFLAGS, flags);
}

static void make_kernel(const struct dir *dir)
{
	compile(dir, "-fno-pic");
	run(dir, "gcc -nostdlib -static -no-pie -Wl,--build-id=0x" ID_A
		 " -Wl,-e,outer -o vmlinux first.o second.o");
}

static void make_module(const struct dir *dir)
{
	compile(dir, "-fno-pic -mcmodel=kernel -ffunction-sections");
	run(dir, "ld -r --build-id=0x" ID_A " -o lab-mod.ko first.o second.o");
}

struct call {
	uint64_t start, size, offset; /* of the function; of the return address in it */
};

/*
 * The call number @which in the function number @namesake that is called @function, by objdump and
 * readelf: not by anything that we do.
 */
static struct call find_call(const struct dir *dir, const char *file, const char *function,
			     unsigned int namesake, unsigned int which)
{
	struct call call = { 0 };
	char command[1024], line[256];
	unsigned long long start, next, size;
	FILE *pipe;

	(void)snprintf(command, sizeof(command),
		       "cd %s && readelf -sW %s | awk '$4 == \"FUNC\" && $8 == \"%s\" "
		       "{ print \"0x\" $2, $3 }' | sort | sed -n %up",
		       dir->path, file, function, namesake);
	pipe = popen(command, "r");
	CHECK(pipe && fgets(line, sizeof(line), pipe));
	CHECK_EQ(sscanf(line, "%llx %llu", &start, &size), 2);
	CHECK_EQ(pclose(pipe), 0);
	(void)snprintf(command, sizeof(command),
		       "cd %s && objdump -dr --no-show-raw-insn -j .text -j .text.%s "
		       "--start-address=%llu --stop-address=%llu %s | "
		       "awk '/^ *[0-9a-f]+:\t/ && is_call { print \"0x\" $1; is_call = 0 } "
		       "/\tcall / { is_call = 1 }' | sed -n %up",
		       dir->path, function, start, start + size, file, which);
	pipe = popen(command, "r");
	CHECK(pipe && fgets(line, sizeof(line), pipe));
	CHECK_EQ(sscanf(line, "%llx", &next), 1);
	CHECK_EQ(pclose(pipe), 0);
	call.start = start;
	call.size = size;
	call.offset = next - start;
	return call;
}

/* What addr2line says of it, in our words. */
static const char *by_addr2line(const struct dir *dir, const char *file, const char *section,
				uint64_t address)
{
	static char text[1024];
	char command[512], line[512];
	FILE *pipe;

	(void)snprintf(command, sizeof(command), "cd %s && addr2line -i -e %s %s%s %#llx",
		       dir->path, file, *section ? "-j " : "", section,
		       (unsigned long long)address - 1);
	pipe = popen(command, "r");
	CHECK(pipe);
	*text = '\0';
	while (fgets(line, sizeof(line), pipe)) {
		const char *name = strstr(line, "fs/");

		CHECK(name);
		line[strcspn(line, " \n")] = '\0'; /* also "(discriminator 1)" */
		if (*text)
			(void)strcat(text, " < ");
		(void)strcat(text, name);
	}
	CHECK_EQ(pclose(pipe), 0);
	return text;
}

static struct kmt_lines *open_lines(const struct dir *dir, const char *debuginfo, const char *id)
{
	char path[128];
	struct kmt_lines_options options = { .kernel = "6.12.0-test", .build_id = id };
	struct kmt_err err = { "" };
	struct kmt_lines *lines;

	options.root = dir->path;
	(void)snprintf(path, sizeof(path), "%s/%s", dir->path, debuginfo ? debuginfo : "");
	options.debuginfo = debuginfo ? path : NULL;
	if (kmt_lines_new(&options, &lines, &err) != 0)
		fail_msg("%s", err.text);
	return lines;
}

#define LINES(dir, debuginfo, id) \
	KMT_CLEANUP(kmt_lines_freep) struct kmt_lines *lines = open_lines(dir, debuginfo, id)

static struct kmt_lines_place place_of(const char *function, const struct call *call)
{
	/* kallsyms counts what lies between a function and the next. */
	return (struct kmt_lines_place){ .build_id = "",
					 .function = function,
					 .offset = call->offset,
					 .size = (call->size + 15) & ~(uint64_t)15 };
}

static const char *find(struct kmt_lines *lines, const struct kmt_lines_place *place)
{
	const char *text;
	int r = kmt_lines_find(lines, place, &text);

	CHECK(r >= 0);
	CHECK_EQ(r, text != NULL);
	return text ? text : "?";
}

TEST(inlined_frames_come_innermost_first)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_place place;
	struct call call;

	make_kernel(&dir);
	call = find_call(&dir, "vmlinux", "outer", 1, 1);
	place = place_of("outer", &call);
	LINES(&dir, "vmlinux", ID_A);
	CHECK_TEXT(find(lines, &place), "fs/deep.h:3 < fs/deep.h:7 < fs/first.c:18");
	CHECK_TEXT(find(lines, &place),
		   by_addr2line(&dir, "vmlinux", "", call.start + call.offset));
	CHECK(!kmt_lines_note(lines, 0));
}

TEST(the_line_is_that_of_the_call_and_not_of_what_follows)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	static const char *const want[] = { "fs/first.c:9", "fs/first.c:10" };

	make_kernel(&dir);
	LINES(&dir, "vmlinux", ID_A);
	for (unsigned int i = 0; i < 2; i++) {
		struct call call = find_call(&dir, "vmlinux", "twice", 1, i + 1);
		struct kmt_lines_place place = place_of("twice", &call);

		CHECK_TEXT(find(lines, &place), want[i]);
		CHECK_TEXT(find(lines, &place),
			   by_addr2line(&dir, "vmlinux", "", call.start + call.offset));
	}
}

TEST(functions_of_one_name_are_told_apart_by_their_size)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_place place;
	struct call call;

	make_kernel(&dir);
	LINES(&dir, "vmlinux", ID_A);
	call = find_call(&dir, "vmlinux", "twice", 2, 2);
	place = place_of("twice", &call);
	CHECK_TEXT(find(lines, &place), "fs/second.c:5");
	call = find_call(&dir, "vmlinux", "twice", 1, 1);
	place = place_of("twice", &call);
	CHECK_TEXT(find(lines, &place), "fs/first.c:9");
	place.size = 0;
	CHECK_TEXT(find(lines, &place), "?");
}

TEST(of_two_that_are_alike_there_is_no_line)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct call call, stext;
	struct kmt_lines_place place;

	make_kernel(&dir);
	LINES(&dir, "vmlinux", ID_A);
	call = find_call(&dir, "vmlinux", "same", 2, 1);
	place = place_of("same", &call);
	CHECK_TEXT(find(lines, &place), "?");
	CHECK(!kmt_lines_note(lines, 0)); /* of the file, nothing is wrong */

	/* The kernel was moved as a whole. */
	run(&dir, "readelf -sW vmlinux | awk '$8 == \"_stext\" { print \"0x\" $2 }' >stext");
	{
		KMT_CLEANUP(kmt_freep) char *text = NULL;

		CHECK_EQ(kmt_read_file(dir.fd, "stext", 100, &text, NULL, NULL), 0);
		stext.start = strtoull(text, NULL, 16);
	}
	place.from_stext = call.start - stext.start;
	CHECK_TEXT(find(lines, &place), "fs/second.c:16");
	call = find_call(&dir, "vmlinux", "same", 1, 1);
	place.from_stext = call.start - stext.start;
	CHECK_TEXT(find(lines, &place), "fs/first.c:14");
}

TEST(of_a_module_each_section_has_its_lines)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	static const struct {
		const char *function, *section;
		unsigned int which;
		const char *want;
	} cases[] = {
		{ "outer", ".text.outer", 1, "fs/deep.h:3 < fs/deep.h:7 < fs/first.c:18" },
		{ "outer", ".text.outer", 3, "fs/first.c:20" },
		{ "second", ".text.second", 2, "fs/second.c:21" },
	};

	make_module(&dir);
	LINES(&dir, "", ID_B);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct call call =
			find_call(&dir, "lab-mod.ko", cases[i].function, 1, cases[i].which);
		struct kmt_lines_place place = place_of(cases[i].function, &call);

		place.module = "lab_mod"; /* which the file calls lab-mod */
		place.build_id = ID_A;
		CHECK_TEXT(find(lines, &place), cases[i].want);
		CHECK_TEXT(find(lines, &place), by_addr2line(&dir, "lab-mod.ko", cases[i].section,
							     call.start + call.offset));
	}
	CHECK(!kmt_lines_note(lines, 0));
}

TEST(what_was_stripped_off_is_found_by_its_build_id)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_place place;
	struct call call;

	make_module(&dir);
	call = find_call(&dir, "lab-mod.ko", "second", 1, 1);
	place = place_of("second", &call);
	place.module = "lab_mod";
	place.build_id = ID_A;
	run(&dir,
	    "mkdir -p lib/modules/6.12.0-test/extra usr/lib/debug/.build-id/00 && "
	    "objcopy --only-keep-debug lab-mod.ko usr/lib/debug/.build-id/00/112233445566778899"
	    "aabbccddeeff00112233.debug && strip --strip-debug lab-mod.ko && "
	    "mv lab-mod.ko lib/modules/6.12.0-test/extra/");
	{
		LINES(&dir, NULL, "");
		CHECK_TEXT(find(lines, &place), "fs/second.c:20");
	}
	run(&dir, "rm -r usr/lib/debug");
	{
		LINES(&dir, NULL, "");
		CHECK_TEXT(find(lines, &place), "?");
		CHECK_HAS(kmt_lines_note(lines, 0), "module lab_mod (build-id " ID_A ")");
		CHECK_HAS(kmt_lines_note(lines, 0), "lab-mod.ko was stripped");
		CHECK(!kmt_lines_note(lines, 1));
	}
}

TEST(what_is_compressed_is_read_too)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_place place;
	struct call call;

	make_module(&dir);
	call = find_call(&dir, "lab-mod.ko", "second", 1, 1);
	place = place_of("second", &call);
	place.module = "lab_mod";
	place.build_id = ID_A;
	run(&dir, "mkdir -p lib/modules/6.12.0-test/extra && xz lab-mod.ko && "
		  "mv lab-mod.ko.xz lib/modules/6.12.0-test/extra/");
	LINES(&dir, NULL, "");
	CHECK_TEXT(find(lines, &place), "fs/second.c:20");
}

TEST(another_build_is_refused)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_place place;
	struct call call;

	make_kernel(&dir);
	call = find_call(&dir, "vmlinux", "outer", 1, 1);
	place = place_of("outer", &call);
	LINES(&dir, "", ID_B);
	CHECK_TEXT(find(lines, &place), "?");
	CHECK_HAS(kmt_lines_note(lines, 0), "the kernel (build-id " ID_B ")");
	CHECK_HAS(kmt_lines_note(lines, 0), "vmlinux is of another build (" ID_A ")");
}

TEST(the_right_build_is_found_behind_another)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_place place;
	struct call call;

	make_kernel(&dir);
	call = find_call(&dir, "vmlinux", "outer", 1, 2);
	place = place_of("outer", &call);
	run(&dir,
	    "mkdir -p named usr/lib/debug/boot && "
	    "mv vmlinux usr/lib/debug/boot/vmlinux-6.12.0-test && gcc -nostdlib -static -no-pie "
	    "-Wl,--build-id=0x" ID_B " -Wl,-e,outer -o named/vmlinux second.o first.o");
	LINES(&dir, "named", ID_A);
	CHECK_TEXT(find(lines, &place), "fs/first.c:19");
	CHECK(!kmt_lines_note(lines, 0));
}

TEST(without_a_build_id_the_size_has_to_be_right)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_place place;
	struct call call;

	make_kernel(&dir);
	call = find_call(&dir, "vmlinux", "outer", 1, 2);
	place = place_of("outer", &call);
	LINES(&dir, "vmlinux", "");
	CHECK_TEXT(find(lines, &place), "fs/first.c:19");
	place.size += 64;
	CHECK_TEXT(find(lines, &place), "?");
	place.size = 0;
	CHECK_TEXT(find(lines, &place), "?");
}

TEST(an_offset_behind_the_function_has_no_line)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_place place;
	struct call call;

	make_kernel(&dir);
	call = find_call(&dir, "vmlinux", "outer", 1, 2);
	place = place_of("outer", &call);
	LINES(&dir, "vmlinux", ID_A);
	place.offset = call.size + 1;
	CHECK_TEXT(find(lines, &place), "?");
	place.offset = UINT64_MAX;
	CHECK_TEXT(find(lines, &place), "?");
	place.offset = 0;
	CHECK_TEXT(find(lines, &place), "?");
	place.offset = call.offset;
	place.function = "nowhere";
	CHECK_TEXT(find(lines, &place), "?");
}

TEST(units_are_found_without_a_table_of_addresses)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_place place;
	struct call call;

	make_kernel(&dir);
	call = find_call(&dir, "vmlinux", "second", 1, 1);
	place = place_of("second", &call);
	run(&dir, "objcopy -R .debug_aranges vmlinux"); /* clang writes none */
	LINES(&dir, "vmlinux", ID_A);
	CHECK_TEXT(find(lines, &place), "fs/second.c:20");
}

/* libdw 0.188 loses what it had read of a damaged table of addresses. Only there in a build with
 * sanitizers. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* Any answer will do that is no crash; a line would have to be of the right form. */
static void try_damaged(const struct dir *dir, const char *file, struct kmt_lines_place *place)
{
	LINES(dir, file, ID_A);

	if (strcmp(find(lines, place), "?") == 0)
		return;
	CHECK_HAS(find(lines, place), ":");
}

TEST(damaged_files_do_no_harm)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_freep) char *whole = NULL, *copy = NULL;
	struct kmt_lines_place place;
	uint64_t seed = 5;
	struct call call;
	size_t bytes;

	make_kernel(&dir);
	call = find_call(&dir, "vmlinux", "outer", 1, 1);
	place = place_of("outer", &call);
	CHECK_EQ(kmt_read_file(dir.fd, "vmlinux", 1 << 20, &whole, &bytes, NULL), 0);
	copy = malloc(bytes);
	CHECK(copy);
	if (__lsan_disable)
		__lsan_disable();
	for (size_t cut = 0; cut < bytes; cut += 199) {
		CHECK_EQ(kmt_write_file(dir.fd, "vmlinux", whole, cut, NULL), 0);
		try_damaged(&dir, "vmlinux", &place);
	}
	for (int i = 0; i < 300; i++) {
		memcpy(copy, whole, bytes);
		for (int j = 0; j < 1 + i % 20; j++)
			copy[check_random(&seed) % bytes] = (char)check_random(&seed);
		CHECK_EQ(kmt_write_file(dir.fd, "vmlinux", copy, bytes, NULL), 0);
		try_damaged(&dir, "vmlinux", &place);
	}
	if (__lsan_enable)
		__lsan_enable();
	write_text(&dir, "vmlinux", "this is no ELF file\n");
	LINES(&dir, "vmlinux", ID_A);
	CHECK_TEXT(find(lines, &place), "?");
	CHECK_HAS(kmt_lines_note(lines, 0), "vmlinux:");
}

TEST(what_is_no_regular_file_is_not_opened)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_place place = { .build_id = "", .function = "f", .offset = 1 };

	CHECK_EQ(mkfifoat(dir.fd, "vmlinux", 0600), 0);
	CHECK_EQ(mkfifoat(dir.fd, "m.ko", 0600), 0);
	{
		LINES(&dir, "", ID_A);
		CHECK_TEXT(find(lines, &place), "?");
		place.module = "m";
		CHECK_TEXT(find(lines, &place), "?");
	}
	place.module = NULL;
	LINES(&dir, "vmlinux", ID_A);
	CHECK_TEXT(find(lines, &place), "?");
	CHECK_HAS(kmt_lines_note(lines, 0), "not a regular file");
}

/* Tapes are not to be trusted. */
TEST(names_of_a_tape_lead_to_no_other_directory)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_lines_options options = { .kernel = "../../elsewhere", .build_id = "" };
	KMT_CLEANUP(kmt_lines_freep) struct kmt_lines *lines = NULL;
	struct kmt_lines_place place;
	struct call call;

	make_kernel(&dir);
	call = find_call(&dir, "vmlinux", "outer", 1, 2);
	place = place_of("outer", &call);
	run(&dir, "mkdir -p lib/modules elsewhere && mv vmlinux elsewhere/");
	options.root = dir.path;
	CHECK_EQ(kmt_lines_new(&options, &lines, NULL), 0);
	CHECK_TEXT(find(lines, &place), "?");
	place.module = "../../x";
	place.build_id = "/../../../x";
	CHECK_TEXT(find(lines, &place), "?");
}

TEST(what_the_user_named_has_to_be_there)
{
	struct kmt_lines_options options = { .kernel = "6", .build_id = "" };
	struct kmt_err err = { "" };
	struct kmt_lines *lines;

	options.debuginfo = "/nowhere/vmlinux";
	CHECK_EQ(kmt_lines_new(&options, &lines, &err), -ENOENT);
	CHECK_HAS(err.text, "/nowhere/vmlinux");
}

static const char *joined(const char *dir, const char *name)
{
	static char path[KMT_SOURCE_PATH_BYTES];

	kmt_source_path_join(path, dir, name);
	return path;
}

TEST(paths_are_joined_without_detours)
{
	CHECK_TEXT(joined("/build/linux", "fs/dcache.c"), "/build/linux/fs/dcache.c");
	CHECK_TEXT(joined("/build/linux/out", "../fs/./dcache.c"), "/build/linux/fs/dcache.c");
	CHECK_TEXT(joined("/build", "/src//fs/dcache.c"), "/src/fs/dcache.c");
	CHECK_TEXT(joined("/a", "../../b.c"), "/b.c");
	CHECK_TEXT(joined("/a", ".."), "/");
	CHECK_TEXT(joined("/a/b", ".."), "/a");
	CHECK_TEXT(joined(NULL, "../b.c"), "../b.c");
	CHECK_TEXT(joined(NULL, "a/../../b.c"), "../b.c");
	CHECK_TEXT(joined("", ""), "");
}

TEST(long_paths_stay_within_bounds)
{
	char name[4 * KMT_SOURCE_PATH_BYTES];

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 7 == 6 ? '/' : 'x';
	name[sizeof(name) - 1] = '\0';
	CHECK(strlen(joined("/dir", name)) < KMT_SOURCE_PATH_BYTES);
	memset(name, 'y', sizeof(name) - 1);
	CHECK_TEXT(joined("/dir", name), "/dir");
}

TEST(what_paths_have_in_common_are_whole_directories)
{
	char dir[KMT_SOURCE_PATH_BYTES] = "/build/linux/fs";

	kmt_source_path_common(dir, "/build/linux/fs");
	CHECK_TEXT(dir, "/build/linux/fs");
	kmt_source_path_common(dir, "/build/linux/fs/ext4");
	CHECK_TEXT(dir, "/build/linux/fs");
	kmt_source_path_common(dir, "/build/linux/fsx");
	CHECK_TEXT(dir, "/build/linux");
	kmt_source_path_common(dir, "/build");
	CHECK_TEXT(dir, "/build");
	kmt_source_path_common(dir, "/other");
	CHECK_TEXT(dir, "");
	CHECK(!kmt_source_path_below("/other/a.c", dir));
	CHECK_TEXT(kmt_source_path_below("/other/a.c", "/other"), "a.c");
	CHECK(!kmt_source_path_below("/otherwise/a.c", "/other"));
	CHECK(!kmt_source_path_below("/other/", "/other"));
}

TEST(a_header_of_all_tells_where_the_source_is)
{
	char root[KMT_SOURCE_PATH_BYTES] = "";

	CHECK(kmt_source_path_root("/usr/src/linux-6/include/linux/types.h", root));
	CHECK_TEXT(root, "/usr/src/linux-6");
	CHECK(!kmt_source_path_root("/usr/src/linux-6/include/uapi/linux/types.h", root));
	CHECK(!kmt_source_path_root("/include/linux/types.h", root));
}

/* A kernel that was built elsewhere than its source is, and a module of neither. */
TEST(names_begin_at_the_source_tree)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	static const char *const functions[] = { "in_tree", "out_of_tree" };
	static const char *const want[] = { "drivers/x.c:4", "mod/y.c:4" };

	run(&dir,
	    "mkdir -p linux/scripts linux/include/linux linux/drivers out dkms/mod dkms/lib && "
	    "echo 'typedef unsigned int u32;' >linux/include/linux/types.h && "
	    "for f in in_tree:linux/drivers/x.c out_of_tree:dkms/mod/y.c aside:dkms/lib/z.c of_all:linux/scripts/a.c; do "
	    "printf '#include <linux/types.h>\nvoid callee(u32 n);\nvoid %%s(u32 n) {\n"
	    "\tcallee(n);\n\tcallee(2);\n}\n' ${f%%:*} >${f#*:}; done && "
	    "here=$(pwd) && cd out && for f in linux/drivers/x dkms/mod/y dkms/lib/z linux/scripts/a; do "
	    "gcc -I../linux/include %s -c -o ${f##*/}.o $here/$f.c; done && "
	    "ld -r --build-id=0x" ID_A " -o in.ko x.o && ld -r --build-id=0x" ID_A
	    " -o out.ko a.o y.o z.o && mv *.ko ..",
	    CFLAGS);
	LINES(&dir, "", ID_B);
	for (size_t i = 0; i < 2; i++) {
		struct call call = find_call(&dir, i ? "out.ko" : "in.ko", functions[i], 1, 1);
		struct kmt_lines_place place = place_of(functions[i], &call);

		place.module = i ? "out" : "in";
		place.build_id = ID_A;
		CHECK_TEXT(find(lines, &place), want[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(inlined_frames_come_innermost_first),
		ROW(the_line_is_that_of_the_call_and_not_of_what_follows),
		ROW(functions_of_one_name_are_told_apart_by_their_size),
		ROW(of_two_that_are_alike_there_is_no_line),
		ROW(of_a_module_each_section_has_its_lines),
		ROW(what_was_stripped_off_is_found_by_its_build_id),
		ROW(what_is_compressed_is_read_too),
		ROW(another_build_is_refused),
		ROW(the_right_build_is_found_behind_another),
		ROW(without_a_build_id_the_size_has_to_be_right),
		ROW(an_offset_behind_the_function_has_no_line),
		ROW(units_are_found_without_a_table_of_addresses),
		ROW(damaged_files_do_no_harm),
		ROW(what_is_no_regular_file_is_not_opened),
		ROW(names_of_a_tape_lead_to_no_other_directory),
		ROW(what_the_user_named_has_to_be_there),
		ROW(paths_are_joined_without_detours),
		ROW(long_paths_stay_within_bounds),
		ROW(what_paths_have_in_common_are_whole_directories),
		ROW(a_header_of_all_tells_where_the_source_is),
		ROW(names_begin_at_the_source_tree),
	};

	/* Nobody is to be asked. */
	(void)unsetenv("DEBUGINFOD_URLS");
	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
