/* SPDX-License-Identifier: LGPL-2.1-only */
/* Live bytes by stack, outermost on top; by module, cache and site where there are no stacks. */
const FLAME_ROW = 23, FLAME_DEPTH_MAX = 64;

function addPath(root, path, bytes, objects) {
	let node = root;
	root.bytes += bytes;
	root.objects += objects;
	for (const name of path) {
		let child = node.children.get(name);
		if (!child) {
			child = { name, bytes: 0, objects: 0, parent: node, children: new Map() };
			node.children.set(name, child);
		}
		child.bytes += bytes;
		child.objects += objects;
		node = child;
	}
}

function flameTree() {
	const root = { name: "all live bytes", bytes: 0, objects: 0, parent: null, children: new Map() };
	const hasStacks = data.stacks.length > 0;
	if (hasStacks)
		for (const [bytes, objects, ...frames] of data.stacks)
			addPath(root, frames.map((i) => data.functions[i]), bytes, objects);
	else
		for (const row of data.rows)
			if (row.live_bytes && row.counted !== false)
				addPath(root, row.call_site ? [row.module ? `[${row.module}]` : groupName(row, "module"), groupName(row, "cache"), row.name]
					: [row.name], row.live_bytes, row.live_objects);
	return { root, hasStacks };
}

/* What is live and not in the graph: it has no stack, or there was no room for it. */
function leftOut(root) {
	const all = data.rows.reduce((sum, row) => sum + (row.live_bytes && row.counted !== false ? row.live_bytes : 0), data.rest.live_bytes);
	return all > root.bytes * 1.001 ? ` It has ${bytesText(root.bytes)} of ${bytesText(all)}: the others have no call stack, or no room here.` : "";
}

function flameColor(name) {
	let hash = 0;
	for (const c of name)
		hash = (hash * 31 + c.codePointAt(0)) >>> 0;
	return name.includes("[") ? `hsl(${350 + hash % 20} 75% ${66 + hash % 10}%)` : `hsl(${28 + hash % 26} 80% ${64 + hash % 12}%)`;
}

function showFlame(section) {
	const { root, hasStacks } = flameTree();
	if (!root.bytes)
		return;
	const place = make("div", { class: "flame", role: "group", "aria-label": "flame graph" });
	const where = make("span", { class: "dim", role: "status" });
	const reset = make("button", { type: "button" }, "whole graph");
	const search = make("input", { type: "search", placeholder: "mark functions", "aria-label": "mark functions" });
	let zoomed = root;

	function describe(node) {
		return `${node.name}\n${bytesText(node.bytes)} (${(node.bytes / root.bytes * 100).toFixed(1)} % of all), ` +
			`${countText(node.objects)} objects`;
	}
	function block(node, left, width, depth) {
		const button = make("button", { type: "button", "data-depth": depth, "aria-label": describe(node) }, node.name);
		button.style.cssText = `left:${left}%;width:${width}%;top:${depth * FLAME_ROW}px;background:${flameColor(node.name)}`;
		button.classList.toggle("narrow", width < 2);
		button.classList.toggle("match", search.value !== "" && node.name.toLowerCase().includes(search.value.toLowerCase()));
		button.tabIndex = node === zoomed ? 0 : -1;
		button.addEventListener("click", () => draw(node));
		button.addEventListener("mousemove", (event) => showTip(describe(node), event.clientX, event.clientY));
		button.addEventListener("mouseleave", hideTip);
		button.addEventListener("focus", () => {
			const box = button.getBoundingClientRect();
			showTip(describe(node), box.left, box.bottom - 10);
		});
		button.addEventListener("blur", hideTip);
		place.append(button);
	}
	/* Returns how deep it went. */
	function lay(node, left, width, depth) {
		let deepest = depth, x = left;
		if (width < 0.08 || depth > FLAME_DEPTH_MAX)
			return depth;
		block(node, left, width, depth);
		for (const child of [...node.children.values()].sort((a, b) => b.bytes - a.bytes)) {
			const share = child.bytes / node.bytes * width;
			deepest = Math.max(deepest, lay(child, x, share, depth + 1));
			x += share;
		}
		return deepest;
	}
	function draw(node) {
		const hadFocus = place.contains(document.activeElement);
		zoomed = node;
		hideTip();
		place.replaceChildren();
		const above = [];
		for (let parent = node.parent; parent; parent = parent.parent)
			above.unshift(parent);
		above.forEach((parent, depth) => block(parent, 0, 100, depth));
		place.style.height = (lay(node, 0, 100, above.length) + 1) * FLAME_ROW + "px";
		where.textContent = `${bytesText(node.bytes)} in ${node.name}`;
		reset.disabled = node === root;
		if (hadFocus)
			place.querySelector('[tabindex="0"]').focus();
	}
	/* To the nearest block in that direction. */
	function move(from, key) {
		const depth = Number(from.dataset.depth), blocks = [...place.children];
		const left = (block) => parseFloat(block.style.left), same = blocks.filter((b) => Number(b.dataset.depth) === depth);
		const at = same.indexOf(from);
		if (key === "ArrowLeft" || key === "ArrowRight")
			return same[at + (key === "ArrowLeft" ? -1 : 1)];
		const other = blocks.filter((b) => Number(b.dataset.depth) === depth + (key === "ArrowUp" ? -1 : 1));
		return key === "ArrowUp" ? other.filter((b) => left(b) <= left(from) + 1e-6).pop()
			: other.find((b) => left(b) >= left(from) - 1e-6);
	}
	place.addEventListener("keydown", (event) => {
		if (event.key === "Escape" || event.key === "Backspace") {
			event.preventDefault();
			draw(event.key === "Escape" ? root : zoomed.parent || root);
		} else if (event.key.startsWith("Arrow")) {
			event.preventDefault();
			const to = move(document.activeElement, event.key);
			if (to)
				to.focus();
		}
	});
	reset.addEventListener("click", () => draw(root));
	search.addEventListener("input", () => draw(zoomed));
	section.append(make("h2", {}, hasStacks ? "Live bytes by call stack" : "Live bytes by module, cache and call site"),
		make("div", { class: "tools" }, search, reset, where), place,
		make("p", { class: "dim" }, "Width is live bytes. Click or Enter zooms, Backspace goes one out, Escape shows all; " +
			"arrow keys move." + leftOut(root) + (hasStacks ? "" : " Call stacks were not recorded (record --stack).")));
	draw(root);
}
