// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "kmemtape/hash.h"
#include "helpers.h"

/* Numbers of traces live in blocks that never move. */
#define BLOCK_NUMBERS 65536u

struct block {
	struct block *next;
	uint32_t numbers[BLOCK_NUMBERS];
};

/* By two words, a number; 0 is a free slot, so numbers are kept plus 1. */
struct map {
	struct slot {
		uint64_t a, b;
		uint32_t number;
	} * slots;
	size_t nr, nr_slots; /* a power of two */
	struct kmt_hash_secret secret;
};

struct kmt_frames {
	struct kmt_frames_context context;
	struct kmt_named_frame *frames;
	size_t nr_frames, room;
	struct kmt_trace **traces;
	size_t nr_traces, room_traces;
	struct map by_address; /* address and generation of the modules */
	struct map by_code;    /* address and load of the module */
	struct map by_stack;   /* stack and generation, with or without a call site */
	struct block *block;
	size_t nr_used; /* of the newest block */
};

static size_t hash_of(const struct map *map, uint64_t a, uint64_t b)
{
	return (size_t)kmt_hash_product(a + map->secret.words[0], b + map->secret.words[1]);
}

static struct slot *find_slot(const struct map *map, uint64_t a, uint64_t b)
{
	size_t mask = map->nr_slots - 1, at = hash_of(map, a, b) & mask;

	for (;; at = (at + 1) & mask) {
		struct slot *slot = &map->slots[at];

		if (!slot->number || (slot->a == a && slot->b == b))
			return slot;
	}
}

static int grow_map(struct map *map)
{
	struct map grown = { .nr = map->nr,
			     .nr_slots = map->nr_slots ? map->nr_slots * 2 : 256,
			     .secret = map->secret };

	grown.slots = calloc(grown.nr_slots, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->nr_slots; i++)
		if (map->slots[i].number)
			*find_slot(&grown, map->slots[i].a, map->slots[i].b) = map->slots[i];
	free(map->slots);
	*map = grown;
	return 0;
}

static bool look_up(const struct map *map, uint64_t a, uint64_t b, uint32_t *ret_number)
{
	const struct slot *slot = map->nr_slots ? find_slot(map, a, b) : NULL;

	if (!slot || !slot->number)
		return false;
	*ret_number = slot->number - 1;
	return true;
}

/* Return: 0 or -ENOMEM. */
static int note(struct map *map, uint64_t a, uint64_t b, uint32_t number)
{
	if ((map->nr + 1) * 2 > map->nr_slots && grow_map(map) < 0)
		return -ENOMEM;
	*find_slot(map, a, b) = (struct slot){ a, b, number + 1 };
	map->nr++;
	return 0;
}

int kmt_frames_new(const struct kmt_frames_context *context, struct kmt_frames **ret_frames,
		   struct kmt_err *err)
{
	struct kmt_frames *frames = calloc(1, sizeof(*frames));

	if (!frames)
		return kmt_fail(err, -ENOMEM, "out of memory");
	frames->context = *context;
	frames->by_address.secret = kmt_hash_secret(context->hash_seed);
	frames->by_code.secret = frames->by_stack.secret = frames->by_address.secret;
	*ret_frames = frames;
	return 0;
}

struct kmt_frames *kmt_frames_free(struct kmt_frames *frames)
{
	if (!frames)
		return NULL;
	while (frames->block) {
		struct block *next = frames->block->next;

		free(frames->block);
		frames->block = next;
	}
	for (size_t i = 0; i < frames->nr_traces; i++)
		free(frames->traces[i]);
	free(frames->traces);
	free(frames->frames);
	free(frames->by_address.slots);
	free(frames->by_code.slots);
	free(frames->by_stack.slots);
	free(frames);
	return NULL;
}

static int keep_texts(struct kmt_frames *frames, const struct kmt_symbol *symbol,
		      struct kmt_frame *frame)
{
	struct kmt_result *result = frames->context.result;
	int r;

	(void)((r = kmt_result_keep(result, symbol->function, &frame->function)) < 0 ||
	       (r = kmt_result_keep(result, symbol->module, &frame->module)) < 0 ||
	       (r = kmt_result_keep(result, symbol->taint ? symbol->taint : "", &frame->taint)) <
		       0);
	return r;
}

/* What the tables say of a function: "foo.isra.0" is "foo". */
static int classify(const struct kmt_frames *frames, struct kmt_named_frame *named)
{
	const char *function = named->frame.function;
	const char *module = named->frame.module;
	size_t dots = function ? strspn(function, ".") : 0;
	KMT_CLEANUP(kmt_freep) char *name = NULL;

	if (!function)
		return 0;
	name = strndup(function + dots, strcspn(function + dots, "."));
	if (!name)
		return -ENOMEM;
	named->frame.is_helper = kmt_owners_is_helper(frames->context.owners, name, module);
	if (module)
		return 0;
	named->is_entry = kmt_helper_is_entry(name);
	if (!named->frame.is_helper)
		return 0;
	named->is_allocator = kmt_helper_kind(name) == KMT_HELPER_ALLOCATOR;
	named->is_handed_on = kmt_helper_is_handed_on(name);
	return 0;
}

static int add_frame(struct kmt_frames *frames, uint64_t address, bool is_unknown,
		     const struct kmt_symbol *symbol, uint32_t *ret_number)
{
	struct kmt_named_frame named = {
		.frame = { .address = address, .offset = symbol->offset, .size = symbol->size },
		.instance = symbol->instance,
		.unloaded_ns = symbol->unloaded_ns,
		.is_unknown = is_unknown,
	};

	if (frames->nr_frames == frames->room) {
		size_t room = frames->room ? frames->room * 2 : 256;
		struct kmt_named_frame *grown = reallocarray(frames->frames, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		frames->frames = grown;
		frames->room = room;
	}
	if (keep_texts(frames, symbol, &named.frame) < 0 || classify(frames, &named) < 0)
		return -ENOMEM;
	frames->frames[frames->nr_frames] = named;
	*ret_number = (uint32_t)frames->nr_frames++;
	return 0;
}

/* What no symbol has is looked up each time: whose it is may depend on who ran. */
static int find_frame(struct kmt_frames *frames, uint64_t address,
		      const struct kmt_account *account, uint32_t *ret_number)
{
	const struct kmt_frames_context *context = &frames->context;
	bool is_kernel = address - context->kernel_from < context->kernel_to - context->kernel_from;
	uint32_t generation = is_kernel ? 0 : account->key.generation;
	struct kmt_symbol symbol;
	bool is_unknown;
	uint64_t code;
	int r;

	if (look_up(&frames->by_address, address, generation, ret_number))
		return 0;
	is_unknown = !kmt_symbols_look_up(context->symbols, address, account->first_pid,
					  account->first_ns, &symbol);
	code = (uint64_t)symbol.instance << 2 | (uint64_t)is_unknown << 1 | !symbol.function;
	if (!look_up(&frames->by_code, address, code, ret_number)) {
		r = add_frame(frames, address, is_unknown, &symbol, ret_number);
		if (r == 0)
			r = note(&frames->by_code, address, code, *ret_number);
		if (r < 0)
			return r;
	}
	return symbol.function ? note(&frames->by_address, address, generation, *ret_number) : 0;
}

static uint32_t *reserve_numbers(struct kmt_frames *frames, size_t nr)
{
	if (!frames->block || BLOCK_NUMBERS - frames->nr_used < nr) {
		struct block *block = malloc(sizeof(*block));

		if (!block)
			return NULL;
		block->next = frames->block;
		frames->block = block;
		frames->nr_used = 0;
	}
	return frames->block->numbers + frames->nr_used;
}

/* Without a call site, the first caller of an allocator is one. */
static void find_site(const struct kmt_frames *frames, bool has_call_site, struct kmt_trace *trace)
{
	if (has_call_site)
		return;
	while (trace->site < trace->nr && kmt_trace_frame(frames, trace, trace->site)->is_allocator)
		trace->site++;
	if (trace->site == trace->nr || kmt_trace_frame(frames, trace, trace->site)->is_entry)
		trace->site = trace->site ? trace->site - 1 : 0;
}

/*
 * Where all are helpers, up to the system call or the interrupt, the outermost of them is what is
 * meant; not an allocator, which is everybody's.
 */
static void find_owner(const struct kmt_frames *frames, struct kmt_trace *trace)
{
	uint32_t last = trace->site;
	bool is_handed_on = false;

	for (uint32_t i = trace->site; i < trace->nr; i++) {
		const struct kmt_named_frame *named = kmt_trace_frame(frames, trace, i);

		if (named->is_entry)
			break;
		if (!named->is_allocator)
			last = i;
		if (!named->frame.is_helper)
			break;
		is_handed_on |= named->is_handed_on;
	}
	trace->owner = last;
	trace->is_handed_on = is_handed_on && last != trace->site;
}

static int add_trace(struct kmt_frames *frames, const struct kmt_account *account,
		     const uint64_t *addresses, size_t nr, uint32_t *ret_number)
{
	uint32_t *numbers = reserve_numbers(frames, nr);
	struct kmt_trace *trace;

	if (!numbers)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		if (find_frame(frames, addresses[i], account, &numbers[i]) < 0)
			return -ENOMEM;
	if (frames->nr_traces == frames->room_traces) {
		size_t room = frames->room_traces ? frames->room_traces * 2 : 256;
		struct kmt_trace **grown = reallocarray(frames->traces, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		frames->traces = grown;
		frames->room_traces = room;
	}
	trace = malloc(sizeof(*trace));
	if (!trace)
		return -ENOMEM;
	*trace = (struct kmt_trace){ .frames = numbers, .nr = (uint32_t)nr };
	frames->nr_used += nr;
	find_site(frames, account->key.call_site != 0, trace);
	find_owner(frames, trace);
	frames->traces[frames->nr_traces] = trace;
	*ret_number = (uint32_t)frames->nr_traces++;
	return 0;
}

int kmt_frames_trace(struct kmt_frames *frames, const struct kmt_account *account,
		     const struct kmt_trace **ret_trace)
{
	uint64_t key = (uint64_t)account->key.stack << 1 | (account->key.call_site != 0);
	const uint64_t *addresses;
	uint32_t number;
	size_t nr;
	int r = 0;

	*ret_trace = NULL;
	addresses = kmt_stacks_frames(frames->context.stacks, account->key.stack, &nr);
	if (!addresses)
		return 0;
	if (!look_up(&frames->by_stack, key, account->key.generation, &number)) {
		r = add_trace(frames, account, addresses, nr, &number);
		if (r == 0)
			r = note(&frames->by_stack, key, account->key.generation, number);
	}
	if (r == 0)
		*ret_trace = frames->traces[number];
	return r;
}

const struct kmt_named_frame *kmt_frames_at(const struct kmt_frames *frames, uint32_t number)
{
	return &frames->frames[number];
}

static int by_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_frames(const struct kmt_named_frame *a, const struct kmt_named_frame *b)
{
	int r;

	(void)((r = by_number(a->frame.address, b->frame.address)) ||
	       (r = by_number(a->instance, b->instance)) || (r = a->is_unknown - b->is_unknown) ||
	       (r = !a->frame.function - !b->frame.function));
	return r;
}

int kmt_trace_compare(const struct kmt_frames *frames, const struct kmt_trace *a,
		      const struct kmt_trace *b)
{
	uint32_t i, k;

	if (a == b || !a || !b)
		return !a - !b;
	for (i = a->site, k = b->site; i < a->nr && k < b->nr; i++, k++)
		if (a->frames[i] != b->frames[k])
			return compare_frames(kmt_trace_frame(frames, a, i),
					      kmt_trace_frame(frames, b, k));
	return (i < a->nr) - (k < b->nr);
}

int kmt_frames_keep(struct kmt_frames *frames, const struct kmt_trace *trace,
		    const struct kmt_frame **ret_frames, size_t *ret_nr)
{
	struct kmt_result *result = frames->context.result;
	size_t nr = trace->nr - trace->site;
	struct kmt_frame *kept = calloc(nr, sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		kept[i] = kmt_trace_frame(frames, trace, trace->site + i)->frame;
	if (kmt_result_keep_frames(result, kept) < 0) {
		free(kept);
		return -ENOMEM;
	}
	*ret_frames = kept;
	*ret_nr = nr;
	return 0;
}
