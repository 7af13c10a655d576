/* SPDX-License-Identifier: LGPL-2.1-only */
/* The table of rows: those that the page has without a script get their curves and links, the others are added. */
function spark(points) {
	if (points.length === 1)
		points = [points[0], points[0]];
	const most = Math.max(...points, 1), step = 90 / (points.length - 1);
	const line = points.map((n, i) => `${(i * step).toFixed(1)},${(19 - n / most * 17).toFixed(1)}`).join("L");
	return make("svg", { class: "spark", viewBox: "0 0 90 20", "aria-hidden": "true" },
		make("path", { d: `M0,19L${line}L90,19Z`, fill: "var(--s1)", "fill-opacity": ".35" }),
		make("path", { d: `M${line}`, fill: "none", stroke: "var(--s1)", "stroke-width": "1.5" }));
}

function numberCell(value, text) {
	return make("td", { class: "n", "data-v": value }, text);
}

/* Cut, not rounded: as all others print it. */
function confidenceText(row) {
	return (Math.floor(row.confidence * 100 + 1e-9) / 100).toFixed(2);
}

function rowElement(row, i) {
	const hasSize = row.live_bytes !== undefined;
	return make("tr", { "data-row": i }, make("th", { scope: "row" }, make("code", {}, row.name)),
		make("td", {}, make("code", {}, row.cache || "")), make("td", {}, make("span", { class: "class " + row.class }, row.class)),
		numberCell(row.confidence, row.class === "none" ? "-" : confidenceText(row)),
		numberCell(hasSize ? row.live_bytes : 0, hasSize ? bytesText(row.live_bytes) : "-"),
		numberCell(row.live_objects, countText(row.live_objects)),
		numberCell(row.rate_bytes_per_s || row.rate_objects_per_s || 0, rateText(row)), make("td", { class: "trend" }),
		numberCell(row.allocs, countText(row.allocs)), numberCell(row.frees, countText(row.frees)));
}

function showRows(table) {
	const body = table.tBodies[0];
	data.rows.slice(body.rows.length).forEach((row, i) => body.append(rowElement(row, body.rows.length)));
	for (const element of body.rows) {
		const row = data.rows[element.dataset.row], history = row.history;
		if (history)
			element.querySelector(".trend").append(spark(history.live_bytes || history.live_objects));
		if (row.reasons) {
			const code = element.querySelector("code");
			const link = make("a", { href: "#site-" + element.dataset.row });
			code.replaceWith(link);
			link.append(code);
		}
	}
	for (const link of document.querySelectorAll("a[data-row]"))
		if ((data.rows[link.dataset.row] || {}).reasons)
			link.href = "#site-" + link.dataset.row;
	const rest = data.rest;
	if (rest.rows)
		document.getElementById("rest").textContent = `${countText(rest.rows)} more rows did not fit into this file; together ` +
			`they have ${bytesText(rest.live_bytes)} in ${countText(rest.live_objects)} live objects. ` +
			"replay --format json has them all.";
}
