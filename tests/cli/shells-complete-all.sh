#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# bash, zsh and fish offer each command, each option of --help, the words that an option takes, and files where those go.
set -u
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
completion=$KMT_TESTS/../tools/completion
failed=0

fail()
{
	echo "FAIL: $*"
	failed=1
}

for needed in zsh fish; do
	command -v $needed >/dev/null || {
		echo "needs $needed"
		exit 77
	}
done
mkdir "$WORK/bin" "$WORK/home"
ln -s "$KMEMTAPE" "$WORK/bin/kmemtape"
PATH=$WORK/bin:$PATH
export HOME=$WORK/home
touch "$WORK/leak.tape" "$WORK/list.tape" # of one, zsh makes no list
cd "$WORK" || exit 1

# in_SHELL LINE: what it offers at its end, a candidate a line
in_bash()
{
	bash --norc -c '
		. "$1/kmemtape.bash"
		read -ra COMP_WORDS <<<"${2//=/ = }"
		[ "${2% }" = "$2" ] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		compopt() { compgen -f -- "${COMP_WORDS[COMP_CWORD]}"; }
		$(complete -p kmemtape | sed "s/.*-F \([^ ]*\) .*/\1/")
		printf "%s\n" "${COMPREPLY[@]}"' bash "$completion" "$1"
}

in_fish()
{
	fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$completion/kmemtape.fish" "$1" | cut -f 1
}

# A real zsh at a terminal of its own, which is asked for the list.
cat >"$WORK/ask.zsh" <<'END'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= PROMPT2= ; stty rows 500 columns 200; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D"
zpty -w z "LISTMAX=0; setopt nolistbeep; zstyle ':completion:*' list-separator '#'; bindkey '^T' list-choices; PS1=\$'REA\x44Y'" # a prompt: what is typed before is the tty's
zpty -r -m z x "*READY*"
zpty -w -n z "$2"$'\C-t\C-u'
zpty -w z "echo DO\NE"
zpty -r -m z x "*DONE*"
print -r -- "$x"
zpty -d z
END
in_zsh()
{
	timeout 60 zsh -f "$WORK/ask.zsh" "$completion" "$1" | tr '\r' '\n' | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' |
		awk '{ sub(/ +#.*/, ""); n = split($0, words, /  +/); for (i = 1; i <= n; i++) print words[i] }'
}

# expect SHELL LINE WORD...: it offers these
expect()
{
	local shell=$1 line=$2 offered word

	shift 2
	offered=$(in_"$shell" "$line")
	for word in "$@"; do
		grep -qxF -- "$word" <<<"$offered" || fail "$shell: '$line': no $word: $(head -30 <<<"$offered" | paste -sd ' ')"
	done
}

commands=$("$KMEMTAPE" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | grep -v '^kmemtape$')
[ "$(wc -l <<<"$commands")" -ge 8 ] || fail "few commands: $commands"
for shell in bash fish zsh; do
	# shellcheck disable=SC2086 # a word each
	expect $shell "kmemtape " $commands
	for command in $commands; do
		# shellcheck disable=SC2046 # likewise
		expect $shell "kmemtape $command --" $("$KMEMTAPE" "$command" --help | sed -n 's/^  ...\? *\(--[a-z-]*\).*/\1/p')
	done
	expect $shell "kmemtape replay --by s" site stack
	expect $shell "kmemtape replay --format " text json pprof
	expect $shell "kmemtape record -e " slab page percpu vmalloc all
	expect $shell "kmemtape replay l" leak.tape list.tape
	expect $shell "kmemtape diff l" leak.tape list.tape
	expect $shell "kmemtape replay --suppress l" leak.tape list.tape
	[ "$(in_$shell "kmemtape replay --older " | grep -c leak.tape)" = 0 ] || fail "$shell: a file as a time"
done
expect bash "kmemtape replay --by=si" site
expect fish "kmemtape replay --by=si" --by=site
expect fish "kmemtape record -e slab,p" slab,page slab,percpu
[ -z "$("$KMEMTAPE" --complete nothing x)" ] || fail "a command that isn't there has options"
exit $failed
