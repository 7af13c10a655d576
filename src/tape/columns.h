/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_COLUMNS_H
#define KMT_TAPE_COLUMNS_H

#include <assert.h>

#include "kmemtape/bytes.h"
#include "kmemtape/columns.h"

/*
 * A small chunk: one zstd frame of struct columns_head, the templates, and the columns, without
 * gaps. Each chunk stands for itself. Numbers are little-endian, whatever the kernel's are.
 *
 * A template: struct columns_template, struct columns_field for each field that varies, then the
 * bytes of the item, with zeros for its time and these fields.
 *
 * For each sub-buffer: PAGE_HEADS has what is in front of its data, with zeros for its time; PAGES
 * a struct columns_page; ITEMS and ITEMS_HIGH (if there are more than 256 templates) the number of
 * the template of each item; TAILS the bytes behind the items. Zeros up to its end are left out.
 *
 * The time of an item, since the one before: TIMES has it in steps of the clock (columns_head), up
 * to 254, and TIMES_REST the rest of the division; 255: WIDE and WIDE_HIGH have all of it, in 16
 * bits; and if these are all ones, LONG has it in 64. The time of a sub-buffer, since the last item
 * before, is in its columns_page.
 *
 * Fields, in the template's order:
 *   TASK   TASKS: how many others were there since it was there last, up to 254; 255: NEW_TASKS has
 *          it
 *   ALLOC  NEAR: 0..254: how it differs from this field of the template's last item (exclusive or),
 *          without `shift` low bits that are zero; 255: as PLAIN
 *   FREE   REFS and REFS_HIGH: signed 16 bits: how far in the row of all ALLOC from the one of the
 *          last such FREE, at first from the row's begin; REF_NONE: as PLAIN
 *   PLAIN  BACKS and BACKS_HIGH: which of the pages of all PLAIN before, counted from the last;
 *          BACK_NEW in BACKS_HIGH: NEW_PAGES has the number of the page, 7 columns of a byte each;
 *          WITHIN and WITHIN_HIGH (if a page is more than 256 times 1 << shift) where in it
 *
 * Columns of items and fields that differ by what they are of exist GROUPS times; each template is
 * of a group.
 */
#define GROUPS		32u
#define TEMPLATES_MAX	32768u
#define FIELDS_MAX	65536u	   /* of all templates */
#define COLUMNS_BYTES	(2u << 20) /* of head, templates, columns */
#define ROW_MAX		65536u	   /* that ALLOC and PLAIN before are found in */
#define TASKS_MAX	255u
#define TIME_WIDE	255u
#define NEAR_NONE	255u
#define REF_NONE	0x80u /* in REFS_HIGH */
#define BACK_NEW	255u  /* in BACKS_HIGH */
#define PAGE_SHIFT_BITS 13u
#define PAGE_COLUMNS	7u

enum column {
	COLUMN_PAGE_HEADS,
	COLUMN_PAGES,
	COLUMN_TAILS,
	COLUMN_ITEMS,
	COLUMN_ITEMS_HIGH,
	COLUMN_WIDE,
	COLUMN_WIDE_HIGH,
	COLUMN_LONG,
	COLUMN_TASKS,
	COLUMN_NEW_TASKS,
	COLUMN_BACKS,
	COLUMN_BACKS_HIGH,
	COLUMN_NEW_PAGES,
	COLUMN_TIMES = COLUMN_NEW_PAGES + PAGE_COLUMNS, /* from here on, GROUPS of each */
	COLUMN_TIMES_REST = COLUMN_TIMES + GROUPS,
	COLUMN_NEAR = COLUMN_TIMES_REST + GROUPS,
	COLUMN_REFS = COLUMN_NEAR + GROUPS,
	COLUMN_REFS_HIGH = COLUMN_REFS + GROUPS,
	COLUMN_WITHIN = COLUMN_REFS_HIGH + GROUPS,
	COLUMN_WITHIN_HIGH = COLUMN_WITHIN + GROUPS,
	COLUMNS = COLUMN_WITHIN_HIGH + GROUPS,
};

struct columns_head {
	kmt_le32 is_big_endian; /* 0 or 1: of what the sub-buffers have */
	kmt_le32 time_offset;	/* of 8 bytes in a sub-buffer, in front of data_offset */
	kmt_le32 data_offset;
	kmt_le32 clock_step; /* 1..256 */
	kmt_le32 nr_templates;
	kmt_le32 template_bytes; /* of all of them */
	kmt_le32 bytes[COLUMNS];
};

struct columns_template {
	kmt_le32 bytes; /* of the item */
	uint8_t time;	/* enum kmt_item_time */
	uint8_t group;
	uint8_t nr_fields;
	uint8_t reserved;
};

struct columns_field {
	uint8_t offset[2];
	uint8_t bytes;
	uint8_t vary;
	uint8_t shift;
	uint8_t reserved[3];
};

struct columns_page {
	kmt_le64 since_ns;
	kmt_le32 nr_items;
	kmt_le32 tail_bytes;
};

static_assert(sizeof(struct columns_head) == 24 + 4 * COLUMNS && sizeof(struct columns_page) == 16,
	      "on small tapes");
static_assert(sizeof(struct columns_template) == 8 && sizeof(struct columns_field) == 8,
	      "on small tapes");

#endif
