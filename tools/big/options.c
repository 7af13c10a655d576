// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define EVENTS_MAX (UINT64_C(1) << 40)

static int parse_number(const char *program, const char *name, const char *text, uint64_t min,
			uint64_t max, uint64_t *ret_n)
{
	static const char units[] = "KMG";
	char *end;
	uint64_t n = strtoull(text, &end, 10), scale = 1;
	const char *unit = *end ? strchr(units, *end) : NULL;

	if (unit) {
		for (const char *u = units; u <= unit; u++)
			scale *= 1000;
		end++;
	}
	if (text[0] < '0' || text[0] > '9' || *end || n > max / scale || n * scale < min) {
		fprintf(stderr, "%s: --%s: '%s' is not a number of %llu to %llu\n", program, name,
			text, (unsigned long long)min, (unsigned long long)max);
		return -1;
	}
	*ret_n = n * scale;
	return 0;
}

static int check(const char *program, const struct options *options)
{
	const struct load *load = &options->load;

	if (load_fill_rounds(load) > load->nr_rounds) {
		fprintf(stderr, "%s: --live: more than there are events\n", program);
		return -1;
	}
	if (options->is_repeating && OPTIONS_PERIOD_ROUNDS % load->nr_cpus) {
		fprintf(stderr, "%s: --cpus: must be a power of 2 if it repeats\n", program);
		return -1;
	}
	return 0;
}

int options_parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = { { "events", required_argument, NULL, 0 },
					       { "cpus", required_argument, NULL, 1 },
					       { "live", required_argument, NULL, 2 },
					       { "sites", required_argument, NULL, 3 },
					       { "formats", required_argument, NULL, 4 },
					       { "repeat", no_argument, NULL, 5 },
					       { 0 } };
	static const struct {
		uint64_t min, max;
	} ranges[] = {
		{ 1, EVENTS_MAX },
		{ 1, LOAD_CPUS_MAX },
		{ 0, LOAD_LIVE_MAX },
		{ 1, LOAD_SITES_MAX },
	};
	uint64_t values[] = { 10000000, 2, 100000, 300 };
	int c, at;

	options->formats = BIG_FORMATS_DIR;
	while ((c = getopt_long(argc, argv, "", known, &at)) != -1) {
		if (c == '?')
			return -1;
		if (c == 4)
			options->formats = optarg;
		else if (c == 5)
			options->is_repeating = true;
		else if (parse_number(argv[0], known[at].name, optarg, ranges[c].min, ranges[c].max,
				      &values[c]) < 0)
			return -1;
	}
	load_init(&options->load, (unsigned int)values[1], values[0], values[2],
		  (uint32_t)values[3]);
	if (options->is_repeating)
		load_repeat(&options->load, OPTIONS_PERIOD_ROUNDS);
	return check(argv[0], options) < 0 ? -1 : optind;
}
