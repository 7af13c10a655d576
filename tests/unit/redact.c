// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "../../src/share/addresses.h"
#include "../../src/share/codes.h"
#include "../../src/share/redact-text.h"

#include "check.h"

static uint64_t object(struct kmt_addresses *addresses, uint64_t address)
{
	uint64_t made = 0;

	CHECK_EQ(kmt_addresses_object(addresses, address, &made), 0);
	return made;
}

static uint64_t frame(struct kmt_addresses *addresses, uint64_t number)
{
	uint64_t made = 0;

	CHECK_EQ(kmt_addresses_frame(addresses, number, &made), 0);
	return made;
}

static uint64_t code(struct kmt_codes *codes, uint64_t address)
{
	uint64_t made = 0;

	CHECK_EQ(kmt_codes_map(codes, address, &made), 0);
	return made;
}

TEST(of_an_object_its_place_in_the_page_stays)
{
	struct kmt_manifest manifest = { .long_bytes = 8, .page_bytes = 4096 };
	struct kmt_addresses addresses;
	uint64_t first, second;

	CHECK_EQ(kmt_addresses_init(&addresses, &manifest, false), 0);
	first = object(&addresses, UINT64_C(0xffff888012345678));
	second = object(&addresses, UINT64_C(0xffff888012346678)); /* the next page */
	CHECK_EQ(first & 0xfff, 0x678);
	CHECK_EQ(second - first, 4096); /* by appearance: so it would be with any other page */
	CHECK_EQ(object(&addresses, UINT64_C(0xffff8880fffff000)) - second, 4096 - 0x678);
	CHECK_EQ(object(&addresses, UINT64_C(0xffff888012345000)), first & ~UINT64_C(0xfff));
	kmt_addresses_deinit(&addresses);
}

TEST(what_is_no_address_stays)
{
	static const uint64_t numbers[] = { 0, 16, 4095, UINT64_MAX, UINT64_MAX - 4094 };
	struct kmt_manifest manifest = { .long_bytes = 8, .page_bytes = 4096 };
	struct kmt_addresses addresses;

	CHECK_EQ(kmt_addresses_init(&addresses, &manifest, false), 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		CHECK_EQ(object(&addresses, numbers[i]), numbers[i]);
	kmt_addresses_deinit(&addresses);
}

TEST(a_sample_goes_by_the_same_bits)
{
	struct kmt_manifest manifest = {
		.long_bytes = 8, .page_bytes = 4096, .sample = 8, .sample_mask = 0x7000
	};
	struct kmt_addresses addresses;

	CHECK_EQ(kmt_addresses_init(&addresses, &manifest, false), 0);
	for (uint64_t page = 1; page < 1000; page++) {
		uint64_t address = UINT64_C(0xffff888000000000) + page * 4096;
		uint64_t made = object(&addresses, address);

		CHECK_EQ(made & 0x7000, address & 0x7000);
		CHECK_EQ(made & -made, address & -address); /* a multiple of as much */
	}
	kmt_addresses_deinit(&addresses);
}

TEST(frames_of_a_block_stay_together_and_no_others)
{
	struct kmt_manifest manifest = { .long_bytes = 8, .page_bytes = 4096 };
	struct kmt_addresses addresses;
	uint64_t first, single;

	CHECK_EQ(kmt_addresses_init(&addresses, &manifest, false), 0);
	CHECK_EQ(kmt_addresses_note_block(&addresses, 0x1008, 3), 0);
	single = frame(&addresses, 0x1007);
	first = frame(&addresses, 0x1008);
	CHECK_EQ(first % 8, 0);
	for (uint64_t i = 0; i < 8; i++)
		CHECK_EQ(frame(&addresses, 0x1008 + i), first + i);
	CHECK(single != first - 1); /* as it was */
	kmt_addresses_deinit(&addresses);
}

TEST(on_s390x_no_blocks_are_told_by_where_they_are)
{
	struct kmt_manifest manifest = { .long_bytes = 8, .sample = 1, .arch = "s390x" };

	CHECK(!kmt_addresses_may_be_coarse(&manifest));
	(void)strcpy(manifest.arch, "x86_64");
	CHECK(kmt_addresses_may_be_coarse(&manifest));
}

TEST(code_keeps_distances_within_a_range_and_none_between_two)
{
	uint64_t kernel = UINT64_C(0xffffffff81000000), module = UINT64_C(0xffffffffc0300000);
	uint64_t distance[2];

	for (unsigned int i = 0; i < 2; i++, kernel += 0x1e00000, module += 0x7000) {
		struct kmt_codes codes;

		kmt_codes_init(&codes, 8, 4096);
		CHECK_EQ(kmt_codes_add(&codes, module, 0x4000, false), 0);
		CHECK_EQ(kmt_codes_add(&codes, kernel, 0, true), 0);
		CHECK_EQ(kmt_codes_add(&codes, kernel + 0x800000, 0, true), 0);
		CHECK_EQ(kmt_codes_place(&codes), 0);
		CHECK_EQ(code(&codes, kernel + 0x123456) - code(&codes, kernel), 0x123456);
		CHECK_EQ(code(&codes, module + 0x3fff) - code(&codes, module), 0x3fff);
		CHECK(code(&codes, module) > code(&codes, kernel));
		distance[i] = code(&codes, module) - code(&codes, kernel);
		kmt_codes_deinit(&codes);
	}
	CHECK_EQ(distance[0], distance[1]);
}

TEST(unknown_code_stays_between_what_it_was_between)
{
	struct kmt_codes codes;
	uint64_t low, high, made;

	kmt_codes_init(&codes, 4, 4096);
	CHECK_EQ(kmt_codes_add(&codes, 0xc1000000, 0, true), 0);
	CHECK_EQ(kmt_codes_add(&codes, 0xf8000000, 0x2000, false), 0);
	CHECK_EQ(kmt_codes_place(&codes), 0);
	low = code(&codes, 0xc1000fff);
	high = code(&codes, 0xf8000000);
	for (uint64_t page = 1; page < 100; page++) { /* more than there is room for */
		uint64_t unknown = code(&codes, 0xd0000abc + page * 4096);

		CHECK(unknown > low + 4096 && unknown < high - 4096);
		CHECK_EQ(unknown & 0xfff, 0xabc);
	}
	/* A call may be the last instruction of a range: where it returns to is not another's. */
	CHECK_EQ(kmt_codes_map_return(&codes, 0xf8002000, &made), 0);
	CHECK_EQ(made, high + 0x2000);
	kmt_codes_deinit(&codes);
}

TEST(conditions_keep_what_they_are_about)
{
	char text[] =
		"call_site > 0xffffffffc0345000 && comm == \"a && b\" && bytes_alloc >= 4096 && "
		"(name == \"dentry\" || common_pid == 42)";

	kmt_redact_filter(text);
	CHECK_TEXT(text, "call_site > ? && comm == ? && bytes_alloc >= 4096 && "
			 "(name == \"dentry\" || common_pid == 42)");
}

TEST(who_built_the_kernel_is_nobodys_business)
{
	char text[] = "Linux version 6.1.0 (me@home) (gcc (Debian) 12) #1 SMP";
	char other[] = "Linux version 6.1.0 (gcc (Debian) 12) #1 SMP";

	kmt_redact_version(text);
	CHECK_TEXT(text, "Linux version 6.1.0 (gcc (Debian) 12) #1 SMP");
	kmt_redact_version(other);
	CHECK_TEXT(other, text);
}

/* What becomes of @line behind the line @head. */
static const char *line_of(const char *head, const char *line)
{
	static char to[KMT_REDACT_LINE_MAX + 1];
	enum kmt_redact_part part = KMT_REDACT_NO_PART;
	struct kmt_codes codes;

	kmt_codes_init(&codes, 8, 4096);
	CHECK_EQ(kmt_codes_add(&codes, UINT64_C(0xffffffffc0340000), 0x8000, false), 0);
	CHECK_EQ(kmt_codes_place(&codes), 0);
	(void)kmt_redact_snapshot_line(&codes, &part, head, strlen(head), to);
	CHECK(kmt_redact_snapshot_line(&codes, &part, line, strlen(line), to) >= 0);
	kmt_codes_deinit(&codes);
	return to;
}

TEST(of_the_counters_only_known_forms_go_through)
{
	static const char areas[] = "==> /proc/vmallocinfo <==", slabs[] = "==> /proc/slabinfo <==";
	static const char zones[] = "==> /proc/zoneinfo <==";

	CHECK_TEXT(line_of(areas, "0xffffc90000000000-0xffffc90000005000   20480 foo+0xca/0x100 "
				  "[mod] phys=0x123456789000 pages=4 vmalloc N0=4"),
		   "0x0-0x0 20480 foo+0xca/0x100 [mod] pages=4 vmalloc N0=4");
	CHECK_TEXT(line_of(areas, "0xffffc90000000000-0xffffc90000005000 20480 0xffffffffc0345030 "
				  "vmalloc"),
		   "0x0-0x0 20480 0x5ec0000100005030 vmalloc");
	CHECK_TEXT(line_of(areas, "0x1-0x2 8192 ffffffffc0345030 0xffff888012345678"),
		   "0x0-0x0 8192");
	CHECK_TEXT(line_of(slabs, "nfsd_drc_ffff888012345678 1 2 64 64 1 : tunables 0 0 0 : "
				  "slabdata 1 1 0"),
		   "nfsd_drc_xxxxxxxxxxxxxxxx 1 2 64 64 1 : tunables 0 0 0 : slabdata 1 1 0");
	CHECK_TEXT(line_of(slabs, "foo 1 2 64 64 1 : tunables 0 0 0 : slabdata 1 1 0xffff8880"),
		   "");
	CHECK_TEXT(line_of(zones, "Node 0, zone      DMA"), "Node 0, zone      DMA");
	CHECK_TEXT(line_of(zones, "  start_pfn:           1"), "");
	CHECK_TEXT(line_of(zones, "  nr_what ffff888012345678"), "");
	CHECK_TEXT(line_of("==> /proc/other <==", "a line"), "");
	CHECK_TEXT(line_of("", "a line"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(of_an_object_its_place_in_the_page_stays),
		ROW(what_is_no_address_stays),
		ROW(a_sample_goes_by_the_same_bits),
		ROW(frames_of_a_block_stay_together_and_no_others),
		ROW(on_s390x_no_blocks_are_told_by_where_they_are),
		ROW(code_keeps_distances_within_a_range_and_none_between_two),
		ROW(unknown_code_stays_between_what_it_was_between),
		ROW(conditions_keep_what_they_are_about),
		ROW(who_built_the_kernel_is_nobodys_business),
		ROW(of_the_counters_only_known_forms_go_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
