# One tape: the report ($report, JSON schema 1) against the truth ($truth). Prints words separated by tabs:
#   site SCENARIO SEED SYMBOL leaks|innocent EXPECTED|- FOUND CONFIDENCE ok|WRONG WHY
#   estimate SCENARIO SEED SYMBOL ESTIMATED TRUE        of live objects, where nothing was lost
#   verdict SCENARIO SEED FOUND CONFIDENCE ok|WRONG WHY
# A site that the report hasn't, or that isn't judged, has the class "none".
$truth[0] as $truth | $report[0] as $report |
def found($symbol): [$report.sites[] | select(.symbol == $symbol)] | first // {};
($truth.sites[] |
	. as $site | found(.symbol) as $row | ($row.class // "none") as $class |
	(if .exact and ($row.live_objects // 0) != .live_on_tape then
		"WRONG\t\($row.live_objects // 0) live, truly \(.live_on_tape)"
	elif .expected then
		if .classes | index($class) then "ok"
		else "WRONG\texpected " + (.classes | join(" or "))
		end
	elif $class == "leak" then "WRONG\tnothing leaks there"
	else "ok"
	end) as $answer |
	["site", $truth.scenario, $truth.seed, .symbol,
	 (if .leaks then "leaks" else "innocent" end),
	 (if .expected then .classes | join("|") else "-" end),
	 $class, ($row.confidence // 0), $answer] | join("\t")),
($truth.sites[] |
	select(.expected and ($truth.is_lossy | not)) | . as $site | found(.symbol) |
	select(.class == "leak" or .class == "untraced-frees") | select(.live_estimate) |
	["estimate", $truth.scenario, $truth.seed, .symbol, .live_estimate, $site.live_on_tape] | join("\t")),
(($report.verdict.leak // "missing") as $leak |
	([$truth.sites[] | select(.leaks) | .symbol]) as $leaky |
	($report.verdict.headline // "") as $headline |
	["verdict", $truth.scenario, $truth.seed, $leak, ($report.verdict.confidence // 0),
	 if $truth.verdicts | index($leak) | not then
		"WRONG\texpected " + ($truth.verdicts | join(" or ")) + ": " + $headline
	 elif $leak == "likely" and all($leaky[]; . as $name | $headline | contains($name) | not) then
		"WRONG\tnames another site: " + $headline
	 else "ok"
	 end] | join("\t"))
