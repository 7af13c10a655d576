# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of --tui: the real program in a real terminal, which is tmux' here.
set -u
command -v tmux >/dev/null || {
	echo "needs tmux"
	exit 77
}
WORK=$(mktemp -d)
SOCKET=kmemtape-tui-$$-0
export LC_ALL=C.UTF-8 TMUX_TMPDIR=$WORK
unset TMUX NO_COLOR
trap 'tmux -L "$SOCKET" kill-server 2>/dev/null; rm -rf "$WORK"' EXIT
cd "$WORK" || exit 1
failed=0

fail() {
	echo "FAIL: $*"
	failed=1
}

tmux_() {
	tmux -L "$SOCKET" "$@"
}

# Usage: give_up WHY: nothing that follows would make sense.
give_up() {
	echo "FAIL: $*"
	echo "--- the screen:"
	screen
	exit 1
}

# What is on the screen.
screen() {
	tmux_ capture-pane -p
}

# Usage: start COLUMNS ROWS [TERM]: a shell in a terminal. MODES is what the terminal is set to.
start() {
	tmux_ kill-server 2>/dev/null
	SOCKET=kmemtape-tui-$$-$((${SOCKET##*-} + 1)) # the old one may still be about to go
	tmux_ -f /dev/null new-session -d -x "$1" -y "$2" "env TERM=${3-screen} PS1='shell> ' bash --norc --noprofile" ||
		give_up "tmux has no terminal for us"
	expect '^shell>'
	run 'clear; stty -a | cksum; echo start'
	expect '^start'
	MODES=$(screen | grep -E '^[0-9]+ [0-9]+$')
}

# Usage: press KEY...: as tmux calls them; type TEXT: as it is
press() {
	tmux_ send-keys "$@"
}
type_() {
	tmux_ send-keys -l -- "$1"
}

# Usage: run COMMAND: typed into the shell
run() {
	type_ "$1"
	press Enter
}

# Usage: expect PATTERN...: each (grep -E) comes on the screen at last; gone PATTERN: it goes
expect() {
	local i pattern
	for pattern in "$@"; do
		for ((i = 0; i < 600; i++)); do
			screen | grep -qE -- "$pattern" && continue 2
			sleep 0.05
		done
		give_up "'$pattern' doesn't come"
	done
}
gone() {
	local i
	for ((i = 0; i < 600; i++)); do
		screen | grep -qE -- "$1" || return 0
		sleep 0.05
	done
	give_up "'$1' doesn't go"
}

# Usage: look [ARG...]: opens the screen of $WORK/tape, or of what ARG says; its last row is drawn last
look() {
	run "clear; $KMEMTAPE replay --tui ${*-tape}"
	expect 'CALL SITE' '^ 1/[0-9]+ '
}

# Usage: resize COLUMNS ROWS: the terminal itself, and not only what tmux wants of it
resize() {
	local tty
	tty=$(tmux_ display -p '#{pane_tty}')
	tmux_ resize-window -x "$1" -y "$2"
	for ((i = 0; i < 600; i++)); do
		[ "$(stty size <"$tty")" != "$2 $1" ] || return 0
		sleep 0.05
	done
	give_up "the terminal doesn't become $1 columns and $2 rows"
}

# Usage: left: the shell is back, and the terminal as it was before
left() {
	run 'clear; stty -a | cksum; echo left'
	expect '^left'
	[ "$(tmux_ display -p '#{alternate_on}')" = 0 ] || fail "$1: the alternate screen is still on"
	[ "$(tmux_ display -p '#{cursor_flag}')" = 1 ] || fail "$1: the cursor is hidden"
	screen | grep -qxF "$MODES" || fail "$1: the modes of the terminal are others: $(screen)"
}

# Usage: make_script MORE: what leaks in foo, since 20 s after the start, a cache that is filled, what comes and goes,
# for 100 s. MORE is put behind each name.
make_script() {
	local i t more=$1
	cat <<END
kernel 6.18.0$more
arch x86_64
formats 6.18 stacks
endian little
long 8
subbuf 4096
clock mono
start 1000
allocs_on 1000
allocs_off 100000000000
end 100000000000
sets slab
stacks slab
closed yes
module load 0 foo$more 16384 0xffffffffc0000000 OE 1111
symbol ffffffff81000000 T _stext
symbol ffffffff81010000 T kept$more
symbol ffffffff81020000 T passing$more
symbol ffffffff81030000 T release$more
symbol ffffffff81040000 T do_syscall_64
symbol ffffffff81050000 T entry_SYSCALL_64
symbol ffffffff81f00000 T _etext
module_symbol 1 ffffffffc0001000 t leaky$more
module_symbol 1 ffffffffc0002000 t open_one$more
module_symbol 1 ffffffffc0002400 t open_two$more
module_symbol 1 ffffffffc0003000 t close_one$more
comm 42 eater$more
comm 43 other$more
snapshot 1000 start
| ==> /proc/meminfo <==
| MemTotal:        4096000 kB
| Slab:              80000 kB
| SReclaimable:      40000 kB
| SUnreclaim:        40000 kB
| ==> /proc/slabinfo <==
| slabinfo - version: 2.1
| foo_cache$more           64     64    1024   32    8 : tunables    0    0    0 : slabdata      2      2      0
snapshot 100000000000 end
| ==> /proc/meminfo <==
| MemTotal:        4096000 kB
| Slab:              80460 kB
| SReclaimable:      40000 kB
| SUnreclaim:        40460 kB
| ==> /proc/slabinfo <==
| slabinfo - version: 2.1
| foo_cache$more           464     464    1024   32    8 : tunables    0    0    0 : slabdata      15      15      0
END
	for ((i = 100; i < 500; i++)); do
		t=$((i / 5))$((i % 5 * 2))00000
		printf '%s000 0 kmem_cache_alloc call_site=0xffffffffc0001020 ptr=0xffff888100%03d000 name=foo_cache%s bytes_req=1000 bytes_alloc=1024 gfp=0xcc0 pid=42\n' $t $i "$more"
		printf '%s010 0 kernel_stack caller=0xffffffffc0001020,0xffffffffc000%s,0xffffffff81040040,0xffffffff81050040 pid=42\n' $t $((i % 2 ? 2030 : 2430))
		[ $i -lt 110 ] &&
			printf '%s020 0 kmalloc call_site=0xffffffff81010040 ptr=0xffff888200%03d000 bytes_req=4000 bytes_alloc=4096 gfp=0xcc0 pid=43\n' $t $i
		printf '%s030 0 kmalloc call_site=0xffffffff81020040 ptr=0xffff888300001000 bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=43\n' $t
		printf '%s900 0 kfree call_site=0xffffffff81030040 ptr=0xffff888300001000 pid=43\n' $t
		[ $((i % 40)) = 0 ] &&
			printf '%s950 0 kmem_cache_free call_site=0xffffffffc0003020 ptr=0xffff888100%03d000 name=foo_cache%s pid=43\n' $t $i "$more"
	done
}
