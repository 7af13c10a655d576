/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is embedded in the page, and how its numbers and names are written. Texts become text nodes only. */
const dataElement = document.getElementById("data");
const data = dataElement ? JSON.parse(dataElement.textContent) : null;
const NS = 1e9;

/* Of a sample what is live, and grows, is an estimate of all: the rest is as it was recorded. */
function scaleRow(row) {
	if (!row.estimate || !row.live_objects)
		return;
	const scale = row.live_bytes ? row.estimate.bytes / row.live_bytes : row.estimate.objects / row.live_objects;
	for (const key of ["live_bytes", "live_objects", "rate_bytes_per_s", "rate_objects_per_s"])
		if (key in row)
			row[key] *= scale;
	for (const key of ["live_bytes", "live_objects"])
		if (row.history && row.history[key])
			row.history[key] = row.history[key].map((n) => n * scale);
}
if (data)
	data.rows.forEach(scaleRow);

function bytesText(n) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let i = 0, x = Math.abs(n);
	while (x >= 1024 && i < units.length - 1) {
		x /= 1024;
		i++;
	}
	return (n < 0 ? "-" : "") + (i && x < 100 ? x.toPrecision(3) : Math.round(x)) + " " + units[i];
}

function countText(n) {
	if (n < 100000)
		return String(Math.round(n));
	const units = ["", "k", "M", "G", "T", "P"];
	let i = 0;
	while (n >= 1000 && i < units.length - 1) {
		n /= 1000;
		i++;
	}
	return n.toPrecision(3) + " " + units[i];
}

function timeText(ns) {
	const s = ns / NS;
	if (s < 1e-3)
		return (ns / 1e3).toPrecision(3) + " us";
	if (s < 1)
		return (ns / 1e6).toPrecision(3) + " ms";
	if (s < 60)
		return Number(s.toPrecision(3)) + " s";
	const whole = Math.floor(s < 3600 ? s : s / 60), unit = s < 3600 ? ["m", "s"] : ["h", "m"];
	return `${Math.floor(whole / 60)} ${unit[0]}` + (whole % 60 ? ` ${whole % 60} ${unit[1]}` : "");
}

/* When something began, in nanoseconds of the trace clock. */
function sinceText(ns) {
	const after = ns - data.head.tape.start_ns;
	return after > 0 ? timeText(after) + " after the start" : "the start of the recording";
}

function signed(text) {
	return text.startsWith("-") ? text : "+" + text;
}

function rateText(row) {
	if (!row.trend || row.trend.shape === "none" || row.trend.shape === undefined)
		return "-";
	const hasSize = "rate_bytes_per_s" in row;
	const anHour = Math.round((hasSize ? row.rate_bytes_per_s : row.rate_objects_per_s) * 3600);
	return anHour || !hasSize ? signed(hasSize ? bytesText(anHour) : countText(anHour)) + "/h" : "+0";
}

/* An element with attributes and children; children that are no element become text. */
function make(tag, attributes, ...children) {
	const isSvg = ["svg", "path", "rect", "line", "text", "g"].includes(tag);
	const element = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {}))
		element.setAttribute(name, value);
	element.append(...children);
	return element;
}

/* One tip for all that is pointed at. */
const tip = make("div", { class: "tip", role: "status", hidden: "" });

function showTip(text, x, y) {
	tip.textContent = text;
	tip.hidden = false;
	const box = tip.getBoundingClientRect();
	tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 6)) + "px";
	tip.style.top = Math.max(4, Math.min(y + 14, innerHeight - box.height - 6)) + "px";
}

function hideTip() {
	tip.hidden = true;
}
