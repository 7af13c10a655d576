// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>

#include "content-sum.h"
#include "frame.h"
#include "fse.h"

#define MAGIC		 0xfd2fb528u
#define DESCRIPTOR	 0xa4u /* content size of 4 bytes, one segment, a checksum */
#define HEAD_BYTES	 9u
#define BLOCK_HEAD_BYTES 3u
#define BLOCK_IS_LAST	 1u
#define BLOCK_COMPRESSED 2u
#define LITERALS_RAW	 12u /* with a length of 20 bits, in 3 bytes */
#define LITERALS_BYTES	 3u
#define SECTION_BYTES	 3u	 /* in front of matches: how many, and which tables */
#define MODES_TABLES	 0xa8u	 /* of all three, tables follow */
#define MODES_REPEAT	 0xfcu	 /* as in the block before */
#define MATCHES_MAX	 0x7effu /* that two bytes tell of */
#define MATCH_BYTES_MAX	 10u	 /* 79 bits */
#define FLUSHED_BYTES	 16u	 /* words are written behind the end of bits */

/* Codes of lengths: small ones stand for themselves, larger ones for their highest bits. */
#define NR_LITERALS_CODES 36u
#define NR_MATCH_CODES	  53u
#define NR_OFFSET_CODES	  21u /* in a chunk of 1 MiB */
#define LITERALS_LOG	  9u
#define MATCH_LOG	  9u
#define OFFSET_LOG	  8u
#define NR_LITERALS_SMALL 64u
#define NR_MATCH_SMALL	  128u
#define LITERALS_CODE	  19u /* and the number of the highest bit, of larger ones */
#define MATCH_CODE	  36u
#define MATCH_BASE	  3u

/* What tells the numbers of one code apart. */
static const uint8_t literals_bits[NR_LITERALS_CODES] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,	 0,  0,	 0,  1,	 1,
	1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
};
static const uint8_t match_bits[NR_MATCH_CODES] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,	 0,  0,	 0,  0,	 0,  0,
	0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
};

/*
 * A number: which code, how many bits tell it apart from others of that, and these. In one word,
 * which the compiler keeps in a register.
 */
#define CODE_BITS_SHIFT	 8
#define CODE_VALUE_SHIFT 16

struct kmt_frame {
	uint8_t *out;
	size_t room;
	size_t used;	   /* with all blocks that ended */
	size_t content;	   /* in them */
	size_t last_block; /* where it begins */
	uint32_t repeats[3];
	bool has_tables; /* that the reader has, too */
	struct kmt_content_sum sum;
	uint32_t literals_codes[NR_LITERALS_SMALL], match_codes[NR_MATCH_SMALL];
	struct kmt_fse literals, match, offset;
	uint64_t matches[KMT_FRAME_BLOCK_BYTES_MAX / KMT_FRAME_MATCH_BYTES_MIN + 1];
};

/* Of a match. The code of an offset is the number of its bits. */
struct codes {
	uint32_t literals, match;
	uint32_t offset, offset_value;
};

/*
 * To be read from the end on. The low bits of a number are put in by adding all of it, and taking
 * off the rest when the next ones are added, so that nothing is masked.
 */
struct bits {
	uint8_t *out;
	uint64_t word;
	uint32_t nr;   /* in word */
	uint32_t rest; /* what the last number is above them */
};

static inline uint32_t make_code(uint32_t code, uint32_t bits, uint32_t value)
{
	return code | bits << CODE_BITS_SHIFT | value << CODE_VALUE_SHIFT;
}

static void make_codes(uint32_t *codes, uint32_t nr, const uint8_t *bits)
{
	for (uint32_t code = 0, at = 0; at < nr; code++)
		for (uint32_t i = 0; i < 1u << bits[code]; i++)
			codes[at++] = make_code(code, bits[code], i);
}

struct kmt_frame *kmt_frame_new(uint8_t *out, size_t room)
{
	struct kmt_frame *frame = malloc(sizeof(*frame));

	if (!frame)
		return NULL;
	memset(frame, 0, sizeof(*frame));
	frame->out = out;
	frame->room = room;
	make_codes(frame->literals_codes, NR_LITERALS_SMALL, literals_bits);
	make_codes(frame->match_codes, NR_MATCH_SMALL, match_bits);
	return frame;
}

struct kmt_frame *kmt_frame_free(struct kmt_frame *frame)
{
	free(frame);
	return NULL;
}

static void put_number(uint8_t *at, uint32_t n, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(n >> 8 * i);
}

static void begin_block(struct kmt_frame *frame, struct kmt_frame_block *block)
{
	block->next = frame->matches;
	block->literals = frame->out + frame->used + BLOCK_HEAD_BYTES + LITERALS_BYTES;
	memcpy(frame->repeats, block->repeats, sizeof(frame->repeats));
}

void kmt_frame_begin(struct kmt_frame *frame, struct kmt_frame_block *ret_block)
{
	frame->used = HEAD_BYTES;
	frame->content = 0;
	frame->has_tables = false;
	kmt_content_sum_init(&frame->sum);
	*ret_block = (struct kmt_frame_block){ .repeats = { 1, 4, 8 } };
	begin_block(frame, ret_block);
}

void kmt_frame_sum(struct kmt_frame *frame, const uint8_t *content, size_t bytes)
{
	kmt_content_sum_add(&frame->sum, content, bytes);
}

static inline uint32_t highest_bit(uint32_t n)
{
	return 31 ^ (uint32_t)__builtin_clz(n);
}

static inline uint32_t code_of(const uint32_t *small, uint32_t nr_small, uint32_t n, uint32_t code)
{
	uint32_t bit;

	if (n < nr_small)
		return small[n];
	bit = highest_bit(n);
	return make_code(bit + code, bit, n ^ 1u << bit);
}

static inline uint32_t number_of(uint32_t code)
{
	return code & ((1u << CODE_BITS_SHIFT) - 1);
}

static inline uint32_t bits_of(uint32_t code)
{
	return code >> CODE_BITS_SHIFT & ((1u << (CODE_VALUE_SHIFT - CODE_BITS_SHIFT)) - 1);
}

static inline struct codes codes_of(const struct kmt_frame *frame, uint64_t match)
{
	uint32_t offset = (uint32_t)match & KMT_FRAME_NUMBER_MASK;
	uint32_t literals = (uint32_t)(match >> KMT_FRAME_NUMBER_BITS) & KMT_FRAME_NUMBER_MASK;
	uint32_t bytes = (uint32_t)(match >> 2 * KMT_FRAME_NUMBER_BITS) - MATCH_BASE;
	uint32_t bit = highest_bit(offset);

	return (struct codes){
		.literals =
			code_of(frame->literals_codes, NR_LITERALS_SMALL, literals, LITERALS_CODE),
		.match = code_of(frame->match_codes, NR_MATCH_SMALL, bytes, MATCH_CODE),
		.offset = bit,
		.offset_value = offset ^ 1u << bit,
	};
}

/* Of this block, for this one and those that follow. Return: bytes of the descriptions. */
static size_t make_tables(struct kmt_frame *frame, const uint64_t *end, uint8_t *out)
{
	uint32_t literals[NR_LITERALS_CODES] = { 0 }, match[NR_MATCH_CODES] = { 0 };
	uint32_t offset[NR_OFFSET_CODES] = { 0 };
	size_t n;

	for (const uint64_t *at = frame->matches; at < end; at++) {
		struct codes codes = codes_of(frame, *at);

		literals[number_of(codes.literals)]++;
		match[number_of(codes.match)]++;
		offset[codes.offset]++;
	}
	n = kmt_fse_make(&frame->literals, literals, NR_LITERALS_CODES, LITERALS_LOG, out);
	n += kmt_fse_make(&frame->offset, offset, NR_OFFSET_CODES, OFFSET_LOG, out + n);
	return n + kmt_fse_make(&frame->match, match, NR_MATCH_CODES, MATCH_LOG, out + n);
}

/* The low @nr bits of @number; @rest: what is above them. */
static inline void put_bits(struct bits *bits, uint32_t number, uint32_t nr, uint32_t rest)
{
	bits->word += ((uint64_t)number - bits->rest) << bits->nr;
	bits->nr += nr;
	bits->rest = rest;
}

static inline void flush_bits(struct bits *bits)
{
	uint64_t word;

	put_bits(bits, 0, 0, 0);
	word = htole64(bits->word);
	memcpy(bits->out, &word, sizeof(word));
	bits->out += bits->nr / 8;
	bits->word >>= bits->nr & ~7u;
	bits->nr %= 8;
}

static inline void put_values(struct bits *bits, const struct codes *codes)
{
	uint32_t nr = bits_of(codes->literals) + bits_of(codes->match) + codes->offset;

	if (bits->nr + nr > 63) /* never after it is flushed: 7, 16, 16 and 20 */
		flush_bits(bits);
	put_bits(bits, codes->literals >> CODE_VALUE_SHIFT, bits_of(codes->literals), 0);
	put_bits(bits, codes->match >> CODE_VALUE_SHIFT, bits_of(codes->match), 0);
	put_bits(bits, codes->offset_value, codes->offset, 0);
	flush_bits(bits);
}

static inline void put_symbol(struct bits *bits, const struct kmt_fse *fse, uint32_t *state,
			      uint32_t symbol)
{
	uint32_t nr = kmt_fse_bits(fse, *state, symbol);

	put_bits(bits, *state, nr, *state >> nr);
	*state = kmt_fse_next(fse, *state, symbol, nr);
}

/* From the last one to the first. Return: where the bits end. */
static uint8_t *put_matches(const struct kmt_frame *frame, const uint64_t *end, uint8_t *out)
{
	struct codes codes = codes_of(frame, *--end);
	uint32_t literals = kmt_fse_begin(&frame->literals, number_of(codes.literals));
	uint32_t offset = kmt_fse_begin(&frame->offset, codes.offset);
	uint32_t match = kmt_fse_begin(&frame->match, number_of(codes.match));
	struct bits bits = { .out = out };

	put_values(&bits, &codes);
	while (end > frame->matches) {
		codes = codes_of(frame, *--end);
		put_symbol(&bits, &frame->offset, &offset, codes.offset);
		put_symbol(&bits, &frame->match, &match, number_of(codes.match));
		put_symbol(&bits, &frame->literals, &literals, number_of(codes.literals));
		put_values(&bits, &codes);
	}
	put_bits(&bits, match, MATCH_LOG, match >> MATCH_LOG);
	put_bits(&bits, offset, OFFSET_LOG, offset >> OFFSET_LOG);
	put_bits(&bits, literals, LITERALS_LOG, literals >> LITERALS_LOG);
	put_bits(&bits, 1, 1, 0); /* shows where they end */
	flush_bits(&bits);
	return bits.out + (bits.nr > 0);
}

/* Behind the literals. Return: where it ends; NULL: too many, or there may be no room for it. */
static uint8_t *put_section(struct kmt_frame *frame, const uint64_t *end, uint8_t *out)
{
	uint32_t nr = (uint32_t)(end - frame->matches);
	size_t room = frame->room - (size_t)(out - frame->out);

	if (nr > MATCHES_MAX ||
	    SECTION_BYTES + 3 * KMT_FSE_DESCRIPTION_MAX + nr * MATCH_BYTES_MAX + FLUSHED_BYTES >
		    room)
		return NULL;
	if (!nr) {
		*out = 0;
		return out + 1;
	}
	out[0] = (uint8_t)((nr >> 8) + 0x80);
	out[1] = (uint8_t)nr;
	out[2] = frame->has_tables ? MODES_REPEAT : MODES_TABLES;
	out += SECTION_BYTES;
	if (!frame->has_tables)
		out += make_tables(frame, end, out);
	return put_matches(frame, end, out);
}

/* Return: its bytes, without its head; 0: as large as its content, or what put_section() says. */
static size_t make_block(struct kmt_frame *frame, const struct kmt_frame_block *block,
			 size_t content_bytes)
{
	uint8_t *begin = frame->out + frame->used + BLOCK_HEAD_BYTES;
	uint32_t nr_literals = (uint32_t)(block->literals - begin - LITERALS_BYTES);
	uint8_t *end;

	put_number(begin, nr_literals << 4 | LITERALS_RAW, LITERALS_BYTES);
	end = put_section(frame, block->next, block->literals);
	if (!end || (size_t)(end - begin) >= content_bytes)
		return 0;
	if (block->next > frame->matches)
		frame->has_tables = true;
	return (size_t)(end - begin);
}

void kmt_frame_end_block(struct kmt_frame *frame, struct kmt_frame_block *block,
			 const uint8_t *content, size_t bytes, size_t nr_literals)
{
	uint8_t *head = frame->out + frame->used;
	size_t size;

	assert(bytes && bytes <= KMT_FRAME_BLOCK_BYTES_MAX);
	memcpy(block->literals, content + bytes - nr_literals, nr_literals);
	block->literals += nr_literals;
	size = make_block(frame, block, bytes);
	if (size) {
		put_number(head, (uint32_t)size << 3 | BLOCK_COMPRESSED << 1, BLOCK_HEAD_BYTES);
	} else {
		put_number(head, (uint32_t)bytes << 3, BLOCK_HEAD_BYTES);
		memcpy(head + BLOCK_HEAD_BYTES, content, bytes);
		memcpy(block->repeats, frame->repeats, sizeof(block->repeats));
		size = bytes;
	}
	frame->last_block = frame->used;
	frame->used += BLOCK_HEAD_BYTES + size;
	frame->content += bytes;
	begin_block(frame, block);
}

size_t kmt_frame_end(struct kmt_frame *frame)
{
	uint8_t *out = frame->out;

	out[frame->last_block] |= BLOCK_IS_LAST;
	put_number(out, MAGIC, 4);
	out[4] = DESCRIPTOR;
	put_number(out + 5, (uint32_t)frame->content, 4);
	put_number(out + frame->used, (uint32_t)kmt_content_sum_end(&frame->sum), 4);
	return frame->used + 4;
}
