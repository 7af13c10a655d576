/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_REPORT_H
#define KMEMTAPE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "kmemtape/err.h"
#include "kmemtape/result.h"

struct kmt_report_options {
	uint64_t top; /* rows at most; 0: all */
	/* The rest is for the text alone, as are explanations and tables for text and JSON. */
	bool hides_healthy; /* what comes and goes, and what is suppressed, is only counted */
	bool is_utf8;	    /* else ASCII, which survives every mail */
};

/*
 * Each writes to @file, whose errors the caller finds with ferror(). Texts from the tape are made
 * safe for a terminal.
 */

/*
 * For people, 80 columns: the verdict, what may make the numbers wrong, what is live, why it is
 * what it is called, and what to do next.
 */
void kmt_report_text(const struct kmt_result *result, const struct kmt_report_options *options,
		     FILE *file);

/* The dossiers of the result, instead of the report: all that is known of the sites asked for. */
void kmt_report_explain(const struct kmt_result *result, const struct kmt_report_options *options,
			FILE *file);

/* The table over time, instead of the report: columns for awk, '#' before all else. Return: 0 or
 * -ENOMEM. */
int kmt_report_intervals(const struct kmt_result *result, FILE *file, struct kmt_err *err);

/* Schema 1, all of what was asked for. Return: 0 or -ENOMEM. */
int kmt_report_json(const struct kmt_result *result, const struct kmt_report_options *options,
		    FILE *file, struct kmt_err *err);

/*
 * What a result can be written as. The first one is what is written if nothing else is asked for;
 * the last one has no name.
 */
#define KMT_REPORT_FORMATS_MAX 16

struct kmt_report_format {
	const char *name;   /* "json" */
	const char *help;   /* what it is, in at most 40 columns */
	uint64_t rows;	    /* shown unless it is told how many; 0: all */
	bool is_binary;	    /* nothing for a terminal */
	bool is_bare;	    /* numbers alone: what makes them doubtful has no place in it */
	bool goes_by_stack; /* where stacks were recorded and nothing else is asked for */
	bool has_asked;	    /* tells what was asked beyond the rows: explanations, tables */
	bool is_page;	    /* has room for what else may be known: all stacks, when something was
			       lost, a dossier of what leaks */
	int (*write)(const struct kmt_result *result, const struct kmt_report_options *options,
		     FILE *file, struct kmt_err *err); /* Return: 0 or -ENOMEM. */
};

extern const struct kmt_report_format kmt_report_formats[];

#endif
