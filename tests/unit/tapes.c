// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "kmemtape/event.h"
#include "kmemtape/fs.h"
#include "kmemtape/tape.h"

#include "check.h"
#include "dir.h"

/* The least that is a manifest, and one with everything. */
static const char least[] =
	"{ \"format\": \"kmemtape\", \"format_version\": 1,\n"
	"  \"kernel\": { \"big_endian\": false, \"long_bytes\": 8, \"page_bytes\": 4096 },\n"
	"  \"buffer\": { \"subbuf_bytes\": 4096 }, \"clock\": { \"name\": \"mono\" },\n"
	"  \"closed\": true }";

static const char full[] =
	"{ \"format\": \"kmemtape\", \"format_version\": 1, \"incompat\": [],\n"
	"  \"kernel\": { \"big_endian\": false, \"long_bytes\": 8, \"page_bytes\": 4096 },\n"
	"  \"buffer\": { \"subbuf_bytes\": 4096 },\n"
	"  \"clock\": { \"name\": \"mono\", \"wall_offset_ns\": 5 },\n"
	"  \"time\": { \"start_ns\": 1, \"end_ns\": 2 }, \"sample\": 1, \"closed\": true,\n"
	"  \"sample_mask\": 0, \"sample_page_mask\": 0, \"possible_cpus\": 2,\n"
	"  \"pairs\": [ { \"name\": \"d\", \"alloc\": \"da\", \"free\": \"df\", \"module\": \"mod\",\n"
	"               \"count\": false } ],\n"
	"  \"filters\": [ { \"event\": \"kmem:kmalloc\", \"text\": \"a > 5\" } ],\n"
	"  \"cpus\": [ 0, 1 ], \"events\": [ \"kmem:kfree\" ], \"recorder_pids\": [ 17 ],\n"
	"  \"cpu_stats\": [ { \"cpu\": 0, \"overrun\": 1, \"commit_overrun\": 2, \"dropped\": 3,\n"
	"                   \"read\": 4 } ], \"command_status\": 0 }";

/* @text with its first @old replaced; the caller frees it. */
static char *with(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	char *changed = NULL;

	if (!at)
		fail_msg("the fixture has no '%s'", old);
	CHECK(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) > 0);
	return changed;
}

/* What parsing says; @err may be NULL. */
static int parse(const char *text, struct kmt_err *err)
{
	struct kmt_manifest manifest;
	int r;

	kmt_manifest_init(&manifest);
	r = kmt_manifest_parse(&manifest, text, strlen(text), "m", err);
	kmt_manifest_deinit(&manifest);
	return r;
}

static int parse_with(const char *old, const char *new, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = with(full, old, new);

	return parse(text, err);
}

static void fill_manifest(struct kmt_manifest *m)
{
	(void)snprintf(m->recorder, sizeof(m->recorder), "kmemtape 0.1.0");
	(void)snprintf(m->kernel, sizeof(m->kernel), "6.18.5-\"quoted\"");
	(void)snprintf(m->kernel_version, sizeof(m->kernel_version), "Linux version\n#1 \\ SMP");
	(void)snprintf(m->arch, sizeof(m->arch), "s390x");
	(void)snprintf(m->host, sizeof(m->host), "h\xc3\xb6st");
	(void)snprintf(m->clock, sizeof(m->clock), "mono");
	(void)snprintf(m->command, sizeof(m->command), "sh -c 'exit 7'");
	m->is_big_endian = true;
	m->long_bytes = 4;
	m->page_bytes = 65536;
	m->subbuf_bytes = 1 << 20;
	m->wall_offset_ns = INT64_MIN;
	m->wall_offset_end_ns = -7;
	m->suspended_ns = 9;
	m->start_ns = 1;
	m->allocs_on_ns = UINT64_C(1) << 53 | 1; /* more than a double can hold */
	m->allocs_off_ns = UINT64_C(1) << 62;
	m->end_ns = INT64_MAX;
	m->sample = 8;
	m->sample_mask = 0x70000;
	m->sample_page_mask = 7;
	(void)snprintf(m->sets, sizeof(m->sets), "page,percpu");
	(void)snprintf(m->vmalloc, sizeof(m->vmalloc), "probes");
	(void)snprintf(m->stacks, sizeof(m->stacks), "page");
	m->nr_possible_cpus = 8192;
	CHECK_EQ(kmt_manifest_add_pair(
			 m, &(struct kmt_pair){ "dentry", "d_alloc", "__d_free", "", false }),
		 0);
	CHECK_EQ(kmt_manifest_add_pair(
			 m, &(struct kmt_pair){ "_r2", "get.isra.0", "put$x", "mod-a", true }),
		 0);
	CHECK_EQ(kmt_manifest_add_filter(m, "kmem:kmalloc", "comm == \"a b\""), 0);
	CHECK_EQ(kmt_manifest_add_filter(m, "kmem:mm_page_alloc", "order >= 3"), 0);
	m->symbols = KMT_SYMBOLS_HIDDEN;
	m->has_command_status = true;
	m->command_status = 137;
	m->is_closed = true;
	(void)snprintf(m->recovered, sizeof(m->recovered), "3 damaged places");
	m->range_from_ns = 7;
	m->range_to_ns = 8;
	CHECK_EQ(kmt_manifest_add_cpu(m, 8191), 0);
	CHECK_EQ(kmt_manifest_add_cpu(m, 0), 0);
	CHECK_EQ(kmt_manifest_add_cpu(m, 5), 0);
	CHECK_EQ(kmt_manifest_add_cpu(m, 5), 0);
	CHECK_EQ(kmt_manifest_add_event(m, "kmem:kmalloc"), 0);
	CHECK_EQ(kmt_manifest_add_event(m, "module:module_load"), 0);
	CHECK_EQ(kmt_manifest_add_recorder_pid(m, 30), 0);
	CHECK_EQ(kmt_manifest_add_recorder_pid(m, 20), 0);
	CHECK_EQ(kmt_manifest_add_stats(m, &(struct kmt_cpu_stats){ 5, 1, 20, 300, 4000 }), 0);
	CHECK_EQ(kmt_manifest_add_stats(m, &(struct kmt_cpu_stats){ 0, 0, 0, 0, 1 }), 0);
}

TEST(every_member_survives_being_written_and_read)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_manifest_deinit) struct kmt_manifest a, b;
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	struct kmt_err err = { "" };
	size_t bytes;

	kmt_manifest_init(&a);
	kmt_manifest_init(&b);
	fill_manifest(&a);
	CHECK_EQ(kmt_manifest_write(&a, dir.fd, &err), 0);
	CHECK_EQ(
		kmt_read_file(dir.fd, "manifest.json", KMT_MANIFEST_BYTES_MAX, &text, &bytes, NULL),
		0);
	if (kmt_manifest_parse(&b, text, bytes, "m", &err) < 0)
		fail_msg("%s", err.text);
	CHECK_TEXT(b.recorder, a.recorder);
	CHECK_TEXT(b.kernel, a.kernel);
	CHECK_TEXT(b.kernel_version, a.kernel_version);
	CHECK_TEXT(b.arch, a.arch);
	CHECK_TEXT(b.host, a.host);
	CHECK_TEXT(b.clock, a.clock);
	CHECK_TEXT(b.command, a.command);
	CHECK(b.is_big_endian && b.is_closed && b.has_command_status);
	CHECK_EQ(b.long_bytes, 4);
	CHECK_EQ(b.page_bytes, 65536);
	CHECK_EQ(b.subbuf_bytes, 1 << 20);
	CHECK(b.wall_offset_ns == INT64_MIN && b.wall_offset_end_ns == -7);
	CHECK_EQ(b.suspended_ns, 9);
	CHECK(b.start_ns == a.start_ns && b.allocs_on_ns == a.allocs_on_ns);
	CHECK(b.allocs_off_ns == a.allocs_off_ns && b.end_ns == a.end_ns);
	CHECK_EQ(b.sample, 8);
	CHECK_EQ(b.sample_mask, 0x70000);
	CHECK_EQ(b.sample_page_mask, 7);
	CHECK_TEXT(b.sets, "page,percpu");
	CHECK_TEXT(b.vmalloc, "probes");
	CHECK_TEXT(b.stacks, "page");
	CHECK_EQ(b.nr_possible_cpus, 8192);
	CHECK_EQ(b.nr_pairs, 2);
	CHECK_BYTES(b.pairs, a.pairs, 2 * sizeof(*a.pairs));
	CHECK_EQ(b.nr_filters, 2);
	CHECK_TEXT(b.filters[0].event, "kmem:kmalloc");
	CHECK_TEXT(b.filters[0].text, "comm == \"a b\"");
	CHECK_TEXT(b.filters[1].event, "kmem:mm_page_alloc");
	CHECK_TEXT(b.filters[1].text, "order >= 3");
	CHECK_EQ(b.symbols, KMT_SYMBOLS_HIDDEN);
	CHECK_EQ(b.command_status, 137);
	CHECK_TEXT(b.recovered, "3 damaged places");
	CHECK(b.range_from_ns == 7 && b.range_to_ns == 8);
	CHECK_EQ(b.nr_cpus, 3);
	CHECK_BYTES(b.cpus, ((uint32_t[]){ 0, 5, 8191 }), 12);
	CHECK_EQ(b.nr_events, 2);
	CHECK_TEXT(b.events[0], "kmem:kmalloc");
	CHECK_TEXT(b.events[1], "module:module_load");
	CHECK_EQ(b.nr_recorder_pids, 2);
	CHECK_BYTES(b.recorder_pids, ((int32_t[]){ 20, 30 }), 8);
	CHECK_EQ(b.nr_stats, 2);
	CHECK_EQ(b.stats[0].cpu, 5);
	CHECK_EQ(b.stats[0].overrun, 1);
	CHECK_EQ(b.stats[0].commit_overrun, 20);
	CHECK_EQ(b.stats[0].dropped, 300);
	CHECK_EQ(b.stats[0].read, 4000);
	CHECK_EQ(b.stats[1].read, 1);
	CHECK_EQ(kmt_manifest_lost(&b), 321);
}

TEST(what_is_unknown_is_empty)
{
	KMT_CLEANUP(kmt_manifest_deinit) struct kmt_manifest m;

	kmt_manifest_init(&m);
	CHECK_EQ(kmt_manifest_parse(&m, least, strlen(least), "m", NULL), 0);
	CHECK_TEXT(m.kernel, "");
	CHECK_EQ(m.start_ns, 0);
	CHECK_EQ(m.sample, 1); /* all of them */
	CHECK_EQ(m.sample_mask | m.sample_page_mask, 0);
	CHECK_TEXT(m.sets, "");
	CHECK_EQ(m.nr_possible_cpus, 0);
	CHECK_EQ(m.symbols, KMT_SYMBOLS_NONE);
	CHECK(!m.has_command_status);
	CHECK_EQ(m.nr_cpus + m.nr_events + m.nr_recorder_pids + m.nr_stats, 0);
	CHECK_EQ(m.nr_pairs + m.nr_filters, 0);
	CHECK_EQ(kmt_manifest_lost(&m), 0);
}

TEST(unknown_members_are_ignored)
{
	CHECK_EQ(parse_with("\"sample\"", "\"later\": [ { \"x\": 1.5 } ], \"sample\"", NULL), 0);
	CHECK_EQ(parse_with("\"name\"", "\"later\": null, \"name\"", NULL), 0);
}

TEST(each_number_is_held_to_its_range)
{
	static const struct {
		const char *old, *new;
	} bad[] = {
		{ "\"long_bytes\": 8", "\"long_bytes\": 3" },
		{ "\"long_bytes\": 8", "\"long_bytes\": 6" },
		{ "\"long_bytes\": 8", "\"long_bytes\": 16" },
		{ "\"page_bytes\": 4096", "\"page_bytes\": 0" },
		{ "\"page_bytes\": 4096", "\"page_bytes\": 2097152" },
		{ "\"subbuf_bytes\": 4096", "\"subbuf_bytes\": 63" },
		{ "\"subbuf_bytes\": 4096", "\"subbuf_bytes\": 1048577" },
		{ "\"subbuf_bytes\": 4096", "\"subbuf_bytes\": 4294971392" },
		{ "\"start_ns\": 1", "\"start_ns\": -1" },
		{ "\"start_ns\": 1", "\"start_ns\": 1.0" },
		{ "\"start_ns\": 1", "\"start_ns\": \"1\"" },
		{ "\"end_ns\": 2", "\"end_ns\": 1e3" },
		{ "\"sample\": 1", "\"sample\": 0" },
		{ "\"sample\": 1", "\"sample\": 4294967297" },
		{ "\"sample\": 1", "\"sample\": true" },
		{ "\"sample_mask\": 0", "\"sample_mask\": -1" },
		{ "\"sample_mask\": 0", "\"sample_mask\": 4294967296" },
		{ "\"sample_mask\": 0", "\"sample_mask\": \"0\"" },
		{ "\"sample_page_mask\": 0", "\"sample_page_mask\": 4294967296" },
		{ "\"possible_cpus\": 2", "\"possible_cpus\": 8193" },
		{ "\"count\": false", "\"count\": 0" },
		{ "\"count\": false", "\"counts\": false" },
		{ "\"closed\": true", "\"closed\": 1" },
		{ "\"name\": \"mono\"", "\"name\": 7" },
		{ "[ 0, 1 ]", "[ 0, 8192 ]" },
		{ "[ 0, 1 ]", "[ -1 ]" },
		{ "[ 0, 1 ]", "[ 0.5 ]" },
		{ "[ 0, 1 ]", "[ null ]" },
		{ "[ 0, 1 ]", "7" },
		{ "[ 17 ]", "[ 2147483648 ]" },
		{ "[ 17 ]", "[ -5 ]" },
		{ "\"cpu\": 0", "\"cpu\": 8192" },
		{ "\"overrun\": 1", "\"overrun\": 281474976710657" },
		{ "\"read\": 4", "\"read\": -4" },
		{ "\"read\": 4", "\"reads\": 4" },
		{ "\"command_status\": 0", "\"command_status\": 256" },
		{ "\"command_status\": 0", "\"command_status\": -1" },
	};

	CHECK_EQ(parse(full, NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct kmt_err err = { "" };

		if (parse_with(bad[i].old, bad[i].new, &err) != -EBADMSG)
			fail_msg("%s was taken", bad[i].new);
		CHECK(strncmp(err.text, "m: '", 4) == 0); /* file, then the member's name */
	}
}

/* @sample and the masks put into the full manifest. */
static int parse_sample(const char *sample, const char *mask, const char *page_mask)
{
	KMT_CLEANUP(kmt_freep) char *one = with(full, "\"sample\": 1", sample);
	KMT_CLEANUP(kmt_freep) char *two = with(one, "\"sample_mask\": 0", mask);
	KMT_CLEANUP(kmt_freep) char *all = with(two, "\"sample_page_mask\": 0", page_mask);

	return parse(all, NULL);
}

TEST(a_sample_is_what_its_masks_keep)
{
	static const struct {
		const char *sample, *mask, *page_mask;
		int expected;
	} rows[] = {
		{ "\"sample\": 8", "\"sample_mask\": 28672", "\"sample_page_mask\": 7", 0 },
		{ "\"sample\": 8", "\"sample_mask\": 28672", "\"sample_page_mask\": 0", 0 },
		{ "\"sample\": 8", "\"sample_mask\": 0", "\"sample_page_mask\": 7", 0 },
		{ "\"sample\": 4294967296", "\"sample_mask\": 4294967295",
		  "\"sample_page_mask\": 0", 0 },
		{ "\"sample\": 8", "\"sample_mask\": 28672", "\"sample_page_mask\": 3", -EBADMSG },
		{ "\"sample\": 8", "\"sample_mask\": 12288", "\"sample_page_mask\": 7", -EBADMSG },
		{ "\"sample\": 8", "\"sample_mask\": 0", "\"sample_page_mask\": 0", -EBADMSG },
		{ "\"sample\": 1", "\"sample_mask\": 4096", "\"sample_page_mask\": 0", -EBADMSG },
		{ "\"sample\": 3", "\"sample_mask\": 0", "\"sample_page_mask\": 0", -EBADMSG },
		{ "\"sample\": 3", "\"sample_mask\": 12288", "\"sample_page_mask\": 0", -EBADMSG },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (parse_sample(rows[i].sample, rows[i].mask, rows[i].page_mask) !=
		    rows[i].expected)
			fail_msg("%s %s %s", rows[i].sample, rows[i].mask, rows[i].page_mask);
}

static_assert(KMT_MANIFEST_PAIRS_MAX == KMT_PAIRS_MAX, "each pair needs an address space");

TEST(pairs_and_filters_are_names_and_nothing_else)
{
	static const struct {
		const char *old, *new;
	} bad[] = {
		{ "\"name\": \"d\"", "\"name\": \"\"" },
		{ "\"name\": \"d\"", "\"name\": \"1d\"" },
		{ "\"name\": \"d\"", "\"name\": \"d/../e\"" },
		{ "\"name\": \"d\"", "\"name\": \"d\\u001b[31m\"" },
		{ "\"name\": \"d\"", "\"name\": \"d23456789012345678901234567890_2\"" },
		{ "\"name\": \"d\"", "\"name\": 7" },
		{ "\"name\": \"d\"", "\"nome\": \"d\"" },
		{ "\"alloc\": \"da\"", "\"alloc\": \"\"" },
		{ "\"alloc\": \"da\"", "\"alloc\": \"d a\"" },
		{ "\"free\": \"df\"", "\"free\": \"d\\nf\"" },
		{ "\"free\": \"df\"",
		  "\"free\": \"a23456789b23456789c23456789d23456789e23456789f23456789g23456789h\"" },
		{ "\"module\": \"mod\"", "\"module\": \"m/d\"" },
		{ "\"pairs\": [ {", "\"pairs\": [ 7, {" },
		{ "\"pairs\": [ {",
		  "\"pairs\": [ { \"name\": \"d\", \"alloc\": \"x\", \"free\": \"y\", \"module\": \"\", "
		  "\"count\": true }, {" }, /* the name is taken */
		{ "\"event\": \"kmem:kmalloc\"", "\"event\": \"kmalloc\"" },
		{ "\"event\": \"kmem:kmalloc\"", "\"event\": \"../a:b\"" },
		{ "\"text\": \"a > 5\"", "\"text\": 5" },
		{ "\"text\": \"a > 5\"", "\"test\": \"a\"" },
		{ "\"filters\": [ {", "\"filters\": [ [], {" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse_with(bad[i].old, bad[i].new, NULL) != -EBADMSG)
			fail_msg("%s was taken", bad[i].new);
	CHECK_EQ(parse_with("\"name\": \"d\"", "\"name\": \"d23456789012345678901234567890_\"",
			    NULL),
		 0);
}

TEST(what_an_older_reader_would_misread_is_named_on_the_tape)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_manifest_deinit) struct kmt_manifest m;
	KMT_CLEANUP(kmt_freep) char *text = NULL, *plain = NULL;

	kmt_manifest_init(&m);
	(void)snprintf(m.sets, sizeof(m.sets), "slab,page");
	CHECK_EQ(kmt_manifest_add_pair(&m, &(struct kmt_pair){ "d", "a", "f", "", false }), 0);
	CHECK_EQ(kmt_manifest_write(&m, dir.fd, NULL), 0);
	CHECK_EQ(kmt_read_file(dir.fd, "manifest.json", 1 << 20, &plain, NULL, NULL), 0);
	CHECK(!strstr(plain, "no-slab") && !strstr(plain, "sampling") && !strstr(plain, "filters"));

	(void)snprintf(m.sets, sizeof(m.sets), "page");
	m.sample = 2;
	m.sample_page_mask = 1;
	m.is_small = true;
	CHECK_EQ(kmt_manifest_add_filter(&m, "kmem:mm_page_alloc", "order >= 1"), 0);
	CHECK_EQ(kmt_manifest_write(&m, dir.fd, NULL), 0);
	CHECK_EQ(kmt_read_file(dir.fd, "manifest.json", 1 << 20, &text, NULL, NULL), 0);
	CHECK_HAS(text, "\"sampling\"");
	CHECK_HAS(text, "\"filters\"");
	CHECK_HAS(text, "\"no-slab\"");
	CHECK_HAS(text, "\"small\"");
}

TEST(numbers_beyond_64_bits_are_refused)
{
	/* json-c cuts them to fit. */
	CHECK_EQ(parse_with("\"end_ns\": 2", "\"end_ns\": 9223372036854775807", NULL), 0);
	CHECK_EQ(parse_with("\"end_ns\": 2", "\"end_ns\": 18446744073709551616", NULL), -EBADMSG);
	CHECK_EQ(parse_with("\"end_ns\": 2", "\"end_ns\": 99999999999999999999999", NULL),
		 -EBADMSG);
	CHECK_EQ(parse_with("\"wall_offset_ns\": 5", "\"wall_offset_ns\": 9223372036854775808",
			    NULL),
		 -EBADMSG);
}

TEST(what_it_cannot_do_without_is_missed_by_name)
{
	static const char *const needed[] = { "big_endian",    "long_bytes", "page_bytes",
					      "subbuf_bytes",  "name",	     "closed",
					      "format_version" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		char key[64], other[64];
		struct kmt_err err = { "" };

		(void)snprintf(key, sizeof(key), "\"%s\":", needed[i]);
		(void)snprintf(other, sizeof(other), "\"x%s\":", needed[i]);
		if (parse_with(key, other, &err) != -EBADMSG)
			fail_msg("did without %s", needed[i]);
		CHECK_HAS(err.text, needed[i]);
		CHECK_HAS(err.text, "missing");
	}
}

TEST(a_newer_format_is_refused_with_what_to_do)
{
	struct kmt_err err = { "" };

	CHECK_EQ(parse_with("\"format_version\": 1", "\"format_version\": 2", &err),
		 -EPROTONOSUPPORT);
	CHECK_HAS(err.text, "m: tape format 2");
	CHECK_HAS(err.text, "newer");
	CHECK_EQ(parse_with("\"format_version\": 1", "\"format_version\": 0", NULL), -EBADMSG);
}

TEST(an_unknown_incompat_feature_is_refused_by_name)
{
	struct kmt_err err = { "" };

	CHECK_EQ(parse_with("\"incompat\": []", "\"incompat\": [ \"stacks\" ]", &err),
		 -EPROTONOSUPPORT);
	CHECK_HAS(err.text, "stacks");
	CHECK_EQ(parse_with("\"incompat\": []", "\"incompat\": [ \"filters\", \"later\" ]", &err),
		 -EPROTONOSUPPORT);
	CHECK_HAS(err.text, "'later'");
	CHECK_EQ(parse_with("\"incompat\": []",
			    "\"incompat\": [ \"no-slab\", \"sampling\", \"filters\" ]", NULL),
		 0);
	CHECK_EQ(parse_with("\"incompat\": []", "\"incompat\": [ 1 ]", NULL), -EBADMSG);
	CHECK_EQ(parse_with("\"incompat\": []", "\"incompat\": {}", NULL), -EBADMSG);
}

TEST(another_kind_of_json_is_no_manifest)
{
	static const char *const other[] = { "{}",
					     "[]",
					     "7",
					     "\"kmemtape\"",
					     "null",
					     "{ \"format\": \"perf\" }",
					     "{ \"format\": 1 }" };

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		CHECK_EQ(parse(other[i], NULL), -EBADMSG);
}

TEST(a_manifest_cut_anywhere_is_refused)
{
	for (size_t bytes = 0; bytes < strlen(full); bytes++) {
		KMT_CLEANUP(kmt_freep) char *cut = strndup(full, bytes);
		struct kmt_err err = { "" };

		CHECK_EQ(parse(cut, &err), -EBADMSG);
		CHECK(err.text[0]);
	}
}

TEST(what_follows_the_manifest_is_refused)
{
	KMT_CLEANUP(kmt_freep) char *more = NULL, *space = NULL;

	CHECK(asprintf(&more, "%s }", full) > 0);
	CHECK_EQ(parse(more, NULL), -EBADMSG);
	CHECK(asprintf(&space, "%s\n \n", full) > 0);
	CHECK_EQ(parse(space, NULL), 0);
}

TEST(event_names_cannot_leave_the_tape)
{
	static const char *const bad[] = { "../../etc:passwd",
					   "kmem:../x",
					   "kmem/kfree",
					   "kmem:a/b",
					   "kmem:.",
					   "kfree",
					   "a:b:c",
					   "kmem:k free",
					   "kmem:k\\u0000",
					   "kmem:\\u002e\\u002e",
					   "kmem:k\\n",
					   "",
					   "kmem:k-free" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse_with("kmem:kfree", bad[i], NULL) != -EBADMSG)
			fail_msg("'%s' was taken for an event", bad[i]);
	CHECK_EQ(parse_with("kmem:kfree", "Sys_1:ev_2", NULL), 0);
}

TEST(an_event_name_has_something_on_both_sides)
{
	CHECK_EQ(parse_with("kmem:kfree", ":kfree", NULL), -EBADMSG);
	CHECK_EQ(parse_with("kmem:kfree", "kmem:", NULL), -EBADMSG);
	CHECK_EQ(parse_with("kmem:kfree", ":", NULL), -EBADMSG);
}

/* "[ 0, 0, ... ]", @nr times @entry */
static char *list_of(const char *entry, size_t nr)
{
	char *text = malloc(4 + nr * (strlen(entry) + 1)), *p = text;

	CHECK(text);
	*p++ = '[';
	for (size_t i = 0; i < nr; i++)
		p += sprintf(p, "%s%s", i ? "," : "", entry);
	(void)sprintf(p, "]");
	return text;
}

TEST(lists_are_limited)
{
	static const struct {
		const char *old, *entry;
		size_t most;
	} lists[] = {
		{ "[ 0, 1 ]", "1", 8192 },
		{ "[ \"kmem:kfree\" ]", "\"kmem:kfree\"", 256 },
		{ "[ 17 ]", "3", 16384 },
		{ "[ { \"event\": \"kmem:kmalloc\", \"text\": \"a > 5\" } ]",
		  "{ \"event\": \"kmem:kmalloc\", \"text\": \"a > 5\" }", 64 },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		KMT_CLEANUP(kmt_freep) char *most = list_of(lists[i].entry, lists[i].most);
		KMT_CLEANUP(kmt_freep) char *more = list_of(lists[i].entry, lists[i].most + 1);

		CHECK_EQ(parse_with(lists[i].old, most, NULL), 0);
		CHECK_EQ(parse_with(lists[i].old, more, NULL), -EBADMSG);
	}
}

TEST(there_are_no_more_pairs_than_address_spaces_for_them)
{
	char pairs[4096] = "\"pairs\": [ ";
	KMT_CLEANUP(kmt_freep) char *most = NULL;

	for (unsigned int i = 1; i < KMT_PAIRS_MAX; i++)
		(void)snprintf(pairs + strlen(pairs), sizeof(pairs) - strlen(pairs),
			       "{ \"name\": \"n%u\", \"alloc\": \"a\", \"free\": \"f\", "
			       "\"module\": \"\", \"count\": true }, ",
			       i);
	most = with(full, "\"pairs\": [ ", pairs); /* and the one that is there */
	CHECK_EQ(parse(most, NULL), 0);
	(void)strcat(pairs, "{ \"name\": \"last\", \"alloc\": \"a\", \"free\": \"f\", "
			    "\"module\": \"\", \"count\": true }, ");
	CHECK_EQ(parse_with("\"pairs\": [ ", pairs, NULL), -EBADMSG);
}

TEST(deep_nesting_is_refused_and_does_no_harm)
{
	KMT_CLEANUP(kmt_freep) char *deep = malloc(1 << 20);

	CHECK(deep);
	memset(deep, '[', (1 << 20) - 1);
	deep[(1 << 20) - 1] = '\0';
	CHECK_EQ(parse(deep, NULL), -EBADMSG);
	CHECK_EQ(parse_with("\"sample\"", "\"later\": [[[[[[[[[]]]]]]]]], \"sample\"", NULL),
		 -EBADMSG);
}

TEST(too_long_texts_are_refused)
{
	char most[256 + 16], *p = most;

	p += sprintf(p, "\"name\": \"");
	memset(p, 'c', 255);
	(void)strcpy(p + 255, "\"");
	CHECK_EQ(parse_with("\"name\": \"mono\"", most, NULL), 0);
	(void)strcpy(p + 255, "c\"");
	CHECK_EQ(parse_with("\"name\": \"mono\"", most, NULL), -EBADMSG);
}

TEST(a_cpu_that_is_listed_twice_is_there_once)
{
	KMT_CLEANUP(kmt_freep) char *text = with(full, "[ 0, 1 ]", "[ 3, 1, 3, 1 ]");
	KMT_CLEANUP(kmt_manifest_deinit) struct kmt_manifest m;

	kmt_manifest_init(&m);
	CHECK_EQ(kmt_manifest_parse(&m, text, strlen(text), "m", NULL), 0);
	CHECK_EQ(m.nr_cpus, 2);
	CHECK_BYTES(m.cpus, ((uint32_t[]){ 1, 3 }), 8);
}

TEST(a_failed_parse_changes_nothing)
{
	KMT_CLEANUP(kmt_freep)
	char *bad = with(full, "\"command_status\": 0", "\"command_status\": 999");
	KMT_CLEANUP(kmt_manifest_deinit) struct kmt_manifest m;

	kmt_manifest_init(&m);
	m.long_bytes = 77;
	CHECK_EQ(kmt_manifest_add_event(&m, "a:b"), 0);
	CHECK_EQ(kmt_manifest_parse(&m, bad, strlen(bad), "m", NULL), -EBADMSG);
	CHECK_EQ(m.long_bytes, 77);
	CHECK_EQ(m.nr_events, 1);
	CHECK_EQ(m.nr_cpus, 0);
}

/* A tape with the CPUs 0 and 2 and nothing on them. */
static void make_cpu(int dirfd, uint32_t in_name, uint32_t in_head, uint32_t unit)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	char path[KMT_TAPE_CPU_PATH_BYTES];

	kmt_tape_cpu_path(path, in_name);
	CHECK_EQ(kmt_chunk_writer_new(dirfd, path, in_head, unit, &writer, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_finish(writer, 1, NULL), 0);
}

static void make_tape(const struct dir *dir, char tape[96])
{
	KMT_CLEANUP(kmt_close_fd) int fd = -1;
	KMT_CLEANUP(kmt_freep) char *text = with(full, "[ 0, 1 ]", "[ 2, 0 ]");

	(void)snprintf(tape, 96, "%s/t.tape", dir->path);
	CHECK_EQ(kmt_tape_create(tape, &fd, NULL), 0);
	CHECK_EQ(kmt_tape_write_text(fd, "manifest.json", text, strlen(text), NULL), 0);
	make_cpu(fd, 0, 0, 4096);
	make_cpu(fd, 2, 2, 4096);
}

/* Make a tape, let the shell do @damage to it (in its directory), and open it. */
static int open_damaged(const char *damage, struct kmt_err *err)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	char path[96], command[512];
	int r;

	make_tape(&dir, path);
	(void)snprintf(command, sizeof(command), "cd %s && %s", path, damage);
	CHECK_EQ(system(command), 0);
	r = kmt_tape_open(path, &tape, err);
	CHECK((r == 0) == (tape != NULL));
	return r;
}

TEST(a_whole_tape_is_opened_with_its_cpus_in_order)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	char path[96];

	make_tape(&dir, path);
	CHECK_EQ(kmt_tape_open(path, &tape, NULL), 0);
	CHECK_EQ(tape->nr_cpus, 2);
	CHECK_EQ(kmt_chunk_reader_cpu(tape->cpus[0]), 0);
	CHECK_EQ(kmt_chunk_reader_cpu(tape->cpus[1]), 2);
	CHECK_TEXT(tape->path, path);
}

TEST(a_tape_is_private)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	char path[96];
	struct stat st;

	make_tape(&dir, path);
	CHECK_EQ(stat(path, &st), 0);
	CHECK_EQ(st.st_mode & 0777, 0700);
}

TEST(a_tape_never_overwrites_anything)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_err err = { "" };
	char path[96];
	int fd = -1;

	make_tape(&dir, path);
	CHECK_EQ(kmt_tape_create(path, &fd, &err), -EEXIST);
	CHECK_HAS(err.text, "not empty");
	CHECK_EQ(fd, -1);
	(void)strcat(path, "/manifest.json");
	CHECK_EQ(kmt_tape_create(path, &fd, NULL), -ENOTDIR);
	CHECK_EQ(kmt_tape_create("/nowhere/t.tape", &fd, &err), -ENOENT);
	CHECK_HAS(err.text, "/nowhere/t.tape: ");
}

TEST(an_empty_directory_becomes_a_tape)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	CHECK_EQ(kmt_tape_create(dir.path, &fd, NULL), 0);
	CHECK_EQ(faccessat(fd, "cpu", F_OK, 0), 0);
}

TEST(texts_make_the_directories_on_their_way)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	CHECK_EQ(kmt_tape_write_text(dir.fd, "events/kmem/kfree/format", "hello", 5, NULL), 0);
	CHECK_EQ(kmt_tape_write_text(dir.fd, "events/kmem/kmalloc/format", "hello", 5, NULL), 0);
	CHECK_EQ(kmt_read_file(dir.fd, "events/kmem/kfree/format", 9, &text, NULL, NULL), 0);
	CHECK_TEXT(text, "hello");
}

TEST(what_is_no_tape_is_told_apart)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_tape *tape = NULL;
	struct kmt_err err = { "" };

	CHECK_EQ(kmt_tape_open("/nowhere/t.tape", &tape, &err), -ENOENT);
	CHECK_HAS(err.text, "/nowhere/t.tape: ");
	CHECK_EQ(kmt_tape_open("/etc/passwd", &tape, &err), -EBADMSG);
	CHECK_HAS(err.text, "neither a directory nor a tar");
	CHECK_EQ(kmt_tape_open(dir.path, &tape, &err), -EBADMSG);
	CHECK_HAS(err.text, "manifest.json");
	CHECK(!tape);
}

TEST(a_bad_manifest_is_told_with_its_path)
{
	struct kmt_err err = { "" };

	CHECK_EQ(open_damaged("echo '{' >manifest.json", &err), -EBADMSG);
	CHECK_HAS(err.text, "t.tape/manifest.json: ");
	CHECK_EQ(open_damaged(": >manifest.json", &err), -EBADMSG);
	CHECK_EQ(open_damaged("rm manifest.json; mkdir manifest.json", &err), -EISDIR);
}

TEST(a_missing_cpu_file_is_told_by_name)
{
	struct kmt_err err = { "" };

	CHECK_EQ(open_damaged("rm cpu/0002.zst", &err), -ENODATA);
	CHECK_HAS(err.text, "t.tape/cpu/0002.zst: missing");
	CHECK_EQ(open_damaged("rm -r cpu", &err), -ENODATA);
}

TEST(a_cpu_file_in_the_place_of_another_is_refused)
{
	struct kmt_err err = { "" };

	CHECK_EQ(open_damaged("cp cpu/0000.zst cpu/0002.zst", &err), -EBADMSG);
	CHECK_HAS(err.text, "cpu/0002.zst: offset 0");
	CHECK_HAS(err.text, "CPU 0");
}

TEST(a_cpu_file_shorter_than_its_head_is_told_by_name)
{
	struct kmt_err err = { "" };

	CHECK_EQ(open_damaged("truncate -s 71 cpu/0000.zst", &err), -ENODATA);
	CHECK_HAS(err.text, "cpu/0000.zst: ");
	CHECK_EQ(open_damaged("truncate -s 0 cpu/0000.zst", &err), -ENODATA);
	CHECK_EQ(open_damaged("truncate -s 72 cpu/0000.zst", &err), 0);
}

TEST(pages_of_another_size_than_the_manifest_says_are_refused)
{
	struct kmt_err err = { "" };

	CHECK_EQ(open_damaged(
			 "sed -i 's/\"subbuf_bytes\": 4096/\"subbuf_bytes\": 8192/' manifest.json",
			 &err),
		 -EBADMSG);
	CHECK_HAS(err.text, "8192");
}

TEST(a_cpu_file_that_is_no_file_is_refused_without_waiting_for_it)
{
	CHECK(open_damaged("rm cpu/0002.zst; mkfifo cpu/0002.zst", NULL) < 0);
	CHECK(open_damaged("rm cpu/0002.zst; mkdir cpu/0002.zst", NULL) < 0);
}

TEST(cpu_files_that_the_manifest_does_not_list_are_found)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;
	char path[96];

	make_tape(&dir, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_cpu(fd, 1, 1, 4096);
	make_cpu(fd, 8191, 8191, 4096);
	CHECK_EQ(kmt_tape_open(path, &tape, NULL), 0);
	CHECK_EQ(tape->nr_cpus, 4);
	CHECK_EQ(tape->manifest.nr_cpus, 4);
	for (size_t i = 0; i < 4; i++)
		CHECK_EQ(kmt_chunk_reader_cpu(tape->cpus[i]), ((uint32_t[]){ 0, 1, 2, 8191 })[i]);
}

TEST(files_with_other_names_are_left_alone)
{
	CHECK_EQ(
		open_damaged(
			"touch cpu/8192.zst cpu/1.zst cpu/0001.zst.part cpu/0001 cpu/x cpu/-001.zst "
			"cpu/00001.zst cpu/0001.zst~ 'cpu/ 001.zst'",
			NULL),
		0);
}

TEST(a_text_that_is_missing_is_told_with_its_path)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	struct kmt_err err = { "" };
	char path[96], *text = NULL;
	size_t bytes;

	make_tape(&dir, path);
	CHECK_EQ(kmt_tape_open(path, &tape, NULL), 0);
	CHECK_EQ(kmt_tape_read_text(tape, "comms", &text, &bytes, &err), -ENOENT);
	CHECK_HAS(err.text, "t.tape/comms: missing");
	CHECK(!text);
}

/* The same with what is left. */
static int recover_damaged(const char *damage, size_t *ret_nr_cpus, uint32_t *ret_long_bytes,
			   struct kmt_err *damage_err, struct kmt_err *err)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	char path[96], command[512];
	int r;

	make_tape(&dir, path);
	(void)snprintf(command, sizeof(command), "cd %s && %s", path, damage);
	CHECK_EQ(system(command), 0);
	r = kmt_tape_open_damaged(path, &tape, damage_err, err);
	CHECK((r == 0) == (tape != NULL));
	if (r < 0)
		return r;
	*ret_nr_cpus = tape->nr_cpus;
	*ret_long_bytes = tape->manifest.long_bytes;
	CHECK_EQ(tape->manifest.subbuf_bytes, 4096);
	for (size_t i = 0; i < tape->nr_cpus; i++)
		CHECK_EQ(kmt_chunk_reader_cpu(tape->cpus[i]), tape->manifest.cpus[i]);
	return r;
}

TEST(what_is_left_of_a_damaged_tape_is_opened)
{
	struct kmt_err damage, err = { "" };
	uint32_t long_bytes;
	size_t nr;

	CHECK_EQ(recover_damaged("true", &nr, &long_bytes, &damage, &err), 0);
	CHECK_TEXT(damage.text, "");
	CHECK(nr == 2 && long_bytes == 8);
	CHECK_EQ(recover_damaged("rm cpu/0000.zst; : >cpu/0002.zst", &nr, &long_bytes, &damage,
				 &err),
		 0);
	CHECK(nr == 2 && long_bytes == 8);
	CHECK_EQ(recover_damaged("rm -r cpu", &nr, &long_bytes, &damage, &err), 0);
	CHECK_EQ(nr, 2);
	CHECK_EQ(recover_damaged("echo '{' >manifest.json", &nr, &long_bytes, &damage, &err), 0);
	CHECK_HAS(damage.text, "manifest.json: ");
	CHECK(nr == 2 && long_bytes == 0);
	CHECK_EQ(recover_damaged("mv manifest.json manifest.json.part", &nr, &long_bytes, &damage,
				 &err),
		 0);
	CHECK_HAS(damage.text, "manifest.json: missing");
	CHECK(nr == 2 && long_bytes == 8);
	CHECK_EQ(recover_damaged("rm -r *", &nr, &long_bytes, &damage, &err), -EBADMSG);
	CHECK_HAS(err.text, "neither a manifest nor");
	CHECK_EQ(recover_damaged(
			 "sed -i 's/\"format_version\": 1/\"format_version\": 9/' manifest.json",
			 &nr, &long_bytes, &damage, &err),
		 -EPROTONOSUPPORT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(every_member_survives_being_written_and_read),
		ROW(what_is_unknown_is_empty),
		ROW(unknown_members_are_ignored),
		ROW(each_number_is_held_to_its_range),
		ROW(a_sample_is_what_its_masks_keep),
		ROW(pairs_and_filters_are_names_and_nothing_else),
		ROW(what_an_older_reader_would_misread_is_named_on_the_tape),
		ROW(numbers_beyond_64_bits_are_refused),
		ROW(what_it_cannot_do_without_is_missed_by_name),
		ROW(a_newer_format_is_refused_with_what_to_do),
		ROW(an_unknown_incompat_feature_is_refused_by_name),
		ROW(another_kind_of_json_is_no_manifest),
		ROW(a_manifest_cut_anywhere_is_refused),
		ROW(what_follows_the_manifest_is_refused),
		ROW(event_names_cannot_leave_the_tape),
		ROW(an_event_name_has_something_on_both_sides),
		ROW(lists_are_limited),
		ROW(there_are_no_more_pairs_than_address_spaces_for_them),
		ROW(deep_nesting_is_refused_and_does_no_harm),
		ROW(too_long_texts_are_refused),
		ROW(a_cpu_that_is_listed_twice_is_there_once),
		ROW(a_failed_parse_changes_nothing),
		ROW(a_whole_tape_is_opened_with_its_cpus_in_order),
		ROW(a_tape_is_private),
		ROW(a_tape_never_overwrites_anything),
		ROW(an_empty_directory_becomes_a_tape),
		ROW(texts_make_the_directories_on_their_way),
		ROW(what_is_no_tape_is_told_apart),
		ROW(a_bad_manifest_is_told_with_its_path),
		ROW(a_missing_cpu_file_is_told_by_name),
		ROW(a_cpu_file_in_the_place_of_another_is_refused),
		ROW(a_cpu_file_shorter_than_its_head_is_told_by_name),
		ROW(pages_of_another_size_than_the_manifest_says_are_refused),
		ROW(a_cpu_file_that_is_no_file_is_refused_without_waiting_for_it),
		ROW(cpu_files_that_the_manifest_does_not_list_are_found),
		ROW(files_with_other_names_are_left_alone),
		ROW(a_text_that_is_missing_is_told_with_its_path),
		ROW(what_is_left_of_a_damaged_tape_is_opened),
	};

	return cmocka_run_group_tests_name("tapes", tests, NULL, NULL);
}
