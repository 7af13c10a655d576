# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by run.sh
#
# How a replay by many threads scales on as many cores, told without these. What one core does is divided among those
# who decode and the shards that book: a core has its share of all of that, but none is done before the busiest shard
# is, nor before what only one thread does at the beginning and the end. That is the path to the result, whose
# instructions are counted on a shorter and a longer tape: what an event adds, and what each replay takes.

scaling_events=(48000 192000) # of both tapes, of 16 CPUs: each shard merges as many
page_events=(16000 64000)     # of those with pages
TAPE_EVENTS=10000000	      # of a tape as people have them
# How much faster 16 cores are with such a tape, of 16 times. It is what these short tapes tell, on which all rooms still
# grow: longer ones tell more, see --scaling.
EFFICIENCY_MIN=0.60

make_scaling_tapes()
{
	make_tape few-cpus --live 20K --events "${scaling_events[0]}" --cpus 16
	make_tape many-cpus --live 20K --events "${scaling_events[1]}" --cpus 16
	make_page_tape few-pages "${page_events[0]}"
	make_page_tape many-pages "${page_events[1]}"
}

# make_page_tape NAME EVENTS: blocks in 512 ranges, as many as a kernel of some memory uses at a time
make_page_tape()
{
	awk -v events="$2" 'BEGIN {
		srand(1)
		print "kernel 6.18.0\narch x86_64\nformats 6.18 pages\nendian little\nlong 8\nsubbuf 4096\nclock mono"
		print "start 1000\nallocs_on 1000\nclosed yes"
		for (time = 1001; time <= 1000 + events; time++) {
			slot = int(rand() * 4096)
			live[slot] = !live[slot]
			printf "%d %d mm_page_%s pfn=%d order=%d%s pid=42\n", time, time % 16, live[slot] ? "alloc" : "free",
				slot * 1024, slot % 16 == 0, live[slot] ? " gfp=0xcc0" : ""
		}
	}' >"$WORK/script"
	"$WORK/build/tools/script/mktape" "$WORK/script" -o "$WORK/$1" || fail "mktape: exit status $?"
}

# path TAPE THREADS: instructions on the path to the result, in the busiest shard, of what only one thread does
path()
{
	local dir=$WORK/threads-$1-$2 file all within sum=0 shards=0 busiest=0 alone=

	mkdir "$dir"
	count --separate-threads=yes --callgrind-out-file="$dir/of" "$REPLAY" "$WORK/$1" "$2" >/dev/null || exit 1
	for file in "$dir"/of-*; do
		read -r all within < <(awk -v inside='^kmt_shard_(run|finish)$' -f threads.awk "$file")
		sum=$((sum + all))
		[ "$within" = 0 ] || shards=$((shards + 1))
		[ "$within" -le $busiest ] || busiest=$within
		[ -n "$alone" ] || alone=$((all - within)) # the first thread is a shard, too
	done
	[ "$shards" = "$(($2 > 1 ? $2 : 1))" ] || fail "counted-replay, $2 threads: $shards shards"
	awk "BEGIN { share = ($sum - $alone) / ($2 ? $2 : 1); print $alone + (share > $busiest ? share : $busiest), $busiest, $alone }"
}

# scaling WHAT FEW MANY THREADS...: of tapes few-WHAT and many-WHAT, with so many events; a line for each number of threads,
# the last number of which is the efficiency. 0 threads are measured first.
scaling()
{
	local threads few many what=$1 nr_few=$2 nr_many=$3

	shift 3
	printf '%-8s %42s %32s\n' "$what" 'instructions an event' 'start and end, 10^6'
	printf '%-8s %12s %15s %13s %16s %15s %12s\n' threads 'on the path' 'busiest shard' 'one thread' 'on the path' 'one thread' efficiency
	for threads in 0 "$@"; do
		few=$(path "few-$what" "$threads") && many=$(path "many-$what" "$threads") || exit 1
		echo "$threads $few $many"
	done | awk -v few="$nr_few" -v many="$nr_many" -v tape=$TAPE_EVENTS '{
		for (i = 2; i <= 4; i++) {
			event[i] = ($(i + 3) - $i) / (many - few)
			fixed[i] = $i - event[i] * few
		}
		all = fixed[2] + event[2] * tape
		if (!$1) one = all
		printf "%-8d %12.1f %15.1f %13.1f %16.1f %15.1f %12.2f\n", $1, event[2], event[3], event[4], fixed[2] / 1e6, fixed[4] / 1e6,
			one / all / ($1 ? $1 : 1)
	}'
}
