// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kmemtape/decoder.h"
#include "kmemtape/ring.h"

/* What is below a page is no address: Linux include/linux/rcupdate.h, __is_kvfree_rcu_offset() */
#define RCU_OFFSET_MAX 4095u

/* A call site nearly always names the same cache: most names are found here, without the lock. */
#define CACHED_NAMES_BITS 9

struct cached_name {
	const char *name; /* NULL: free slot */
	size_t bytes;	  /* as the record has it, its zero byte included */
	char text[48];
};

/* common_flags of the trace entry: Linux include/linux/trace_events.h, enum trace_flag_type */
#define FLAG_HARDIRQ 0x08u
#define FLAG_SOFTIRQ 0x10u
#define FLAG_NMI     0x40u

/* An allocation whose stack may be the next record of its context: only deeper ones come between.
 */
#define CONTEXTS 4u
struct waiting {
	bool is_waiting;
	int32_t pid;
	size_t at; /* in the batch */
};

/* So many events of interrupts are waited through for the stack of what they interrupted. */
#define HELD_EVENTS_MAX 4096u

/* What run_plain() needs of a layout, in half a cache line. */
struct brief {
	uint64_t sizes;	    /* all bits, or none if the event has no sizes and no gfp */
	uint16_t min_bytes; /* UINT16_MAX, which no record has: the layout isn't plain */
	uint16_t pid, flags, call_site, ptr, bytes_req, bytes_alloc, gfp; /* offsets */
	bool has_text;
	uint8_t kind;
};

struct kmt_decoder_cache {
	struct cached_name names[1 << CACHED_NAMES_BITS];
};

struct kmt_decoder {
	const struct kmt_formats *formats;
	struct kmt_names *names;
	struct kmt_stacks *stacks;	       /* NULL: there are none, or nobody wants them */
	const struct kmt_layout *stack_layout; /* NULL likewise */
	struct waiting waiting[CONTEXTS];
	struct kmt_event *held; /* of the last run: the first one waits for its stack */
	size_t nr_held, held_room;
	uint16_t cpu;
	size_t min_record_bytes;
	uint64_t last_ns; /* of the last event; the next may not be older */
	bool has_gap;
	bool has_rcu_probe;
	bool is_out_of_memory;
	struct kmt_decoder_stats stats;
	const char *pair_names[KMT_PAIRS_MAX]; /* interned */
	const uint8_t *numbers;		       /* of the layouts, by id */
	struct brief briefs[KMT_LAYOUTS_MAX + 1];
	struct kmt_decoder_cache *cache;     /* its own, or borrowed */
	struct kmt_decoder_cache *own_cache; /* NULL until it needs one */
};

void kmt_batch_deinit(struct kmt_batch *batch)
{
	free(batch->events);
	*batch = (struct kmt_batch){ 0 };
}

static int reserve(struct kmt_batch *batch, size_t more)
{
	struct kmt_event *grown;
	size_t room;

	if (batch->room - batch->nr >= more)
		return 0;
	room = batch->nr + batch->nr / 2 + more;
	grown = reallocarray(batch->events, room, sizeof(*batch->events));
	if (!grown)
		return -ENOMEM;
	batch->events = grown;
	batch->room = room;
	return 0;
}

static struct brief brief_of(const struct kmt_layout *layout)
{
	return (struct brief){
		.sizes = layout->bytes_alloc.bytes ? UINT64_MAX : 0,
		.min_bytes = layout->is_plain ? layout->min_bytes : UINT16_MAX,
		.pid = layout->pid.offset,
		.flags = layout->flags.offset,
		.call_site = layout->call_site.offset,
		.ptr = layout->ptr.offset,
		.bytes_req = layout->bytes_req.offset,
		.bytes_alloc = layout->bytes_alloc.offset,
		.gfp = layout->gfp.offset,
		.has_text = layout->text.bytes,
		.kind = layout->kind,
	};
}

int kmt_decoder_new(const struct kmt_formats *formats, struct kmt_names *names,
		    struct kmt_stacks *stacks, uint16_t cpu, struct kmt_decoder **ret_decoder,
		    struct kmt_err *err)
{
	struct kmt_decoder *decoder = calloc(1, sizeof(*decoder));
	uint16_t id;

	if (!decoder)
		return kmt_fail(err, -ENOMEM, "out of memory");
	decoder->formats = formats;
	decoder->names = names;
	if (stacks && kmt_formats_has_stacks(formats)) {
		decoder->stacks = stacks;
		decoder->stack_layout = kmt_formats_find(formats, "ftrace:kernel_stack", &id);
	}
	decoder->cpu = cpu;
	decoder->numbers = kmt_formats_numbers(formats);
	for (unsigned int i = 0; i <= KMT_LAYOUTS_MAX; i++)
		decoder->briefs[i] = brief_of(kmt_formats_at(formats, i));
	decoder->min_record_bytes = kmt_formats_min_record_bytes(formats);
	decoder->has_rcu_probe = kmt_formats_has_rcu_probe(formats);
	for (uint32_t i = 0; i < KMT_PAIRS_MAX; i++) {
		const char *name = kmt_formats_pair(formats, KMT_SPACE_PAIR + i);

		if (name) /* NULL if out of memory: then it's unknown, as with other names */
			decoder->pair_names[i] = kmt_names_intern(names, name, strlen(name));
	}
	*ret_decoder = decoder;
	return 0;
}

struct kmt_decoder *kmt_decoder_free(struct kmt_decoder *decoder)
{
	if (decoder) {
		free(decoder->held);
		free(decoder->own_cache);
	}
	free(decoder);
	return NULL;
}

int kmt_decoder_cache_new(struct kmt_decoder_cache **ret_cache, struct kmt_err *err)
{
	struct kmt_decoder_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_cache = cache;
	return 0;
}

struct kmt_decoder_cache *kmt_decoder_cache_free(struct kmt_decoder_cache *cache)
{
	free(cache);
	return NULL;
}

void kmt_decoder_set_cache(struct kmt_decoder *decoder, struct kmt_decoder_cache *cache)
{
	decoder->cache = cache;
}

void kmt_decoder_note_gap(struct kmt_decoder *decoder)
{
	decoder->has_gap = true;
}

const struct kmt_decoder_stats *kmt_decoder_stats(const struct kmt_decoder *decoder)
{
	return &decoder->stats;
}

static inline uint64_t word_of(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return word;
}

/* Names are short, and not worth a call. */
static inline bool is_same(const char *a, const char *b, size_t bytes)
{
	uint64_t other = 0;

	if (bytes < 8)
		return memcmp(a, b, bytes) == 0;
	for (size_t at = 0; at + 8 < bytes; at += 8)
		other |= word_of(a + at) ^ word_of(b + at);
	return !(other | (word_of(a + bytes - 8) ^ word_of(b + bytes - 8)));
}

/* NULL if out of memory: then the name is unknown, and all else is right. */
static inline const char *intern(struct kmt_decoder *decoder, uint64_t call_site, const char *text,
				 size_t bytes)
{
	struct cached_name *slot =
		&decoder->cache->names[call_site * 0x9e3779b97f4a7c15 >> (64 - CACHED_NAMES_BITS)];

	if (slot->name && slot->bytes == bytes && is_same(slot->text, text, bytes))
		return slot->name;
	if (bytes > sizeof(slot->text))
		return kmt_names_intern(decoder->names, text, bytes);
	slot->name = kmt_names_intern(decoder->names, text, bytes);
	slot->bytes = bytes;
	memcpy(slot->text, text, bytes);
	return slot->name;
}

/* The text of a field: in place, or where a __data_loc says, if that is within the record. */
static inline const char *get_text(struct kmt_decoder *decoder, const struct kmt_field *field,
				   uint64_t call_site, const uint8_t *record, size_t bytes,
				   bool is_big_endian)
{
	size_t offset = field->offset, length = field->bytes;

	if (length == 0)
		return NULL;
	if (field->is_data_loc) {
		uint32_t location = kmt_ring_get32(record + offset, is_big_endian);

		offset = (location & 0xffff) +
			 (field->is_rel_loc ? (size_t)field->offset + field->bytes : 0);
		length = location >> 16;
	}
	if (offset > bytes || length > bytes - offset)
		return NULL;
	return intern(decoder, call_site, (const char *)record + offset, length);
}

/* Of a record that is long enough. What isn't there is 0, and takes no branch. */
static inline void get_plain(const struct brief *brief, const uint8_t *record, uint64_t time_ns,
			     uint16_t cpu, struct kmt_event *event)
{
	uint64_t sizes = brief->sizes;

	/* One by one: of a whole struct GCC makes a copy first, and waits for it. */
	event->time_ns = time_ns;
	event->call_site = kmt_ring_get64(record + brief->call_site, false);
	event->ptr = kmt_ring_get64(record + brief->ptr, false);
	event->bytes_alloc = kmt_ring_get64(record + brief->bytes_alloc, false) & sizes;
	event->bytes_req = kmt_ring_get64(record + brief->bytes_req, false) & sizes;
	event->text = NULL;
	/* the lower half, if it is long */
	event->gfp = kmt_ring_get32(record + brief->gfp, false) & (uint32_t)sizes;
	event->pid = (int32_t)kmt_ring_get32(record + brief->pid, false);
	event->cpu = cpu;
	event->kind = brief->kind;
	event->context = record[brief->flags];
	event->stack = KMT_STACK_NONE;
	event->space = KMT_SPACE_SLAB;
	event->is_behind = false;
}

static void get_any(const struct kmt_layout *layout, const uint8_t *record, bool is_big_endian,
		    struct kmt_event *event)
{
	event->pid = (int32_t)kmt_ring_field(record, &layout->pid, is_big_endian);
	event->context = (uint8_t)kmt_ring_field(record, &layout->flags, is_big_endian);
	event->call_site = kmt_ring_field(record, &layout->call_site, is_big_endian);
	event->ptr = kmt_ring_field(record, &layout->ptr, is_big_endian);
	event->bytes_req = kmt_ring_field(record, &layout->bytes_req, is_big_endian);
	event->bytes_alloc = kmt_ring_field(record, &layout->bytes_alloc, is_big_endian);
	event->gfp = (uint32_t)kmt_ring_field(record, &layout->gfp, is_big_endian);
}

/* Linux include/linux/err.h, MAX_ERRNO: the last addresses stand for error numbers. */
#define ERRNO_MAX 4095u

/* What is not of the slab: other units, and other ways to say that there was no room. */
static void adapt(const struct kmt_layout *layout, const uint8_t *record, uint32_t long_bytes,
		  bool is_big_endian, struct kmt_event *event)
{
	uint64_t all_bits = long_bytes == 4 ? UINT32_MAX : UINT64_MAX, order;

	event->space = layout->space;
	if (layout->space == KMT_SPACE_VMALLOC &&
	    (kmt_ring_field(record, &layout->failed, is_big_endian) ||
	     (layout->area.bytes && !kmt_ring_field(record, &layout->area, is_big_endian))))
		event->ptr = 0;
	if (layout->space >= KMT_SPACE_PAIR && event->ptr > all_bits - ERRNO_MAX)
		event->ptr = 0;
	if (layout->space != KMT_SPACE_PAGE)
		return;
	event->ptr = event->ptr == all_bits ? 0 : event->ptr + KMT_PFN_BIAS;
	order = kmt_ring_field(record, &layout->order, is_big_endian);
	event->bytes_alloc = UINT64_C(1)
			     << (order < KMT_PAGE_ORDER_MAX ? order : KMT_PAGE_ORDER_MAX);
	event->bytes_req = event->bytes_alloc;
}

static unsigned int context_of(uint8_t flags)
{
	return flags & FLAG_NMI ? 3 : flags & FLAG_HARDIRQ ? 2 : flags & FLAG_SOFTIRQ ? 1 : 0;
}

static void stop_waiting(struct kmt_decoder *decoder, unsigned int from)
{
	for (unsigned int i = from; i < CONTEXTS; i++)
		decoder->waiting[i].is_waiting = false;
}

/* A record of a context: what was on top of it has ended, and what came before it in it is
 * complete. */
static void wait_for_stack(struct kmt_decoder *decoder, const struct kmt_batch *batch)
{
	const struct kmt_event *event = &batch->events[batch->nr - 1];
	unsigned int context = context_of(event->context);

	stop_waiting(decoder, context);
	if (kmt_event_is_alloc(event))
		decoder->waiting[context] = (struct waiting){ true, event->pid, batch->nr - 1 };
}

/* Of a record that is no allocation: a stack behind it is not that of an allocation before it. */
static void pass_record(struct kmt_decoder *decoder, const uint8_t *record, size_t bytes,
			bool is_big_endian)
{
	const struct kmt_field *flags = decoder->stacks ? &decoder->stack_layout->flags : NULL;

	if (flags && (size_t)flags->offset + flags->bytes <= bytes)
		stop_waiting(decoder,
			     context_of((uint8_t)kmt_ring_field(record, flags, is_big_endian)));
}

/*
 * Frames of the tracer itself, and of the allocator within the call that the event names. Until
 * Linux 5.16 a stack at the return of a function ends within the tracer, without the caller: none
 * of its frames means anything.
 */
static size_t inner_frames(const uint64_t *frames, size_t nr, const struct kmt_event *event)
{
	bool is_of_probe = event->space == KMT_SPACE_VMALLOC || event->space >= KMT_SPACE_PAIR;

	for (size_t i = 0; event->call_site && i < nr; i++)
		if (frames[i] == event->call_site)
			return i;
	return event->call_site && is_of_probe ? nr : 0;
}

static void take_stack(struct kmt_decoder *decoder, const struct kmt_layout *layout,
		       const uint8_t *record, size_t bytes, bool is_big_endian,
		       struct kmt_batch *batch)
{
	struct kmt_field field = layout->frames;
	uint8_t flags = (uint8_t)kmt_ring_field(record, &layout->flags, is_big_endian);
	unsigned int context = context_of(flags);
	const struct waiting *waiting = &decoder->waiting[context];
	uint64_t nr = kmt_ring_field(record, &layout->nr, is_big_endian);
	uint64_t frames[KMT_STACK_FRAMES_MAX];
	struct kmt_event *event;
	size_t nr_here = 0, inner;

	if (!waiting->is_waiting ||
	    waiting->pid != (int32_t)kmt_ring_field(record, &layout->pid, is_big_endian)) {
		stop_waiting(decoder, context);
		return;
	}
	event = &batch->events[waiting->at];
	for (; nr_here < nr && nr_here < KMT_STACK_FRAMES_MAX &&
	       (size_t)field.offset + field.bytes <= bytes;
	     field.offset = (uint16_t)(field.offset + field.bytes))
		frames[nr_here++] = kmt_ring_field(record, &field, is_big_endian);
	/* Unused entries of a fixed array, and where a trace ends: all bits on old kernels. */
	while (nr_here && (frames[nr_here - 1] == 0 || frames[nr_here - 1] == UINT64_MAX ||
			   (field.bytes == 4 && frames[nr_here - 1] == UINT32_MAX)))
		nr_here--;
	inner = inner_frames(frames, nr_here, event);
	event->stack =
		kmt_stacks_intern(decoder->stacks, frames + inner, nr_here - inner) & 0xffffff;
	stop_waiting(decoder, context);
}

/* What is at the end of a run, and may still get a stack, waits for the next one. */
static int hold_back(struct kmt_decoder *decoder, struct kmt_batch *batch)
{
	size_t from = batch->nr, nr;

	for (unsigned int i = 0; i < CONTEXTS; i++)
		if (decoder->waiting[i].is_waiting && decoder->waiting[i].at < from)
			from = decoder->waiting[i].at;
	nr = batch->nr - from;
	if (nr == 0 || nr > HELD_EVENTS_MAX) {
		stop_waiting(decoder, 0);
		return 0;
	}
	if (nr > decoder->held_room) {
		struct kmt_event *grown = reallocarray(decoder->held, nr, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		decoder->held = grown;
		decoder->held_room = nr;
	}
	memcpy(decoder->held, batch->events + from, nr * sizeof(*decoder->held));
	decoder->nr_held = nr;
	batch->nr = from;
	for (unsigned int i = 0; i < CONTEXTS; i++)
		decoder->waiting[i].at -= decoder->waiting[i].is_waiting ? from : 0;
	return 0;
}

/* The other way, at the begin of a run. */
static int give_back(struct kmt_decoder *decoder, struct kmt_batch *batch)
{
	if (decoder->nr_held == 0)
		return 0;
	if (reserve(batch, decoder->nr_held) < 0)
		return -ENOMEM;
	memcpy(batch->events + batch->nr, decoder->held, decoder->nr_held * sizeof(*decoder->held));
	for (unsigned int i = 0; i < CONTEXTS; i++)
		decoder->waiting[i].at += decoder->waiting[i].is_waiting ? batch->nr : 0;
	batch->nr += decoder->nr_held;
	decoder->nr_held = 0;
	return 0;
}

int kmt_decoder_finish(struct kmt_decoder *decoder, struct kmt_batch *batch)
{
	int r = give_back(decoder, batch);

	stop_waiting(decoder, 0);
	return r;
}

static uint64_t forward(struct kmt_decoder *decoder, uint64_t time_ns)
{
	if (time_ns < decoder->last_ns) {
		decoder->stats.backward_times++;
		return decoder->last_ns;
	}
	decoder->last_ns = time_ns;
	return time_ns;
}

/* The object that kvfree_call_rcu() was given. */
static uint64_t rcu_object(const struct kmt_layout *layout, const uint8_t *record, uint64_t ptr,
			   bool is_big_endian)
{
	uint64_t head = kmt_ring_field(record, &layout->head, is_big_endian);
	bool is_offset = layout->rcu_meaning == KMT_RCU_OFFSET ||
			 (layout->rcu_meaning == KMT_RCU_EITHER && ptr <= RCU_OFFSET_MAX);

	return head && is_offset ? head - ptr : ptr;
}

/* Room for what a sub-buffer can hold, not counting the objects of kmem_cache_free_bulk(). */
static size_t events_a_subbuf(const struct kmt_decoder *decoder)
{
	/* Two more: a loss before the page, and room for rounding. */
	return kmt_formats_page(decoder->formats)->subbuf_bytes / decoder->min_record_bytes + 2;
}

static void note_unseen(struct kmt_decoder *decoder, const struct kmt_layout *layout,
			const uint8_t *record, uint64_t nr, bool is_big_endian,
			struct kmt_event event, struct kmt_batch *batch)
{
	uint64_t seen = (uint64_t)layout->first + layout->nr_pointers;

	/* kfree_bulk() gives back what kfree_rcu() was given, which was seen. */
	if (!layout->is_last || nr <= seen ||
	    (decoder->has_rcu_probe && layout->cache.bytes &&
	     kmt_ring_field(record, &layout->cache, is_big_endian) == 0))
		return;
	event.kind = KMT_EVENT_UNSEEN;
	event.ptr = 0;
	event.lost = nr - seen;
	batch->events[batch->nr++] = event;
}

/* An event for each object of kmem_cache_free_bulk(). */
static void take_bulk(struct kmt_decoder *decoder, const struct kmt_layout *layout,
		      const uint8_t *record, uint64_t time_ns, bool is_big_endian,
		      struct kmt_batch *batch)
{
	uint64_t nr = kmt_ring_field(record, &layout->nr, is_big_endian);
	size_t nr_here = nr > layout->first ? (size_t)(nr - layout->first) : 0;
	struct kmt_field ptr = layout->ptr;
	struct kmt_event event = { .cpu = decoder->cpu };

	if (nr > layout->first && nr - layout->first > layout->nr_pointers)
		nr_here = layout->nr_pointers;
	if (reserve(batch, nr_here + 1 + events_a_subbuf(decoder)) < 0) {
		decoder->is_out_of_memory = true;
		return;
	}
	get_any(layout, record, is_big_endian, &event);
	event.kind = layout->kind;
	event.time_ns = forward(decoder, time_ns);
	for (size_t i = 0; i < nr_here; i++, ptr.offset = (uint16_t)(ptr.offset + ptr.bytes)) {
		event.ptr = kmt_ring_field(record, &ptr, is_big_endian);
		batch->events[batch->nr++] = event;
	}
	note_unseen(decoder, layout, record, nr, is_big_endian, event, batch);
}

/* Return: false if the record is too short for its event. */
static inline bool take_record(struct kmt_decoder *decoder, const uint8_t *record, size_t bytes,
			       uint64_t time_ns, bool is_big_endian, struct kmt_batch *batch)
{
	const struct kmt_layout *layout;
	struct kmt_event *event;
	unsigned int number;

	if (bytes < 2)
		return false;
	number = decoder->numbers[kmt_ring_get16(record, is_big_endian)];
	layout = kmt_formats_at(decoder->formats, number);
	if (!layout->kind) {
		decoder->stats.other_events++;
		pass_record(decoder, record, bytes, is_big_endian);
		return true;
	}
	if (bytes < layout->min_bytes)
		return false;
	if (layout->kind == KMT_EVENT_STACK) {
		if (decoder->stacks)
			take_stack(decoder, layout, record, bytes, is_big_endian, batch);
		return true;
	}
	if (layout->kind == KMT_EVENT_BULK_FREE) {
		pass_record(decoder, record, bytes, is_big_endian);
		take_bulk(decoder, layout, record, time_ns, is_big_endian, batch);
		return true;
	}
	event = &batch->events[batch->nr++];
	time_ns = forward(decoder, time_ns);
	if (layout->is_plain) {
		get_plain(&decoder->briefs[number], record, time_ns, decoder->cpu, event);
	} else {
		*event = (struct kmt_event){
			.time_ns = time_ns,
			.cpu = decoder->cpu,
			.kind = layout->kind,
		};
		get_any(layout, record, is_big_endian, event);
	}
	if (layout->text.bytes)
		event->text = get_text(decoder, &layout->text, event->call_site, record, bytes,
				       is_big_endian);
	if (layout->kind == KMT_EVENT_RCU_FREE)
		event->ptr = rcu_object(layout, record, event->ptr, is_big_endian);
	if (layout->space != KMT_SPACE_SLAB)
		adapt(layout, record, kmt_formats_page(decoder->formats)->long_bytes, is_big_endian,
		      event);
	if (layout->space >= KMT_SPACE_PAIR)
		event->text = decoder->pair_names[layout->space - KMT_SPACE_PAIR];
	if (decoder->stacks)
		wait_for_stack(decoder, batch);
	if (layout->kind == KMT_EVENT_TASK_NAME)
		event->pid = (int32_t)kmt_ring_field(record, &layout->task_pid, is_big_endian);
	return true;
}

/* Return: NULL, or what is wrong with the record at @cursor. */
static inline const char *step(struct kmt_decoder *decoder, struct kmt_ring_cursor *cursor,
			       bool is_big_endian, struct kmt_batch *batch)
{
	struct kmt_ring_record record;
	const char *wrong = kmt_ring_next(cursor, is_big_endian, &record);

	if (wrong || !record.raw)
		return wrong;
	if (!take_record(decoder, record.raw, record.bytes, cursor->time_ns, is_big_endian,
			 batch)) {
		cursor->at = record.at;
		return "a record shorter than its event";
	}
	return NULL;
}

/*
 * What is nearly all of most tapes, in a loop of its own: events of the slab as little-endian
 * 64-bit kernels have them, whose stacks nobody asks for. Ends before the first record that is
 * anything else, or that is odd.
 */
static __attribute__((noinline)) void run_plain(struct kmt_decoder *decoder,
						struct kmt_ring_cursor *cursor,
						struct kmt_batch *batch)
{
	struct kmt_event *event = batch->events + batch->nr;
	uint64_t time_ns = cursor->time_ns, last_ns = decoder->last_ns;
	size_t at = cursor->at;

	while (cursor->bytes - at > 8) {
		const uint8_t *record = cursor->data + at + 4;
		uint32_t word = kmt_ring_get32(record - 4, false), words = word & 31;
		unsigned int number = decoder->numbers[kmt_ring_get16(record, false)];
		const struct brief *brief = &decoder->briefs[number];

		if (words > KMT_RING_TYPE_WORDS_MAX || words * 4 < brief->min_bytes ||
		    words * 4 > cursor->bytes - at - 4 || time_ns + (word >> 5) < last_ns)
			break;
		last_ns = time_ns += word >> 5;
		get_plain(brief, record, time_ns, decoder->cpu, event);
		if (brief->has_text)
			event->text =
				get_text(decoder, &kmt_formats_at(decoder->formats, number)->text,
					 event->call_site, record, words * 4, false);
		event++;
		at += 4 + words * 4;
	}
	batch->nr = (size_t)(event - batch->events);
	decoder->last_ns = last_ns;
	cursor->time_ns = time_ns;
	cursor->at = at;
}

/* Without byte swapping. Return: as step(). */
static inline const char *run_little(struct kmt_decoder *decoder, struct kmt_ring_cursor *cursor,
				     struct kmt_batch *batch)
{
	const char *wrong = NULL;

	while (!wrong && cursor->at < cursor->bytes) {
		if (!decoder->stacks)
			run_plain(decoder, cursor, batch);
		if (cursor->at < cursor->bytes)
			wrong = step(decoder, cursor, false, batch);
	}
	return wrong;
}

static void note_damage(struct kmt_decoder *decoder, const char *name, uint64_t offset,
			const char *what)
{
	if (decoder->stats.damaged_subbufs++ == 0)
		(void)kmt_fail(&decoder->stats.damage, 0,
			       "%s: raw offset %" PRIu64 ": damaged sub-buffer: %s", name, offset,
			       what);
	decoder->has_gap = true;
}

static void emit_loss(struct kmt_decoder *decoder, uint64_t time_ns, uint64_t lost,
		      struct kmt_batch *batch)
{
	uint64_t since_ns = decoder->last_ns;

	stop_waiting(decoder, 0); /* the stack may be what was lost */

	batch->events[batch->nr++] = (struct kmt_event){
		.time_ns = forward(decoder, time_ns),
		.since_ns = since_ns,
		.lost = lost,
		.cpu = decoder->cpu,
		.kind = KMT_EVENT_LOSS,
	};
	decoder->has_gap = false;
}

static int run_subbuf(struct kmt_decoder *decoder, const uint8_t *subbuf, const char *name,
		      uint64_t offset, struct kmt_batch *batch)
{
	const struct kmt_page_layout *page = kmt_formats_page(decoder->formats);
	bool is_big_endian = page->is_big_endian;
	uint32_t commit = kmt_ring_commit(page, subbuf);
	struct kmt_ring_cursor cursor = {
		.data = subbuf + page->data_offset,
		.bytes = commit & KMT_RING_COMMIT_MASK,
		.time_ns = kmt_ring_get64(subbuf + page->time_offset, is_big_endian),
	};
	const char *wrong = NULL;

	if (reserve(batch, events_a_subbuf(decoder)) < 0)
		return -ENOMEM;
	if (cursor.bytes > page->subbuf_bytes - page->data_offset) {
		note_damage(decoder, name, offset, "longer than a sub-buffer");
		return 0;
	}
	if (commit & KMT_RING_MISSED)
		emit_loss(decoder, cursor.time_ns, kmt_ring_missed(page, subbuf, commit), batch);
	else if (decoder->has_gap && cursor.bytes)
		emit_loss(decoder, cursor.time_ns, 0, batch);

	if (is_big_endian)
		while (!wrong && cursor.at < cursor.bytes)
			wrong = step(decoder, &cursor, true, batch);
	else
		wrong = run_little(decoder, &cursor, batch);
	if (wrong)
		note_damage(decoder, name, offset + page->data_offset + cursor.at, wrong);
	return decoder->is_out_of_memory ? -ENOMEM : 0;
}

static int open_cache(struct kmt_decoder *decoder)
{
	int r = kmt_decoder_cache_new(&decoder->own_cache, NULL);

	decoder->cache = decoder->own_cache;
	return r;
}

int kmt_decoder_run(struct kmt_decoder *decoder, const void *raw, size_t bytes, const char *name,
		    uint64_t offset, struct kmt_batch *batch)
{
	size_t subbuf_bytes = kmt_formats_page(decoder->formats)->subbuf_bytes;
	int r = give_back(decoder, batch);

	if (r == 0 && !decoder->cache)
		r = open_cache(decoder);
	for (size_t at = 0; r == 0 && at + subbuf_bytes <= bytes; at += subbuf_bytes)
		r = run_subbuf(decoder, (const uint8_t *)raw + at, name, offset + at, batch);
	return r < 0 || !decoder->stacks ? r : hold_back(decoder, batch);
}
