// SPDX-License-Identifier: LGPL-2.1-only
#include "subbuf.h"

/* What stays of the data of a sub-buffer. */
struct part {
	size_t from, to;    /* from == to: nothing */
	uint64_t from_ns;   /* of the record before @from */
	const char *damage; /* where it ends in the middle; NULL */
	bool has_begun;	    /* a record within the time was there */
};

size_t kmt_subbuf_bytes(const struct kmt_subbuf_cutter *cutter)
{
	return kmt_formats_page(cutter->formats)->subbuf_bytes;
}

static void put32(uint8_t *p, uint32_t n, bool is_big_endian)
{
	n = is_big_endian ? htobe32(n) : htole32(n);
	memcpy(p, &n, sizeof(n));
}

static void put64(uint8_t *p, uint64_t n, bool is_big_endian)
{
	n = is_big_endian ? htobe64(n) : htole64(n);
	memcpy(p, &n, sizeof(n));
}

static void set_commit(const struct kmt_page_layout *page, uint8_t *subbuf, uint32_t commit)
{
	size_t low = page->commit_offset + (page->is_big_endian ? page->commit_bytes - 4u : 0u);

	put32(subbuf + low, commit, page->is_big_endian);
}

static void set_time(const struct kmt_page_layout *page, uint8_t *subbuf, uint64_t time_ns)
{
	put64(subbuf + page->time_offset, time_ns, page->is_big_endian);
}

/* As decoders do: else what follows an error of the clock would be older than what is before it. */
static uint64_t forward(const struct kmt_subbuf_cutter *cutter, uint64_t time_ns)
{
	return time_ns > cutter->last_ns ? time_ns : cutter->last_ns;
}

/* A record too short for its event makes no sense, either. */
static const char *check_record(const struct kmt_subbuf_cutter *cutter,
				const struct kmt_ring_record *record, bool is_big_endian)
{
	const struct kmt_layout *layout;

	if (record->bytes < 2)
		return "a record shorter than its event";
	layout = kmt_formats_layout(cutter->formats, kmt_ring_get16(record->raw, is_big_endian));
	return layout->kind && record->bytes < layout->min_bytes ? "a record shorter than its event"
								 : NULL;
}

static struct part find_part(struct kmt_subbuf_cutter *cutter, const uint8_t *subbuf, size_t bytes)
{
	const struct kmt_page_layout *page = kmt_formats_page(cutter->formats);
	bool is_big_endian = page->is_big_endian;
	struct kmt_ring_cursor cursor = {
		.data = subbuf + page->data_offset,
		.bytes = bytes,
		.time_ns = kmt_ring_get64(subbuf + page->time_offset, is_big_endian),
	};
	struct part part = { 0 };

	while (cursor.at < cursor.bytes) {
		uint64_t before_ns = cursor.time_ns;
		struct kmt_ring_record record = { .at = cursor.at };
		const char *wrong = kmt_ring_next(&cursor, is_big_endian, &record);

		if (!wrong && record.raw)
			wrong = check_record(cutter, &record, is_big_endian);
		if (wrong) {
			part.damage = wrong;
			cutter->damaged_bytes += cursor.bytes - record.at;
			break;
		}
		if (!record.raw) { /* stays with what is around it */
			part.to = part.has_begun ? cursor.at : part.to;
			continue;
		}
		cutter->last_ns = forward(cutter, cursor.time_ns);
		if (cutter->last_ns >= cutter->to_ns)
			break;
		if (cutter->last_ns < cutter->from_ns)
			continue;
		if (!part.has_begun) {
			part.from = record.at;
			part.from_ns = before_ns;
			part.has_begun = true;
		}
		part.to = cursor.at;
	}
	return part;
}

/* Are some of the events that are missing before @subbuf_ns of the time that stays? */
static bool is_loss_within(const struct kmt_subbuf_cutter *cutter, uint64_t subbuf_ns)
{
	return subbuf_ns >= cutter->from_ns && cutter->last_ns < cutter->to_ns;
}

static void keep_part(const struct kmt_subbuf_cutter *cutter, const struct part *part,
		      uint32_t marks, uint64_t missed, uint8_t *subbuf)
{
	const struct kmt_page_layout *page = kmt_formats_page(cutter->formats);
	uint8_t *data = subbuf + page->data_offset;
	size_t room = page->subbuf_bytes - page->data_offset, bytes = part->to - part->from;

	if (part->from > 0) {
		memmove(data, data + part->from, bytes);
		set_time(page, subbuf, part->from_ns);
	}
	memset(data + bytes, 0, room - bytes);
	if (missed && room - bytes >= page->long_bytes) {
		marks |= KMT_RING_STORED;
		if (page->long_bytes == 8)
			put64(data + bytes, missed, page->is_big_endian);
		else
			put32(data + bytes, (uint32_t)missed, page->is_big_endian);
	}
	set_commit(page, subbuf, (uint32_t)bytes | marks);
}

/* Nothing but a mark. */
static void make_mark(const struct kmt_subbuf_cutter *cutter, uint64_t time_ns, uint64_t missed,
		      uint8_t *subbuf)
{
	const struct kmt_page_layout *page = kmt_formats_page(cutter->formats);
	const struct part nothing = { 0 };

	memset(subbuf, 0, page->data_offset);
	set_time(page, subbuf, time_ns < cutter->to_ns ? time_ns : cutter->to_ns - 1);
	keep_part(cutter, &nothing, KMT_RING_MISSED, missed, subbuf);
}

bool kmt_subbuf_cut(struct kmt_subbuf_cutter *cutter, uint8_t *subbuf)
{
	const struct kmt_page_layout *page = kmt_formats_page(cutter->formats);
	uint32_t commit = kmt_ring_commit(page, subbuf);
	size_t bytes = commit & KMT_RING_COMMIT_MASK;
	uint64_t subbuf_ns =
		forward(cutter, kmt_ring_get64(subbuf + page->time_offset, page->is_big_endian));
	bool has_mark, is_lossy;
	uint64_t missed = cutter->has_gap ? 0 : kmt_ring_missed(page, subbuf, commit);
	struct part part;

	if (bytes > page->subbuf_bytes - page->data_offset) { /* nothing in it can be trusted */
		cutter->damaged++;
		cutter->damaged_bytes += page->subbuf_bytes;
		cutter->has_gap = true;
		return false;
	}
	has_mark = commit & KMT_RING_MISSED || (cutter->has_gap && bytes);
	is_lossy = has_mark && is_loss_within(cutter, subbuf_ns);
	if (has_mark) { /* as decoders do: what is lost later is lost behind it */
		cutter->last_ns = subbuf_ns;
		cutter->has_gap = false;
	}
	part = find_part(cutter, subbuf, bytes);
	cutter->has_gap |= part.damage != NULL;
	cutter->damaged += part.damage != NULL;
	if (!part.has_begun && is_lossy) {
		make_mark(cutter, subbuf_ns, missed, subbuf);
		return true;
	}
	if (part.has_begun)
		keep_part(cutter, &part, is_lossy ? KMT_RING_MISSED : 0, is_lossy ? missed : 0,
			  subbuf);
	return part.has_begun;
}

bool kmt_subbuf_end_mark(struct kmt_subbuf_cutter *cutter, uint64_t end_ns, uint8_t *subbuf)
{
	uint64_t time_ns = forward(cutter, end_ns);

	if (!cutter->has_gap || !is_loss_within(cutter, time_ns))
		return false;
	make_mark(cutter, time_ns, 0, subbuf);
	return true;
}
