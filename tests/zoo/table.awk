# What check.jq printed, of all tapes: the confusion table, precision and recall of `leak`; exits 1 unless
# both are 1 and every expectation holds.
BEGIN {
	FS = "\t"
	nr_classes = split("leak growth uncertain untraced-frees cache transient none", classes, " ")
}
$1 == "site" {
	# Only `leak` is expected: the truth is there to be seen.
	is_clear = $6 == "leak"
	row = $6 == "-" ? ($5 == "leaks" ? "(leaking, of the background)" : "(background)") : $2
	if (!(row in expected)) {
		rows[++nr_rows] = row
		expected[row] = $6 == "-" ? "any but leak" : $6
	}
	found[row, $7]++
	if ($7 == "leak" && $5 == "leaks")
		true_leaks++
	if ($7 == "leak" && $5 == "innocent")
		false_leaks++
	if (is_clear)
		clear++
	if (is_clear && $7 == "leak")
		clear_found++
}
$1 == "site" && $9 != "ok" {
	wrong[++nr_wrong] = $2 " " $3 ": " $4 " is " $7 " (" $8 "), " $10
	again[nr_wrong] = $2 " " $3
}
# Small numbers are off by what is in flight.
$1 == "estimate" {
	estimates++
	ratio = ($5 + 10) / ($6 + 10)
	ratio = ratio < 1 ? 1 / ratio : ratio
	good_estimates += ratio <= 1.25
	if (ratio > worst_ratio) {
		worst_ratio = ratio
		worst = $2 " " $3 ": " $4 " has " $6 ", estimated " $5
	}
}
$1 == "verdict" {
	verdicts[$4]++
	tapes++
}
$1 == "verdict" && $6 != "ok" {
	wrong[++nr_wrong] = $2 " " $3 ": verdict " $4 " (" $5 "), " $7
	again[nr_wrong] = $2 " " $3
}
$1 == "failed" {
	tapes++
	wrong[++nr_wrong] = $2 " " $3 ": " $4
	again[nr_wrong] = $2 " " $3
}
END {
	printf "%-28s", "found:"
	for (i = 1; i <= nr_classes; i++)
		printf " %9.9s", classes[i]
	print "  expected"
	for (r = 1; r <= nr_rows; r++)
		if (rows[r] !~ /^\(/)
			print_row(rows[r])
	for (r = 1; r <= nr_rows; r++)
		if (rows[r] ~ /^\(/)
			print_row(rows[r])
	for (i = 1; i <= nr_wrong; i++)
		printf "%s\n    tests/zoo/run.sh --one %s\n", wrong[i], again[i]
	precision = true_leaks + false_leaks ? true_leaks / (true_leaks + false_leaks) : 0
	recall = clear ? clear_found / clear : 0
	printf "%d tapes; verdicts: %d likely, %d possible, %d none\n", tapes, verdicts["likely"],
		verdicts["possible"], verdicts["none"]
	if (estimates)
		printf "live_estimate within a quarter of the truth: %d of %d, the worst: %s\n",
			good_estimates, estimates, worst
	printf "precision of leak %.4f (%d of %d)   recall %.4f (%d of %d)   %d wrong\n", precision,
		true_leaks, true_leaks + false_leaks, recall, clear_found, clear, nr_wrong
	exit !(tapes > 0 && nr_wrong == 0 && false_leaks == 0 && clear_found == clear)
}
function print_row(row) {
	printf "%-28s", row
	for (i = 1; i <= nr_classes; i++)
		printf " %9s", found[row, classes[i]] ? found[row, classes[i]] : "."
	print "  " expected[row]
}
