/* SPDX-License-Identifier: LGPL-2.1-only */
/* Puts it all together. */
function addThemeSwitch() {
	const root = document.documentElement, top = document.querySelector(".top");
	if (!top)
		return;
	const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
	const button = make("button", { type: "button", id: "theme" });
	const name = () => {
		button.textContent = isDark() ? "light" : "dark";
		button.setAttribute("aria-label", button.textContent + " colours");
	};
	button.addEventListener("click", () => {
		root.dataset.theme = isDark() ? "light" : "dark";
		name();
	});
	name();
	top.append(button);
}

function route() {
	const overview = document.getElementById("overview"), section = document.getElementById("site");
	const match = /^#site-(\d+)$/.exec(location.hash);
	const row = match && data.rows[Number(match[1])];
	const isSite = Boolean(row && row.reasons);
	hideTip();
	overview.hidden = isSite;
	section.hidden = !isSite;
	if (!isSite)
		return;
	showSite(section, row);
	scrollTo(0, 0);
	section.focus({ preventScroll: true });
}

/* "/" goes to the filter, Escape back from a site. */
function addKeys() {
	document.addEventListener("keydown", (event) => {
		const isTyping = event.target.matches("input");
		if (event.key === "/" && !isTyping) {
			const input = document.querySelector("input[data-filter]");
			if (input) {
				event.preventDefault();
				input.focus();
			}
		} else if (event.key === "Escape" && location.hash.startsWith("#site-")) {
			location.hash = "";
		}
	});
}

document.documentElement.classList.add("on");
document.body.append(tip);
addThemeSwitch();
addKeys();
if (data && data.head.tape) {
	showChart(document.getElementById("time"));
	showFlame(document.getElementById("flame"));
	showRows(document.getElementById("table"));
	addEventListener("hashchange", route);
	route();
}
document.querySelectorAll("table.sortable").forEach(enhanceTable);
