/* SPDX-License-Identifier: LGPL-2.1-only */
/* Any table of class "sortable" is sorted by its headings, and filtered by the input that names it. */
const ROWS_AT_ONCE = 200, ROWS_ON_PAPER = 30;

function cellValue(row, column) {
	const cell = row.cells[column];
	return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
}

function sortTable(table, column, isDescending) {
	const body = table.tBodies[0], sign = isDescending ? -1 : 1;
	const rows = [...body.rows].map((row, i) => ({ row, i, value: cellValue(row, column) }));
	rows.sort((a, b) => {
		const order = typeof a.value === "number" ? a.value - b.value : a.value.localeCompare(b.value);
		return order ? order * sign : a.i - b.i;
	});
	body.append(...rows.map((one) => one.row));
	[...table.tHead.rows[0].cells].forEach((cell, i) => {
		if (i === column)
			cell.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
		else
			cell.removeAttribute("aria-sort");
	});
}

/* All words of the filter have to be in a row; without one, the first rows are enough. */
function filterTable(table, text, count, paper) {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	let nr = 0, nrShown = 0;
	for (const row of table.tBodies[0].rows) {
		const line = row.textContent.toLowerCase();
		const isMeant = words.every((word) => line.includes(word));
		row.hidden = !isMeant || nrShown >= ROWS_AT_ONCE;
		nr += isMeant;
		nrShown += !row.hidden;
		row.classList.toggle("beyond", nrShown > ROWS_ON_PAPER);
	}
	paper.textContent = nr > ROWS_ON_PAPER ? `The first ${ROWS_ON_PAPER} of ${nr} rows: what is sorted or filtered before ` +
		"it is printed has others." : "";
	if (count)
		count.textContent = nr === nrShown ? `${nr} rows` : `${nrShown} of ${nr} rows: filter for more`;
}

function enhanceTable(table) {
	const input = document.querySelector(`input[data-filter="${table.id}"]`);
	const count = input && input.parentElement.querySelector('[role="status"]');
	const paper = make("p", { class: "paper dim" });
	const refilter = () => filterTable(table, input ? input.value : "", count, paper);

	[...table.tHead.rows[0].cells].forEach((cell, column) => {
		if (cell.classList.contains("trend"))
			return;
		const button = make("button", { type: "button" }, cell.textContent);
		button.addEventListener("click", () => {
			const was = cell.getAttribute("aria-sort");
			sortTable(table, column, was ? was === "ascending" : cell.classList.contains("n"));
			refilter();
		});
		cell.replaceChildren(button);
	});
	table.after(paper);
	if (input)
		input.addEventListener("input", refilter);
	refilter();
}
