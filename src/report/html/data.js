/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is embedded in the page, and how its numbers and names are written. Texts become text nodes only. */
const dataElement = document.getElementById("data");
const data = dataElement ? JSON.parse(dataElement.textContent) : null;
const NS = 1e9;

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
		return String(n);
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
	const whole = Math.round(s < 3600 ? s : s / 60), unit = s < 3600 ? ["m", "s"] : ["h", "m"];
	return `${Math.floor(whole / 60)} ${unit[0]}` + (whole % 60 ? ` ${whole % 60} ${unit[1]}` : "");
}

function signed(text) {
	return text.startsWith("-") ? text : "+" + text;
}

function rateText(row) {
	if (!row.trend || row.trend.shape === "none" || row.trend.shape === undefined)
		return "-";
	return "rate_bytes_per_s" in row ? signed(bytesText(Math.round(row.rate_bytes_per_s * 3600))) + "/h"
		: signed(countText(Math.round(row.rate_objects_per_s * 3600))) + "/h";
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
const tip = make("div", { class: "tip", role: "tooltip", hidden: "" });

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
