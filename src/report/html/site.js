/* SPDX-License-Identifier: LGPL-2.1-only */
/* All that is known of one row, at #site-N. */
function fact(name, value) {
	return value === undefined || value === "" ? [] : [make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value))];
}

function listTable(title, columns, rows) {
	if (!rows || !rows.length)
		return [];
	return [make("h3", {}, title), make("div", { class: "scroll" }, make("table", {},
		make("thead", {}, make("tr", {}, ...columns.map(([name, , isNumber]) =>
			make("th", { scope: "col", class: isNumber ? "n" : "" }, name)))),
		make("tbody", {}, ...rows.map((row) => make("tr", {}, ...columns.map(([, text, isNumber]) =>
			make("td", { class: isNumber ? "n" : "" }, text(row))))))))];
}

/* How old what is live is, and how old the others were when they were freed. */
function agesOf(bins, title) {
	if (!bins || !bins.length)
		return [];
	const most = Math.max(...bins.flatMap((bin) => [bin.live, bin.freed]), 1);
	const bar = (n, color) => make("i", { style: `width:${(n / most * 100).toFixed(1)}%;background:var(--${color})` });
	return [make("h3", {}, title), make("table", { class: "hist" }, make("thead", {}, make("tr", {},
		make("th", { scope: "col" }, "age from"), make("th", { class: "n", scope: "col" }, "live"),
		make("th", { class: "n", scope: "col" }, "freed"), make("th", { scope: "col" }, make("span", { class: "key", style: "background:var(--s0)" }),
			"live", make("span", { class: "key", style: "background:var(--s3)" }), "freed"))), make("tbody", {},
		...bins.map((bin) => make("tr", {}, make("td", {}, bin.from_ns ? timeText(bin.from_ns) : "0"),
			make("td", { class: "n" }, countText(bin.live)), make("td", { class: "n" }, countText(bin.freed)),
			make("td", { style: "width:50%" }, bar(bin.live, "s0"), bar(bin.freed, "s3"))))))];
}

function frameText(frame) {
	return (frame.symbol || frame.address) + (frame.module ? ` [${frame.module}]` : "") + (frame.lines ? "  " + frame.lines : "");
}

function stackOf(title, frames) {
	return frames && frames.length ? [make("h3", {}, title), make("ol", {}, ...frames.map((frame) =>
		make("li", {}, make("code", {}, frameText(frame)))))] : [];
}

function siteText(freer) {
	return (freer.function ? `${freer.function}+0x${(freer.offset || 0).toString(16)}` : freer.call_site) +
		(freer.module ? ` [${freer.module}]` : "");
}

function taskText(task) {
	return (task.comm || "(unknown)") + (task.pid === undefined ? "" : " " + task.pid);
}

function sampleText(row) {
	const estimate = row.estimate;
	if (!estimate)
		return undefined;
	return estimate.bytes === undefined ? `95 %: ${countText(estimate.objects_low)} to ${countText(estimate.objects_high)}`
		: `95 %: ${bytesText(estimate.bytes_low)} to ${bytesText(estimate.bytes_high)}`;
}

function siteChart(section, row) {
	const head = data.head, history = row.history;
	if (!history)
		return [];
	const hasSize = Boolean(history.live_bytes);
	return [make("h3", {}, hasSize ? "Live bytes over time" : "Live objects over time"), plot({ times: gridTimes(head),
		end: head.tape.end_ns - head.tape.start_ns, lines: [], losses: lossesOf(head),
		layers: [{ name: row.name, points: history.live_bytes || history.live_objects, color: "var(--s1)" }],
		format: hasSize ? bytesText : countText, label: "live over time" }, plotWidth(section))];
}

function reasonsOf(row) {
	return ["for", "against"].filter((side) => row.reasons[side].length).map((side) =>
		make("ul", { class: side }, ...row.reasons[side].map((reason) => make("li", {}, reason))));
}

function remembered(dossier) {
	return dossier.remembered_objects < dossier.live_of_any_age ? [make("p", { class: "dim" }, "Live is told of " +
		`${countText(dossier.remembered_objects)} of ${countText(dossier.live_of_any_age)} objects.`)] : [];
}

/* What only the first sites have, which were looked at more closely. */
function dossierOf(row) {
	const number = data.rows.indexOf(row);
	const dossier = data.dossiers.find((one) => one.row === number);
	if (!dossier)
		return row.call_site ? [make("p", { class: "dim" }, "Who allocates and who frees is gathered of the suspects and of the " +
			`first sites, ${data.dossiers.length} in all; kmemtape replay --explain tells it of any site.`)] : [];
	const more = (key) => dossier.more[key] ? [make("p", { class: "dim" }, `and ${countText(dossier.more[key])} more`)] : [];
	const count = (key) => [key.replace("_", " "), (one) => countText(one[key] || 0), true];
	return [make("div", { class: "pair" },
		make("div", {}, ...listTable("Allocated by", [["task", taskText], ["in", (one) => one.context], count("allocs"),
			["live", (one) => countText(one.live_objects), true]], dossier.allocated_by), ...remembered(dossier), ...more("allocated_by")),
		make("div", {}, ...(dossier.freed_by.length ? listTable("Freed by", [["call site", siteText],
			["frees", (one) => countText(one.frees), true],
			["mean lifetime", (one) => one.lifetime_mean_ns === undefined ? "-" : timeText(one.lifetime_mean_ns), true]],
		dossier.freed_by) : [make("h3", {}, "Freed by"), make("p", {}, "Nobody freed an object of it while recording.")]), ...more("freed_by")),
		make("div", {}, ...listTable("Sizes", [["requested", (one) => bytesText(one.requested_bytes), true],
			["allocated", (one) => bytesText(one.allocated_bytes), true], count("allocs"),
			["live", (one) => countText(one.live_objects), true]], dossier.sizes), ...more("sizes")),
		make("div", {}, ...listTable("Flags", [["gfp", (one) => one.names || one.flags], count("allocs")], dossier.gfp), ...more("gfp"))),
	...agesOf(dossier.lifetimes, "Ages"),
	...listTable("Oldest live objects", [["address", (one) => one.ptr], ["age", (one) => timeText(one.age_ns), true],
		["bytes", (one) => countText(one.allocated_bytes), true], ["task", taskText], ["CPU", (one) => one.cpu, true]], dossier.oldest)];
}

function showSite(section, row) {
	const back = make("a", { href: "#" }, "\u2190 overview");
	const dossier = dossierOf(row);
	section.replaceChildren(back); /* while it is empty it isn't shown, and has no width */
	section.append(make("h1", {}, make("code", {}, row.name)), make("p", {},
		make("span", { class: "class " + row.class }, row.class), ` confidence ${confidenceText(row)}`),
	...reasonsOf(row), ...siteChart(section, row), make("div", { class: "pair" }, make("div", {}, make("h3", {}, "Numbers"),
		make("table", {}, make("tbody", {},
			...fact("live", row.live_bytes === undefined ? undefined : bytesText(row.live_bytes)),
			...fact("live objects", countText(row.live_objects)), ...fact("by the sample", sampleText(row)),
			...fact("probably live, since not all frees are traced", row.class === "untraced-frees" &&
				row.live_estimate < row.live_objects ? countText(row.live_estimate) + " objects" : undefined),
			...fact("rate", rateText(row)),
			...fact("growing since", row.trend.since_ns ? sinceText(row.trend.since_ns) : undefined),
			...fact("allocations", countText(row.allocs)), ...fact("frees", countText(row.frees)),
			...fact("address reused, free unseen", row.reused ? countText(row.reused) : undefined),
			...fact("may be freed where events were lost", row.uncertain_objects ? countText(row.uncertain_objects) : undefined),
			...fact("oldest live object", row.oldest_age_ns === undefined ? undefined : timeText(row.oldest_age_ns)),
			...fact("cache", row.cache), ...fact("module", row.module || undefined), ...fact("on behalf of", row.owner),
			...fact("source", row.lines), ...fact("address", row.call_site)))),
	make("div", {}, ...stackOf(row.stacks > 1 ? `The stack that holds most, of ${row.stacks}` : "Call stack", row.frames))),
	...dossier, ...(dossier.length < 2 ? agesOf(row.ages, "Ages") : []));
}
