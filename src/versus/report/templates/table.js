"use strict";
// Sorting and filtering. The page is complete without this; nothing here reads or sends anything.
(() => {
  const key = (cell) => ("key" in cell.dataset ? Number(cell.dataset.key) : null);

  function compare(a, b, numeric) {
    if (!numeric) return a.textContent.trim().localeCompare(b.textContent.trim());
    const [x, y] = [key(a), key(b)];
    return x - y;
  }

  function sort(table, header, column) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const numeric = header.classList.contains("number");
    const before = header.getAttribute("aria-sort");
    const first = header.dataset.first || "ascending";
    const second = first === "ascending" ? "descending" : "ascending";
    const order = before === first ? second : first;
    const sign = order === "ascending" ? 1 : -1;
    // A cell without a key has no value: it stays last either way.
    const unknown = (row) => numeric && !Number.isFinite(key(row.cells[column]) ?? NaN);
    rows.sort((a, b) =>
      unknown(a) - unknown(b) || (unknown(a) ? 0 : sign * compare(a.cells[column], b.cells[column], numeric)));
    body.append(...rows);
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
  }

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sort(table, header, column));
      header.append(button);
    });
  }

  for (const form of document.querySelectorAll("form.filter")) {
    const rows = [...document.querySelectorAll("table.headline tbody tr")];
    // The filter stands in the address, so that a link shows the same rows.
    const selects = [...form.querySelectorAll("select")];
    const asked = new URLSearchParams(location.hash.startsWith("#rows?") ? location.hash.slice(6) : "");
    for (const select of selects) {
      const value = asked.get(select.dataset.filter);
      if ([...select.options].some((option) => option.value === value)) select.value = value;
    }
    const note = () => {
      const chosen = selects.filter((s) => s.value).map((s) => [s.dataset.filter, s.value]);
      history.replaceState(null, "", chosen.length ? `#rows?${new URLSearchParams(chosen)}` : "#table");
    };
    const update = () => {
      const wanted = selects.map((s) => [s.dataset.filter, s.value]);
      for (const row of rows) row.hidden = !wanted.every(([name, value]) => !value || row.dataset[name] === value);
      const shown = rows.filter((row) => !row.hidden).length;
      form.querySelector("[role=status]").textContent = `${shown} of ${rows.length} models`;
      for (const table of document.querySelectorAll("table.headline")) {
        table.parentElement.hidden = ![...table.tBodies[0].rows].some((row) => !row.hidden);
      }
    };
    form.addEventListener("change", () => { update(); note(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    update();
  }
})();
