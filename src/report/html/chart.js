/* SPDX-License-Identifier: LGPL-2.1-only */
/* Live bytes over time, stacked, with the kernel's own counters as lines and what was lost shaded. */
const LAYERS_MAX = 7;
const PLOT = { height: 260, left: 66, right: 8, top: 8, bottom: 24 };

/* Times in nanoseconds since the start, at which histories have their points. */
function gridTimes(head) {
	const duration = head.tape.end_ns - head.tape.start_ns, times = [];
	for (let i = 0; i < head.history.buckets; i++)
		times.push(Math.min((i + 1) * head.history.bucket_ns + head.history.start_ns - head.tape.start_ns, duration));
	return times;
}

function groupName(row, by) {
	if (by === "cache")
		return row.cache || row.space || "(unknown cache)";
	if (by === "module")
		return row.module || (row.module === null ? "(built in)" : "(unknown)");
	return row.name;
}

/* The largest groups, and all others together: { name, points }. */
function layersOf(rows, by, nr) {
	const groups = new Map();
	for (const row of rows) {
		if (!row.history || !row.history.live_bytes || row.counted === false)
			continue;
		const name = groupName(row, by);
		if (!groups.has(name))
			groups.set(name, { name, points: new Array(nr).fill(0) });
		const points = groups.get(name).points;
		row.history.live_bytes.forEach((bytes, i) => points[i] += bytes);
	}
	const weight = (layer) => layer.points[nr - 1] + Math.max(...layer.points) / 4;
	const sorted = [...groups.values()].sort((a, b) => weight(b) - weight(a));
	const layers = sorted.slice(0, LAYERS_MAX), others = sorted.slice(LAYERS_MAX);
	if (others.length)
		layers.push({
			name: others.length + " others",
			points: others.reduce((sum, layer) => sum.map((n, i) => n + layer.points[i]), new Array(nr).fill(0)),
		});
	return layers;
}

/* Where lines go: at powers of two of the unit that fits the largest, or at 1, 2, 5 of a power of ten. */
function valueTicks(bottom, top, isBytes) {
	const most = Math.max(top, -bottom, 1), rough = (top - bottom) / 5, ticks = [];
	let step = isBytes ? 2 ** Math.ceil(Math.log2(rough)) : 10 ** Math.floor(Math.log10(rough));
	if (!isBytes)
		step *= [1, 2, 5, 10].find((factor) => factor * step >= rough);
	step = Math.max(1, step);
	for (let n = Math.ceil(bottom / step) * step; n <= top; n += step)
		ticks.push(n);
	const power = isBytes ? Math.min(6, Math.floor(Math.log2(most) / 10)) : 0;
	const unit = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][power];
	return ticks.map((n) => [n, isBytes ? `${Number((n / 1024 ** power).toPrecision(3))} ${unit}` : countText(n)]);
}

function timeStep(span, nr) {
	const steps = [1e6, 1e7, 1e8, 5e8, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400]
		.map((s, i) => i < 4 ? s : s * NS);
	return steps.find((step) => span / step <= nr) || span / nr;
}

/* A plot of layers and lines, as wide as @width: { times, end, layers, lines: [{ name, times, points }], losses, format } */
function plot(what, width) {
	const nr = what.times.length;
	const sums = what.times.map((_, i) => what.layers.reduce((sum, layer) => sum + layer.points[i], 0));
	const linePoints = what.lines.flatMap((line) => line.points);
	const top = Math.max(1, ...sums, ...linePoints) * 1.05, bottom = Math.min(0, ...linePoints);
	const x = (t) => PLOT.left + t / Math.max(1, what.end) * (width - PLOT.left - PLOT.right);
	const y = (n) => PLOT.height - PLOT.bottom - (n - bottom) / (top - bottom) * (PLOT.height - PLOT.top - PLOT.bottom);
	const svg = make("svg", { viewBox: `0 0 ${width} ${PLOT.height}`, role: "group", tabindex: "0",
		"aria-label": what.label + ": arrow keys move along time" });

	for (const [n, name] of valueTicks(bottom, top, what.format === bytesText))
		svg.append(make("line", { class: "grid", x1: PLOT.left, x2: width - PLOT.right, y1: y(n), y2: y(n) }),
			make("text", { x: PLOT.left - 6, y: y(n) + 4, "text-anchor": "end" }, name));
	for (let t = 0, step = timeStep(what.end, Math.min(8, width / 80)); t <= what.end; t += step)
		svg.append(make("text", { x: x(t), y: PLOT.height - 6, "text-anchor": t ? "middle" : "start" }, t ? timeText(t) : "0"));
	const below = new Array(nr).fill(0);
	what.layers.forEach((layer, k) => {
		const from = below.slice();
		layer.points.forEach((n, i) => below[i] += n);
		const path = "M" + [`${x(0)},${y(0)}`, ...what.times.map((t, i) => `${x(t)},${y(below[i])}`),
			...what.times.map((t, i) => `${x(t)},${y(from[i])}`).reverse()].join("L") + "Z";
		svg.append(make("path", { class: "layer", d: path, fill: layer.color || `var(--s${k})`, "fill-opacity": ".88" }));
	});
	for (const line of what.lines)
		for (const kind of ["casing", "counter"])
			svg.append(make("path", { class: kind, "stroke-dasharray": kind === "counter" ? line.dash : "",
				d: "M" + line.times.map((t, i) => `${x(t)},${y(line.points[i])}`).join("L") }));
	for (const loss of what.losses)
		svg.append(make("rect", { class: "loss-band", x: x(loss.from), y: PLOT.top,
			width: Math.max(2, x(loss.to) - x(loss.from)), height: PLOT.height - PLOT.top - PLOT.bottom }));
	addCursor(svg, what, x, width);
	return svg;
}

function nearest(times, t) {
	return times.reduce((best, time, i) => Math.abs(time - t) < Math.abs(times[best] - t) ? i : best, 0);
}

/* Values at one point of time, by mouse or arrow keys. */
function addCursor(svg, what, x, width) {
	const cursor = make("line", { class: "cursor", y1: PLOT.top, y2: PLOT.height - PLOT.bottom, visibility: "hidden" });
	let at = what.times.length - 1;
	svg.append(cursor);

	function show(i, clientX, clientY) {
		at = Math.max(0, Math.min(what.times.length - 1, i));
		const t = what.times[at];
		cursor.setAttribute("x1", x(t));
		cursor.setAttribute("x2", x(t));
		cursor.setAttribute("visibility", "visible");
		const lines = [`${timeText(t)} after the start`];
		for (const layer of what.layers.slice().reverse())
			if (layer.points[at])
				lines.push(`${what.format(layer.points[at])}  ${layer.name}`);
		for (const line of what.lines)
			lines.push(`${signed(what.format(line.points[nearest(line.times, t)]))}  ${line.name} (kernel)`);
		for (const loss of what.losses)
			if (t >= loss.from && t <= loss.to)
				lines.push(`${loss.lost ? countText(loss.lost) : "an unknown number of"} events lost`);
		const box = svg.getBoundingClientRect();
		showTip(lines.join("\n"), clientX === undefined ? box.left + x(t) / width * box.width : clientX,
			clientY === undefined ? box.top + 20 : clientY);
	}
	function hide() {
		cursor.setAttribute("visibility", "hidden");
		hideTip();
	}
	svg.addEventListener("mousemove", (event) => {
		const box = svg.getBoundingClientRect();
		const t = ((event.clientX - box.left) / box.width * width - PLOT.left) /
			(width - PLOT.left - PLOT.right) * what.end;
		show(nearest(what.times, t), event.clientX, event.clientY);
	});
	svg.addEventListener("mouseleave", hide);
	svg.addEventListener("blur", hide);
	svg.addEventListener("keydown", (event) => {
		const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
		if (event.key === "Escape")
			hide();
		if (!(event.key in steps))
			return;
		event.preventDefault();
		show(at + steps[event.key]);
	});
}

/* Letters keep their size on whatever screen. */
function plotWidth(section) {
	const style = getComputedStyle(section);
	return Math.max(280, section.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) || 1000);
}

function lossesOf(head) {
	return (head.losses || []).map((loss) => ({ from: loss.from_ns - head.tape.start_ns,
		to: loss.to_ns - head.tape.start_ns, lost: loss.lost }));
}

/* Growth of what the kernel counts itself, on top of what was live at the first snapshot. */
function counterLines(head, total, times) {
	const points = head.points || [];
	if (points.length < 2)
		return [];
	const lines = head.reconciliation.items.map((item, k) => ({
		name: item.name,
		dash: ["", "7 4", "2 3", "9 3 2 3", "12 6", "4 2"][k % 6],
		times: points.map((point) => Math.max(0, point.time_ns - head.tape.start_ns)),
		points: points.map((point) => point[item.name]),
	}));
	const most = Math.max(...total, 1);
	for (const line of lines)
		line.isShown = Math.max(...line.points.map(Math.abs)) > most / 20 && Math.max(...line.points) < most * 5;
	return lines;
}

/* The section with its controls. */
function showChart(section) {
	const head = data.head, times = head.history ? gridTimes(head) : [];
	if (times.length < 2 || !data.rows.some((row) => row.history && row.history.live_bytes))
		return;
	const total = times.map((_, i) => data.rows.reduce((sum, row) =>
		sum + (row.history && row.history.live_bytes && row.counted !== false ? row.history.live_bytes[i] : 0), 0));
	const lines = counterLines(head, total, times);
	const place = make("div"), legend = make("div", { class: "legend" });
	const buttons = (data.rows[0].call_site ? ["site", "cache", "module"] : ["site"]).map((by) => {
		const button = make("button", { type: "button", "data-by": by }, by === "site" && !data.rows[0].call_site ? "row" : by);
		button.addEventListener("click", () => draw(by));
		return button;
	});
	let shownBy = "site";

	function draw(by) {
		shownBy = by;
		buttons.forEach((button) => button.setAttribute("aria-pressed", button.dataset.by === by));
		const layers = layersOf(data.rows, by, times.length);
		place.replaceChildren(plot({ times, end: head.tape.end_ns - head.tape.start_ns, layers,
			lines: lines.filter((line) => line.isShown), losses: lossesOf(head), format: bytesText,
			label: "live bytes over time by " + by }, plotWidth(section)));
		legend.replaceChildren(...layers.map((layer, k) => make("span", {},
			make("span", { class: "swatch", style: `background:var(--s${k})` }), layer.name)), ...lines.map(lineSwitch));
		if ((head.losses || []).length)
			legend.append(make("span", {}, make("span", { class: "swatch", style: "background:var(--bad);opacity:.3" }),
				"events lost"));
	}
	function lineSwitch(line) {
		const box = make("input", { type: "checkbox" });
		box.checked = line.isShown;
		box.addEventListener("change", () => {
			line.isShown = box.checked;
			draw(shownBy);
			[...legend.querySelectorAll("input")][lines.indexOf(line)].focus();
		});
		return make("label", {}, box, make("svg", { class: "dash", viewBox: "0 0 30 8", "aria-hidden": "true" },
			make("line", { class: "counter", x1: 0, x2: 30, y1: 4, y2: 4, "stroke-dasharray": line.dash })),
			line.name + " growth (kernel)");
	}
	section.append(make("h2", {}, "Live bytes over time"), make("div", { class: "tools", role: "group", "aria-label": "live bytes by" },
		make("span", { class: "dim" }, "by"), ...buttons), place, legend);
	if (data.rows.some((row) => !row.history && row.live_bytes))
		section.append(make("p", { class: "dim" }, "Only rows with a history: those with little are not in it."));
	draw("site");
	addEventListener("resize", () => section.checkVisibility() && draw(shownBy));
}
