# SPDX-License-Identifier: GPL-2.0-only
# What callgrind wrote of one thread: instructions it took, those of them within functions whose names match INSIDE.
/^c?fn=/ {
	id = name = $0
	sub(/^c?fn=/, "", id)
	sub(/ .*/, "", id)
	if (sub(/^[^ ]* /, "", name))
		names[id] = name
	last = names[id]
}
/^calls=/ {
	getline
	if (last ~ inside)
		within += $NF
}
/^totals:/ { all = $2 }
END { print all, within + 0 }
