# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# The cost curves as a picture.

# Lines "size ns min max peak limit" for gnuplot; ns is of an event, without what is done once for each call site.
plot_data()
{
	awk -F '\t' -v curve="$1" '
		$1 == "curves" && index($2, curve "_") == 1 {
			value[$2, $3] = $4; low[$2, $3] = $5; high[$2, $3] = $6; is_there[$2] = 1
		}
		END {
			ns = curve == "sites" ? "cpu_ns_an_event_more" : "cpu_ns_an_event"
			for (s in is_there)
				print substr(s, length(curve) + 2), value[s, ns], low[s, ns], high[s, ns], value[s, "peak_kib"] / 1024, 64 + value[s, "peak_live"] / 16384 | "sort -n"
		}' "$work/flat"
}

plot_curves()
{
	local terminal=svg curve title

	[[ $plot != *.png ]] || terminal=pngcairo
	title=$(jq -r '"kmemtape \(.versions.kmemtape): replay on one core, \(.machine.cpu), \(.machine.kernel)"' "$work/figures")
	{
		cat <<-SCRIPT
			set terminal $terminal size 1100,800 background rgb "white"
			set output "$work/plot"
			set multiplot layout 2,2 title "$title"
			set logscale x
			set format x "%.0s%c"
			set key top left
			set ylabel "CPU ns an event"
			set y2label "peak memory, MiB"
			set yrange [0:*<1e6]
			set logscale y2
			set y2range [1:*]
			set y2tics
			set ytics nomirror
			set grid
			set offsets graph 0.05, graph 0.05, graph 0.25, 0
		SCRIPT
		for curve in "${curves[@]}"; do
			plot_data "$curve" >"$work/plot.$curve"
			[ -s "$work/plot.$curve" ] || continue
			cat <<-SCRIPT
				set xlabel "$(curve_label "$curve")"
				plot "$work/plot.$curve" using 1:2:3:4 with yerrorlines lw 2 title "time", \\
					"" using 1:5 axes x1y2 with linespoints lw 2 title "memory", \\
					"" using 1:6 axes x1y2 with lines dt 2 title "memory allowed"
			SCRIPT
		done
		echo "unset multiplot"
	} >"$work/plot.gp"
	gnuplot "$work/plot.gp" 2>"$work/err" && cp "$work/plot" "$plot" || say "--plot: $(last_words "$work/err")"
}
