// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdio.h>

#include "kmemtape/judgement.h"
#include "kmemtape/trend.h"

#include "check.h"

/*
 * Histories that are made up, object by object, and what is said of them. Each scenario has its
 * parameters swept at random: KMT_SWEEP seeds of it (30), and KMT_SWEEP_SHOW=1 prints what came
 * out.
 */
#define OBJECTS_MAX 60000u
#define START_NS    UINT64_C(123456789000)
#define NEVER	    1e18

struct object {
	double born, end; /* seconds */
	bool is_reused;	  /* the end is that of its address: nobody saw the free */
};

struct world {
	uint64_t random;
	double length, off; /* seconds: of the tape, and of allocations */
	double grace;
	struct object *objects;
	size_t nr;
	double loss_end; /* 0: none */
	uint64_t lost;
	struct kmt_evidence evidence;
	struct kmt_history history;
	struct kmt_grid grid;
};

static double uniform(struct world *world, double from, double to)
{
	return from +
	       (to - from) * (double)(check_random(&world->random) >> 11) / 9007199254740992.0;
}

/* As many small numbers as large ones */
static double uniform_log(struct world *world, double from, double to)
{
	return from * pow(to / from, uniform(world, 0, 1));
}

static double exponential(struct world *world, double mean)
{
	return -mean * log(1 - uniform(world, 0, 1));
}

static struct object *add(struct world *world, double born, double lifetime)
{
	struct object *object;

	if (world->nr == OBJECTS_MAX || born < 0 || born >= world->off)
		return NULL;
	object = &world->objects[world->nr++];
	*object = (struct object){ born, born + lifetime, false };
	return object;
}

/* A tape of a minute to some hours. */
static void start(struct world *world, uint64_t seed)
{
	struct object *objects = world->objects;

	*world = (struct world){ .random = seed, .objects = objects, .grace = 10 };
	world->length = uniform_log(world, 60, 10000);
	world->off = world->length - 2;
}

static size_t bucket_of(const struct world *world, double time)
{
	size_t i = (size_t)(time * 1e9 / (double)world->grid.width_ns);

	return i < world->grid.nr ? i : world->grid.nr - 1;
}

static void book_end(struct world *world, const struct object *object)
{
	double age = object->end - object->born;
	unsigned int bin = kmt_age_bin((uint64_t)(age * 1e9));

	if (object->is_reused)
		world->evidence.reused++;
	else
		world->evidence.frees++;
	if (bin && object->is_reused)
		world->history.reused_ages[bin]++;
	else if (bin)
		world->history.freed_ages[bin]++;
}

static void book_survivor(struct world *world, const struct object *object)
{
	struct kmt_evidence *evidence = &world->evidence;
	double age = world->length - object->born;
	bool is_mature = age >= world->grace;

	world->history.born[bucket_of(world, object->born)]++;
	world->history.live_ages[kmt_age_bin((uint64_t)(age * 1e9))]++;
	evidence->live_objects++;
	evidence->mature_objects += is_mature;
	evidence->exposed_objects += is_mature && object->born < world->loss_end;
}

/* Objects to evidence. */
static void close_world(struct world *world)
{
	struct kmt_evidence *evidence = &world->evidence;
	double width_s;

	world->grid = (struct kmt_grid){ .start_ns = START_NS, .width_ns = 1 << 20 };
	while ((double)world->grid.width_ns * KMT_HISTORY_POINTS < world->length * 1e9)
		world->grid.width_ns *= 2;
	width_s = (double)world->grid.width_ns / 1e9;
	world->grid.nr = (size_t)ceil(world->length / width_s);
	for (size_t i = 0; i < world->nr; i++) {
		struct object *object = &world->objects[i];

		/* As the live curve: 1 at the end of each bucket in which it is */
		for (size_t k = bucket_of(world, object->born); k < world->grid.nr; k++) {
			double end_s = fmin((double)(k + 1) * width_s, world->length);

			if (object->end <= end_s && object->end <= world->length)
				break;
			world->history.live[k]++;
		}
		if (object->end <= world->length)
			book_end(world, object);
		else
			book_survivor(world, object);
	}
	for (size_t k = 0; k < KMT_HISTORY_POINTS; k++)
		world->history.live_bytes[k] = 192 * world->history.live[k];
	evidence->history = &world->history;
	evidence->grid = &world->grid;
	evidence->end_ns = START_NS + (uint64_t)(world->length * 1e9);
	evidence->allocs_off_ns = START_NS + (uint64_t)(world->off * 1e9);
	evidence->grace_ns = (uint64_t)(world->grace * 1e9);
	evidence->sample = 1;
	evidence->allocs = world->nr;
	evidence->live_bytes = 192 * evidence->live_objects;
	evidence->mature_bytes = 192 * evidence->mature_objects;
	evidence->last_loss_ns =
		world->loss_end > 0 ? START_NS + (uint64_t)(world->loss_end * 1e9) : 0;
	evidence->lost_events = world->lost;
	evidence->cache_frees = evidence->frees + 1000;
	evidence->cache_reused = evidence->reused;
	if (!evidence->cache_allows)
		evidence->cache_allows = KMT_UNKNOWN;
}

/* Parts */

/* Comes and goes, as nearly all does. */
static void add_traffic(struct world *world, size_t nr, double mean_lifetime)
{
	for (size_t i = 0; i < nr; i++)
		add(world, uniform(world, 0, world->off), exponential(world, mean_lifetime));
}

static void add_leak(struct world *world, size_t nr, double from, double to)
{
	for (size_t i = 0; i < nr; i++)
		add(world, uniform(world, from, to), NEVER);
}

/*
 * A pool of addresses, and the frees that nobody sees: an object's end is when its address is
 * handed out again. @order: what is handed out of the free ones: 0 the last freed, 1 the first
 * freed, 2 any.
 */
#define POOL_MAX 4096u

struct pool {
	size_t free[POOL_MAX], nr_free; /* addresses */
	size_t holder[POOL_MAX];	/* object + 1 whose end nobody saw */
	size_t nr;			/* addresses that exist */
};

struct pending {
	double end;
	size_t address, object;
};

/* Sorted by end */
static void insert(struct pending *pending, size_t nr, struct pending item)
{
	for (; nr && pending[nr - 1].end > item.end; nr--)
		pending[nr] = pending[nr - 1];
	pending[nr] = item;
}

static int by_number(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static size_t take_address(struct world *world, struct pool *pool, int order, size_t fresh)
{
	size_t at = pool->nr_free - 1, address;

	/* A slab has room that was never used: until then nothing needs to be handed out again. */
	if ((pool->nr_free == 0 || (order && pool->nr < fresh)) && pool->nr < POOL_MAX)
		return pool->nr++;
	if (order == 1)
		at = 0;
	else if (order == 2)
		at = check_random(&world->random) % pool->nr_free;
	address = pool->free[at];
	memmove(&pool->free[at], &pool->free[at + 1], (pool->nr_free - at - 1) * sizeof(size_t));
	pool->nr_free--;
	return address;
}

static void add_untraced(struct world *world, size_t nr, double lifetime, double share, int order,
			 double (*rate_at)(double t), size_t fresh)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	struct pending *pending = calloc(POOL_MAX, sizeof(*pending));
	double *times = calloc(nr, sizeof(*times));
	size_t nr_pending = 0;

	for (size_t i = 0; i < nr; i++)
		do
			times[i] = uniform(world, 0, 1);
		while (rate_at && uniform(world, 0, 1) > rate_at(times[i]));
	qsort(times, nr, sizeof(*times), by_number);
	for (size_t i = 0; i < nr; i++) {
		double now = times[i] * world->off;
		struct object *object;
		size_t address, done = 0;

		for (; done < nr_pending && pending[done].end <= now; done++) {
			pool->free[pool->nr_free++] = pending[done].address;
			if (uniform(world, 0, 1) < share) /* nobody saw it */
				pool->holder[pending[done].address] = pending[done].object + 1;
			else
				world->objects[pending[done].object].end = pending[done].end;
		}
		memmove(pending, pending + done, (nr_pending - done) * sizeof(*pending));
		nr_pending -= done;
		if (nr_pending == POOL_MAX)
			continue;
		address = take_address(world, pool, order, fresh);
		if (pool->holder[address]) {
			world->objects[pool->holder[address] - 1].end = now;
			world->objects[pool->holder[address] - 1].is_reused = true;
			pool->holder[address] = 0;
		}
		object = add(world, now, NEVER);
		if (!object)
			break;
		insert(pending, nr_pending++,
		       (struct pending){ now + exponential(world, lifetime), address,
					 world->nr - 1 });
	}
	/* What ends after the last allocation, and before the end of the tape */
	for (size_t i = 0; i < nr_pending; i++)
		if (pending[i].end <= world->length && uniform(world, 0, 1) >= share)
			world->objects[pending[i].object].end = pending[i].end;
	free(times);
	free(pending);
	free(pool);
}

/* Frees in from..to are lost; the addresses are handed out again later, or not. */
static void lose(struct world *world, double from, double to, double share)
{
	for (size_t i = 0; i < world->nr; i++) {
		struct object *object = &world->objects[i];

		if (object->end < from || object->end > to || uniform(world, 0, 1) > share)
			continue;
		world->lost++;
		object->is_reused = uniform(world, 0, 1) < 0.7;
		object->end = object->is_reused ? object->end + exponential(world, 1) : NEVER;
	}
	world->loss_end = fmax(world->loss_end, to);
}

/* Scenarios: leaks */

static void constant_leak(struct world *world)
{
	add_traffic(world, (size_t)uniform_log(world, 1, 10000), uniform_log(world, 0.001, 1));
	add_leak(world, (size_t)uniform_log(world, 60, 5000), 0, world->off);
}

static void needle(struct world *world)
{
	add_traffic(world, 40000, uniform_log(world, 0.001, 0.5));
	add_leak(world, (size_t)uniform(world, 50, 90), 0, world->off);
}

static void bursts(struct world *world)
{
	size_t nr = (size_t)uniform(world, 5, 30);
	double period = world->off / (double)nr;
	double first = uniform(world, 0, period);

	if (world->length < 100)
		nr = 0, constant_leak(world);
	for (size_t i = 0; i < nr; i++) {
		double at = first + (double)i * period + uniform(world, -0.2, 0.2) * period;
		size_t objects = (size_t)uniform(world, 15, 100);

		for (size_t k = 0; k < objects; k++)
			add(world, at + uniform(world, 0, 0.3), NEVER);
	}
	add_traffic(world, 5000, 0.1);
}

static void late_leak(struct world *world)
{
	double from = uniform(world, 0.1, 0.5) * world->length;

	if (world->length < 150)
		from = 0;
	add_traffic(world, 5000, 0.1);
	add_leak(world, (size_t)uniform_log(world, 100, 3000), from, world->off);
}

static void leak_after_start_up(struct world *world)
{
	size_t nr = (size_t)uniform_log(world, 100, 5000);

	world->length = fmax(world->length, 120);
	world->off = world->length - 2;
	for (size_t i = 0; i < nr; i++)
		add(world, uniform(world, 0, 2), NEVER);
	add_leak(world, (size_t)uniform_log(world, 120, 3000), 0, world->off);
	add_traffic(world, 5000, 0.1);
}

static void leak_among_untraced(struct world *world)
{
	world->length = fmax(world->length, 120);
	world->off = world->length - 2;
	add_untraced(world, 10000, world->length / 3000, uniform(world, 0.1, 0.9), 0, NULL, 0);
	add_leak(world, (size_t)uniform_log(world, 200, 3000), 0, world->off);
}

static void leak_and_loss(struct world *world)
{
	double at = uniform(world, 0.2, 0.5) * world->length;

	world->length = fmax(world->length, 150);
	world->off = world->length - 2;
	add_traffic(world, 10000, uniform_log(world, 0.01, 1));
	lose(world, at, at + 0.05 * world->length, 0.7);
	add_leak(world, (size_t)uniform_log(world, 150, 3000), 0, world->off);
}

static void sampled_leak(struct world *world)
{
	constant_leak(world);
	for (size_t i = 0; i < world->nr;)
		if (check_random(&world->random) % 4 && world->nr > 60)
			world->objects[i] = world->objects[--world->nr];
		else
			i++;
	add_leak(world, 60, 0, world->off);
}

static void unloaded_module(struct world *world)
{
	double until = uniform(world, 0.3, 0.7) * world->length;
	size_t nr = (size_t)uniform(world, 5, 1000);

	for (size_t i = 0; i < 3000; i++)
		add(world, uniform(world, 0, until - 1), uniform(world, 0, 1));
	add_leak(world, nr, 0, until);
	world->evidence.is_unloaded = true;
	world->evidence.is_module = true;
}

/* Scenarios: health */

static void exponential_fill(struct world *world)
{
	double tau = uniform(world, 0.02, 0.3) * world->length;
	size_t nr = (size_t)uniform_log(world, 100, 5000);

	for (size_t i = 0; i < nr; i++)
		add(world, exponential(world, tau), NEVER);
	add_traffic(world, 5000, 0.1);
}

static void linear_fill(struct world *world)
{
	add_leak(world, (size_t)uniform_log(world, 50, 5000), 0,
		 uniform(world, 0.05, 0.65) * world->length);
	add_traffic(world, 5000, 0.1);
}

static void one_step(struct world *world)
{
	double at = uniform(world, 0.02, 0.9) * world->length;
	double took = uniform_log(world, 0.01, 5);

	for (size_t i = 0; i < 137; i++)
		add(world, at + uniform(world, 0, took), NEVER);
}

static void two_steps(struct world *world)
{
	one_step(world);
	one_step(world);
}

static void sessions(struct world *world)
{
	double mean = uniform(world, 0.3, 1.5) * world->length;
	size_t nr = (size_t)uniform_log(world, 60, 5000);

	for (size_t i = 0; i < nr; i++)
		add(world, uniform(world, 0, world->off), exponential(world, mean));
}

static void fixed_lifetimes(struct world *world)
{
	double lifetime = uniform(world, 0.2, 0.9) * world->length;
	size_t nr = (size_t)uniform_log(world, 100, 5000);

	for (size_t i = 0; i < nr; i++)
		add(world, uniform(world, 0, world->off), lifetime * uniform(world, 0.97, 1));
}

/* A cache of fixed size: when it is full, any one goes (1 in 2: the oldest). */
static void full_cache(struct world *world)
{
	size_t nr = (size_t)uniform_log(world, 300, 10000);
	size_t room = (size_t)((double)nr * uniform(world, 0.1, 0.85));
	bool is_fifo = check_random(&world->random) & 1;
	size_t *held = calloc(room, sizeof(*held));

	for (size_t i = 0; i < nr; i++) {
		double now = world->off * ((double)i + 0.5) / (double)nr;
		size_t slot = i < room	? i
			      : is_fifo ? i % room
					: check_random(&world->random) % room;

		if (i >= room)
			world->objects[held[slot]].end = now;
		add(world, now, NEVER);
		held[slot] = world->nr - 1;
	}
	free(held);
}

static double ramp(double t)
{
	return t;
}

static double wave(double t)
{
	return 0.5 + 0.5 * sin(t * 60);
}

static void ramping_traffic(struct world *world)
{
	double lifetime = uniform_log(world, 0.1, 20);

	for (size_t i = 0; i < 20000; i++)
		add(world, sqrt(uniform(world, 0, 1)) * world->off, exponential(world, lifetime));
}

static void reclaimed_and_refilled(struct world *world)
{
	double period = uniform(world, 0.1, 0.6) * world->length;
	size_t nr = (size_t)uniform_log(world, 300, 10000);

	for (size_t i = 0; i < nr; i++) {
		double born = uniform(world, 0, world->off);
		double reclaim = period * ceil(born / period);

		add(world, born, (uniform(world, 0, 1) < 0.95 ? reclaim : reclaim + period) - born);
	}
}

/* What came after is older than anything before: the fall alone tells that it can be given back. */
static void reclaimed_once(struct world *world)
{
	double at = uniform(world, 0.28, 0.4) * world->length;
	size_t nr = (size_t)uniform_log(world, 300, 10000);

	for (size_t i = 0; i < nr; i++) {
		double born = uniform(world, 0, world->off);

		add(world, born, born < at ? at - born : NEVER);
	}
}

static void untraced_last_freed_first(struct world *world)
{
	static const double shares[] = { 0.1, 0.9, 1 };

	add_untraced(world, 20000, world->length / uniform_log(world, 100, 20000),
		     shares[check_random(&world->random) % 3], 0,
		     check_random(&world->random) & 1 ? wave : NULL, 0);
}

static void untraced_any_free(struct world *world)
{
	static const double shares[] = { 0.1, 0.9, 1 };

	add_untraced(world, 20000, world->length / uniform_log(world, 100, 20000),
		     shares[check_random(&world->random) % 3], 2, NULL,
		     (size_t)uniform_log(world, 30, 3000));
}

static void untraced_first_freed_first(struct world *world)
{
	static const double shares[] = { 0.1, 0.9, 1 };

	add_untraced(world, 20000, world->length / uniform_log(world, 100, 20000),
		     shares[check_random(&world->random) % 3], 1,
		     check_random(&world->random) & 1 ? ramp : NULL,
		     (size_t)uniform_log(world, 30, 3000));
}

static void loss_in_the_middle(struct world *world)
{
	double at = uniform(world, 0.2, 0.7) * world->length;

	add_traffic(world, 20000, uniform_log(world, 0.01, 2));
	lose(world, at, at + uniform_log(world, 0.01, 0.1) * world->length, 0.8);
	if (check_random(&world->random) & 1)
		world->lost = KMT_UNKNOWN;
}

static void loss_all_the_time(struct world *world)
{
	add_traffic(world, 20000, uniform_log(world, 0.01, 2));
	lose(world, 0, world->length, uniform(world, 0.01, 0.5));
	if (check_random(&world->random) & 1)
		world->lost = KMT_UNKNOWN;
}

static void short_tape(struct world *world)
{
	world->length = uniform(world, 1, 30);
	world->off = world->length;
	add_leak(world, (size_t)uniform_log(world, 10, 5000), 0, world->off);
}

static void in_flight(struct world *world)
{
	add_traffic(world, 20000, uniform_log(world, 1, 30));
}

/* Each starts with some dozens of objects and takes them along when it exits; some stay for long.
 */
static void processes(struct world *world)
{
	double now = 0, gap = uniform_log(world, 0.5, world->length / 6);
	double median = uniform_log(world, 0.5, 8), spread = uniform(world, 1, 2.5);

	for (size_t i = 0; now < world->off && i < 1000; i++) {
		double normal = sqrt(-2 * log(1 - uniform(world, 0, 1))) *
				cos(2 * M_PI * uniform(world, 0, 1));
		double lifetime = median * exp(spread * normal);
		size_t objects = (size_t)uniform(world, 20, 60);

		now += exponential(world, gap);
		for (size_t k = 0; k < objects; k++)
			add(world, now + 0.001 * (double)k, lifetime);
	}
}

static void contradicted(struct world *world)
{
	constant_leak(world);
	world->evidence.cache_allows = 10;
}

static void reclaimable(struct world *world)
{
	constant_leak(world);
	world->evidence.is_reclaimable = true;
}

#define BIT(class) (1u << KMT_CLASS_##class)
#define ANY_BUT_LEAK \
	(BIT(NONE) | BIT(TRANSIENT) | BIT(CACHE) | BIT(UNTRACED) | BIT(UNCERTAIN) | BIT(GROWTH))

static const struct scenario {
	const char *name;
	void (*make)(struct world *world);
	unsigned int classes; /* allowed */
	double suspicion; /* no more than that as growth or uncertain: else the first line names it
			   */
} scenarios[] = {
	{ "constant leak", constant_leak, BIT(LEAK), 1 },
	{ "needle", needle, BIT(LEAK), 1 },
	{ "bursts", bursts, BIT(LEAK), 1 },
	{ "late leak", late_leak, BIT(LEAK), 1 },
	{ "leak after start-up", leak_after_start_up, BIT(LEAK), 1 },
	{ "leak among untraced", leak_among_untraced, BIT(LEAK), 1 },
	{ "leak and loss", leak_and_loss, BIT(LEAK), 1 },
	{ "sampled leak", sampled_leak, BIT(LEAK), 1 },
	{ "unloaded module", unloaded_module, BIT(LEAK), 1 },
	{ "exponential fill", exponential_fill, BIT(CACHE) | BIT(GROWTH), 0.45 },
	{ "linear fill", linear_fill, BIT(CACHE) | BIT(GROWTH), 0.45 },
	{ "one step", one_step, BIT(CACHE) | BIT(NONE) | BIT(TRANSIENT), 1 },
	{ "two steps", two_steps, BIT(GROWTH) | BIT(CACHE) | BIT(NONE) | BIT(TRANSIENT), 0.45 },
	{ "sessions", sessions, ANY_BUT_LEAK, 0.49 },
	{ "fixed lifetimes", fixed_lifetimes, ANY_BUT_LEAK, 0.49 },
	{ "full cache", full_cache, ANY_BUT_LEAK, 0.49 },
	{ "ramping traffic", ramping_traffic, ANY_BUT_LEAK, 0.49 },
	{ "reclaimed", reclaimed_and_refilled, ANY_BUT_LEAK, 0.49 },
	{ "reclaimed once", reclaimed_once, ANY_BUT_LEAK, 0.49 },
	{ "untraced, last first", untraced_last_freed_first,
	  BIT(UNTRACED) | BIT(NONE) | BIT(TRANSIENT), 1 },
	{ "untraced, any", untraced_any_free, BIT(UNTRACED) | BIT(NONE) | BIT(TRANSIENT), 1 },
	{ "untraced, first first", untraced_first_freed_first,
	  BIT(UNTRACED) | BIT(NONE) | BIT(TRANSIENT), 1 },
	{ "loss in the middle", loss_in_the_middle, BIT(UNCERTAIN) | BIT(TRANSIENT) | BIT(NONE),
	  0.49 },
	{ "loss all the time", loss_all_the_time, BIT(UNCERTAIN) | BIT(TRANSIENT) | BIT(NONE),
	  0.49 },
	{ "short tape", short_tape, ANY_BUT_LEAK, 0.69 },
	{ "in flight", in_flight, BIT(TRANSIENT) | BIT(CACHE) | BIT(NONE) | BIT(GROWTH), 0.45 },
	{ "processes", processes, ANY_BUT_LEAK, 0.55 },
	{ "contradicted", contradicted, BIT(UNTRACED) | BIT(UNCERTAIN), 1 },
	{ "reclaimable", reclaimable, BIT(CACHE), 1 },
};

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static bool is_as_expected(const struct scenario *scenario, const struct kmt_judgement *judgement)
{
	if (!(scenario->classes >> judgement->class & 1))
		return false;
	return (judgement->class != KMT_CLASS_GROWTH && judgement->class != KMT_CLASS_UNCERTAIN) ||
	       judgement->confidence <= scenario->suspicion;
}

static void show(const struct scenario *scenario, uint64_t seed,
		 const struct kmt_judgement *judgement)
{
	fprintf(stderr, "%s, seed %llu: %s %.2f %s\n", scenario->name, (unsigned long long)seed,
		kmt_class_name(judgement->class), judgement->confidence,
		kmt_shape_name(judgement->trend.shape));
	for (size_t i = 0; i < judgement->nr_reasons; i++)
		fprintf(stderr, "\t%c %s\n", judgement->reasons[i].is_for ? '+' : '-',
			judgement->reasons[i].text);
}

static size_t sweep(const struct scenario *scenario, struct world *world)
{
	uint64_t seeds = setting("KMT_SWEEP", 30), from = setting("KMT_SWEEP_FROM", 0);
	size_t by_class[KMT_CLASS_LEAK + 1] = { 0 }, wrong = 0;
	double confidence = 0, least = 1;

	for (uint64_t seed = from; seed < from + seeds; seed++) {
		struct kmt_judgement judgement;

		start(world, seed * 1000003 + 17);
		scenario->make(world);
		close_world(world);
		CHECK_EQ(kmt_judge(&world->evidence, &judgement), 0);
		by_class[judgement.class]++;
		confidence += judgement.confidence;
		least = fmin(least, judgement.confidence);
		if (!is_as_expected(scenario, &judgement) && wrong++ < 3)
			show(scenario, seed, &judgement);
		free(judgement.reasons);
	}
	if (getenv("KMT_SWEEP_SHOW")) {
		fprintf(stderr, "%-22s", scenario->name);
		for (int class = 0; class <= KMT_CLASS_LEAK; class ++)
			fprintf(stderr, " %s %-5zu", kmt_class_name(class), by_class[class]);
		fprintf(stderr, " mean %.2f least %.2f wrong %zu\n", confidence / (double)seeds,
			least, wrong);
	}
	return wrong;
}

TEST(leaks_are_found_and_nothing_else_is)
{
	struct world *world = calloc(1, sizeof(*world));
	const char *only = getenv("KMT_SWEEP_ONLY");
	size_t wrong = 0;

	world->objects = calloc(OBJECTS_MAX, sizeof(*world->objects));
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (!only || strstr(scenarios[i].name, only))
			wrong += sweep(&scenarios[i], world);
	free(world->objects);
	free(world);
	CHECK_EQ(wrong, 0);
}

/* One history of ten minutes, and what is said of it */

struct made {
	struct world world;
	struct kmt_judgement judgement;
};

static struct made *begin(void)
{
	struct made *made = calloc(1, sizeof(*made));

	made->world.objects = calloc(OBJECTS_MAX, sizeof(*made->world.objects));
	start(&made->world, 1);
	made->world.length = 600;
	made->world.off = 598;
	return made;
}

static const struct kmt_judgement *judge(struct made *made)
{
	free(made->judgement.reasons);
	CHECK_EQ(kmt_judge(&made->world.evidence, &made->judgement), 0);
	return &made->judgement;
}

static struct made *end(struct made *made)
{
	free(made->judgement.reasons);
	free(made->world.objects);
	free(made);
	return NULL;
}

static bool says(const struct kmt_judgement *judgement, bool is_for, const char *part)
{
	for (size_t i = 0; i < judgement->nr_reasons; i++)
		if (judgement->reasons[i].is_for == is_for &&
		    strstr(judgement->reasons[i].text, part))
			return true;
	return false;
}

TEST(the_slope_and_its_begin_are_those_of_the_leak)
{
	struct made *made = begin();
	const struct kmt_judgement *judgement;

	add_traffic(&made->world, 20000, 0.5);
	add_leak(&made->world, 4000, 200, 598);
	close_world(&made->world);
	judgement = judge(made);
	CHECK_EQ(judgement->class, KMT_CLASS_LEAK);
	CHECK_EQ(judgement->trend.shape, KMT_SHAPE_LINEAR);
	CHECK(judgement->trend.low <= 4000 * 192 / 398.0 &&
	      judgement->trend.high >= 4000 * 192 / 398.0);
	CHECK(fabs(judgement->trend.bytes_per_s / (4000 * 192 / 398.0) - 1) < 0.05);
	CHECK(fabs((double)(judgement->trend.since_ns - START_NS) / 1e9 - 200) < 20); /* a bucket */
	CHECK_EQ(judgement->trend.until_ns, START_NS + UINT64_C(598000000000));
	CHECK_EQ(judgement->live_estimate, made->world.evidence.mature_objects);
	CHECK_EQ(judgement->certain_objects, made->world.evidence.mature_objects);
	CHECK(says(judgement, true, "nothing of it was ever freed"));
	made = end(made);
}

TEST(bursts_are_steps)
{
	struct made *made = begin();

	for (unsigned int i = 0; i < 5; i++)
		for (unsigned int k = 0; k < 50; k++)
			add(&made->world, 50 + 120 * i + 0.01 * k, NEVER);
	close_world(&made->world);
	CHECK_EQ(judge(made)->class, KMT_CLASS_LEAK);
	CHECK_EQ(judge(made)->trend.shape, KMT_SHAPE_STEPS);
	made = end(made);
}

TEST(what_does_not_grow_was_looked_at_all_the_same)
{
	struct made *made = begin();

	for (unsigned int k = 0; k < 50; k++)
		add(&made->world, 1 + 0.01 * k, NEVER);
	close_world(&made->world);
	CHECK(judge(made)->trend.shape != KMT_SHAPE_LINEAR &&
	      judge(made)->trend.shape != KMT_SHAPE_STEPS);
	CHECK_EQ(judge(made)->trend.since_ns, 0);
	CHECK_EQ(judge(made)->trend.until_ns, START_NS + UINT64_C(598000000000));
	made = end(made);
}

TEST(counters_and_probes_make_it_surer)
{
	struct made *made = begin();
	double alone, probed, confirmed;

	add_leak(&made->world, 2000, 0, 598);
	close_world(&made->world);
	made->world.evidence.cache_frees = made->world.evidence.cache_reused = 0;
	alone = judge(made)->confidence;
	CHECK_EQ(judge(made)->class, KMT_CLASS_LEAK);
	CHECK(alone <= 0.6); /* for all that is known its frees may not be traced */
	CHECK(says(judge(made), false, "no free of this site was ever seen"));
	made->world.evidence.has_free_probes = true;
	probed = judge(made)->confidence;
	made->world.evidence.has_free_probes = false;
	made->world.evidence.is_cache_confirmed = true;
	confirmed = judge(made)->confidence;
	CHECK(probed > 0.8 && confirmed > probed);
	made = end(made);
}

TEST(nothing_is_live_that_the_counters_do_not_allow)
{
	struct made *made = begin();

	add_leak(&made->world, 2000, 0, 598);
	close_world(&made->world);
	made->world.evidence.cache_allows = 100;
	CHECK_EQ(judge(made)->class, KMT_CLASS_UNTRACED);
	CHECK_EQ(judge(made)->live_estimate, 100);
	made->world.evidence.has_free_probes = true;
	CHECK_EQ(judge(made)->class, KMT_CLASS_UNCERTAIN);
	CHECK(judge(made)->confidence < 0.5);
	made->world.evidence.cache_allows = 1900;
	CHECK_EQ(judge(made)->class, KMT_CLASS_LEAK);
	CHECK_EQ(judge(made)->live_estimate, 1900);
	made = end(made);
}

TEST(lost_events_can_each_hide_one_free)
{
	struct made *made = begin();
	struct kmt_evidence *evidence = &made->world.evidence;

	made->world.loss_end = 590; /* late: all of them are exposed */
	made->world.lost = 100;
	add_leak(&made->world, 4000, 0, 598);
	add_traffic(&made->world, 4000, 0.1);
	close_world(&made->world);
	CHECK_EQ(judge(made)->class, KMT_CLASS_LEAK);
	CHECK_EQ(judge(made)->certain_objects, evidence->mature_objects - 100);
	evidence->lost_events = KMT_UNKNOWN;
	CHECK_EQ(judge(made)->class, KMT_CLASS_UNCERTAIN);
	CHECK_EQ(judge(made)->certain_objects,
		 evidence->mature_objects - evidence->exposed_objects);
	CHECK(judge(made)->confidence < 0.5);
	/* Nearly all of the site is live: such a loss would have been noticed elsewhere */
	evidence->frees = 100;
	CHECK_EQ(judge(made)->class, KMT_CLASS_UNCERTAIN);
	CHECK(judge(made)->confidence >= 0.5);
	made = end(made);
}

TEST(where_the_load_ends_the_judged_time_ends)
{
	struct made *made = begin();

	add_leak(&made->world, 1000, 0, 300);
	close_world(&made->world);
	CHECK_EQ(judge(made)->class, KMT_CLASS_CACHE); /* it may as well have filled */
	made->world.evidence.busy_until_ns = START_NS + 300 * UINT64_C(1000000000);
	CHECK_EQ(judge(made)->class, KMT_CLASS_LEAK);
	CHECK(judge(made)->confidence < 0.7); /* a cache does the same */
	CHECK(says(judge(made), false, "the load ended"));
	made = end(made);
}

TEST(what_belongs_to_another_object_is_no_leak)
{
	struct made *made = begin();

	add_leak(&made->world, 4000, 0, 598);
	close_world(&made->world);
	CHECK_EQ(judge(made)->class, KMT_CLASS_LEAK);
	made->world.evidence.owner = "an inode";
	CHECK_EQ(judge(made)->class, KMT_CLASS_CACHE);
	CHECK(says(judge(made), true, "each belongs to an inode"));
	made = end(made);
}

/* Deaths below 2^30 ns are not counted: that is no reason to trust no age at all. */
TEST(a_short_grace_period_is_no_obstacle)
{
	struct made *made = begin();

	made->world.grace = 0.5;
	add_leak(&made->world, 200, 0, 598);
	add_traffic(&made->world, 4000, 0.1);
	close_world(&made->world);
	CHECK_EQ(judge(made)->class, KMT_CLASS_LEAK);
	CHECK(says(judge(made), true, "older than 1.07 s, at which nothing"));
	made = end(made);
}

/* Hundreds are certain by the number of lost events, but nearly all are older than the last loss.
 */
TEST(what_a_late_loss_leaves_is_growth)
{
	struct made *made = begin();
	struct kmt_evidence *evidence = &made->world.evidence;

	made->world.loss_end = 585;
	made->world.lost = 300;
	add_leak(&made->world, 1000, 0, 598);
	close_world(&made->world);
	evidence->frees = 100;
	CHECK_EQ(judge(made)->class, KMT_CLASS_GROWTH);
	CHECK(judge(made)->confidence >= 0.5 && judge(made)->confidence < 0.7);
	CHECK(says(judge(made), true, "are live, however many of the lost events were frees"));
	evidence->lost_events = 700;
	CHECK_EQ(judge(made)->class, KMT_CLASS_UNCERTAIN);
	made = end(made);
}

TEST(what_an_unloaded_module_left_is_a_leak)
{
	struct made *made = begin();
	struct kmt_evidence *evidence = &made->world.evidence;

	for (unsigned int i = 0; i < 20; i++) /* all at once: no pace is needed */
		add(&made->world, 100, NEVER);
	close_world(&made->world);
	CHECK_EQ(judge(made)->class, KMT_CLASS_CACHE);
	evidence->is_unloaded = true;
	CHECK_EQ(judge(made)->class, KMT_CLASS_LEAK);
	evidence->frees = 500;
	CHECK(judge(made)->confidence > 0.9);
	/* kfree_rcu() at exit, and nobody saw it: addresses come back */
	evidence->frees = 0;
	evidence->reused = 60;
	CHECK_EQ(judge(made)->class, KMT_CLASS_UNTRACED);
	/* Freed in a loss, maybe */
	evidence->frees = 500;
	evidence->reused = 0;
	evidence->last_loss_ns = evidence->end_ns;
	evidence->exposed_objects = evidence->mature_objects;
	evidence->lost_events = 1000;
	CHECK_EQ(judge(made)->class, KMT_CLASS_UNCERTAIN);
	made = end(made);
}

TEST(few_ends_by_reuse_make_a_plateau_doubtful)
{
	struct made *made = begin();

	add_leak(&made->world, 1000, 0, 200);
	close_world(&made->world);
	made->world.evidence.frees = 3000;
	CHECK_EQ(judge(made)->class, KMT_CLASS_CACHE);
	made->world.evidence.reused = 100; /* 3 % of the ends */
	CHECK_EQ(judge(made)->class, KMT_CLASS_UNTRACED);
	made = end(made);
}

/* The bin of the youngest ages has no deaths: there is nothing to learn from it. */
TEST(a_grace_period_within_the_first_bin_is_no_obstacle)
{
	struct made *made = begin();

	made->world.length = 6;
	made->world.off = 5;
	made->world.grace = 0.5;
	add_traffic(&made->world, 1000, 0.001);
	add_leak(&made->world, 100, 0, 5);
	close_world(&made->world);
	CHECK_EQ(judge(made)->class, KMT_CLASS_LEAK);
	made = end(made);
}

TEST(a_handful_is_not_judged)
{
	struct made *made = begin();

	add_leak(&made->world, 3, 0, 500);
	close_world(&made->world);
	CHECK_EQ(judge(made)->class, KMT_CLASS_NONE);
	CHECK(judge(made)->nr_reasons > 0);
	made = end(made);
}

/* Whatever is on a tape: no number may break the judgement (UBSan watches). */
TEST(any_evidence_has_a_judgement)
{
	static const uint64_t odd[] = {
		0, 1, 2, 63, 64, UINT64_C(1) << 30, INT64_MAX, UINT64_MAX - 1, UINT64_MAX
	};
	uint64_t random = 42;

	for (unsigned int k = 0; k < 20000; k++) {
		struct kmt_history history = { 0 };
		struct kmt_evidence evidence = { 0 };
		struct kmt_judgement judgement;
		struct kmt_grid grid = { 0 };
		uint64_t *words = (uint64_t *)&history;

		for (size_t i = 0; i < sizeof(history) / sizeof(*words); i++)
			if (check_random(&random) % 3 == 0)
				words[i] = check_random(&random) >> check_random(&random) % 64;
		words = (uint64_t *)&evidence;
		for (size_t i = 0;
		     i < offsetof(struct kmt_evidence, is_cache_confirmed) / sizeof(*words); i++)
			words[i] = check_random(&random) & 1
					   ? odd[check_random(&random) % 9]
					   : check_random(&random) >> check_random(&random) % 64;
		evidence.is_unloaded = check_random(&random) % 8 == 0;
		evidence.is_reclaimable = check_random(&random) % 8 == 0;
		grid.start_ns = odd[check_random(&random) % 9];
		grid.width_ns = odd[check_random(&random) % 9];
		grid.nr = (size_t)odd[check_random(&random) % 9];
		evidence.history = &history;
		evidence.grid = &grid;
		CHECK_EQ(kmt_judge(&evidence, &judgement), 0);
		CHECK(judgement.class <= KMT_CLASS_LEAK);
		CHECK(judgement.confidence >= 0 && judgement.confidence <= 1);
		CHECK(judgement.live_estimate <= evidence.mature_objects);
		CHECK(judgement.nr_reasons <= KMT_REASONS_MAX);
		free(judgement.reasons);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(leaks_are_found_and_nothing_else_is),
		ROW(the_slope_and_its_begin_are_those_of_the_leak),
		ROW(bursts_are_steps),
		ROW(what_does_not_grow_was_looked_at_all_the_same),
		ROW(counters_and_probes_make_it_surer),
		ROW(nothing_is_live_that_the_counters_do_not_allow),
		ROW(lost_events_can_each_hide_one_free),
		ROW(where_the_load_ends_the_judged_time_ends),
		ROW(what_belongs_to_another_object_is_no_leak),
		ROW(a_short_grace_period_is_no_obstacle),
		ROW(what_a_late_loss_leaves_is_growth),
		ROW(what_an_unloaded_module_left_is_a_leak),
		ROW(few_ends_by_reuse_make_a_plateau_doubtful),
		ROW(a_grace_period_within_the_first_bin_is_no_obstacle),
		ROW(a_handful_is_not_judged),
		ROW(any_evidence_has_a_judgement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
