"use strict";
// Orders the rows of tables by a column, and reads values off heat maps. The page says all without it.
(() => {
  const GAPS = /[\u2009\u202f]|,(?=\d{3}(?!\d))/g;
  const NUMBER = /^[<≈]?\s*([+\-−]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(k|M|G)?(?=$|[\s%(])/;
  const SIZES = new Map([["k", 1e3], ["M", 1e6], ["G", 1e9]]);
  const words = new Intl.Collator("en", {numeric: true});

  // A cell's value: null where it is empty or a dash, a number, or its text.
  const valueOf = (cell) => {
    const text = cell.textContent.trim();
    if (text === "" || text === "–") return null;
    const found = NUMBER.exec(text.replace(GAPS, ""));
    return found ? Number(found[1].replace("−", "-")) * (SIZES.get(found[2]) || 1) : text;
  };

  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : words.compare(a, b));

  const order = (rows, column, direction) => {
    const keyed = rows.map((row) => [valueOf(row.cells[column]), row]);
    if (direction === "none") return rows;
    const sign = direction === "ascending" ? 1 : -1;
    const allNumbers = keyed.every(([value]) => value === null || typeof value === "number");
    const key = (value, row) => (allNumbers ? value : row.cells[column].textContent.trim());
    return keyed
      .sort(([a, x], [b, y]) => {
        if (a === null || b === null) return (a === null) - (b === null);
        return sign * compare(key(a, x), key(b, y));
      })
      .map(([, row]) => row);
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const next = now === "ascending" ? "descending" : now === "descending" ? "none" : "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        if (next !== "none") head.setAttribute("aria-sort", next);
        body.append(...order(rows, column, next));
      });
    });
  }

  // A heat map: the pointer, a finger or the arrow keys say which cell is read.
  const readable = (figure, grid, label, mark, table) => {
    const [left, top, width, height] = grid.split(" ").map(Number);
    const rows = [...table.tBodies[0].rows];
    const columns = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
    const area = document.createElement("div");
    area.className = "cells";
    area.tabIndex = 0;
    area.setAttribute("role", "group");
    area.setAttribute("aria-label", "Heat map " + table.caption.textContent + ": arrow keys read its values");
    Object.assign(area.style, {left: left + "%", top: top + "%", width: width + "%", height: height + "%"});
    let at = null;
    const hide = () => { label.hidden = mark.hidden = true; };
    const show = (row, column) => {
      at = [row, column];
      label.textContent = rows[row].cells[0].textContent + " – " + columns[column] + ": "
        + rows[row].cells[column + 1].textContent;
      const w = width / columns.length, h = height / rows.length;
      const x = left + column * w, y = top + row * h;
      Object.assign(mark.style, {left: x + "%", top: y + "%", width: w + "%", height: h + "%"});
      const right = x > 50;
      Object.assign(label.style, {
        left: right ? "auto" : x + w + "%", right: right ? 100 - x + "%" : "auto",
        top: y > 6 ? "auto" : y + h + "%", bottom: y > 6 ? 100 - y + "%" : "auto",
      });
      label.hidden = mark.hidden = false;
    };
    const point = (event) => {
      const box = area.getBoundingClientRect();
      const column = Math.floor(((event.clientX - box.left) / box.width) * columns.length);
      const row = Math.floor(((event.clientY - box.top) / box.height) * rows.length);
      if (row >= 0 && column >= 0 && row < rows.length && column < columns.length) show(row, column);
    };
    const steps = new Map([["ArrowUp", [-1, 0]], ["ArrowDown", [1, 0]], ["ArrowLeft", [0, -1]], ["ArrowRight", [0, 1]]]);
    area.addEventListener("pointermove", point);
    area.addEventListener("pointerdown", point);
    area.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });
    area.addEventListener("focus", () => { if (at === null) show(0, 0); else show(...at); });
    area.addEventListener("blur", hide);
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
      const step = steps.get(event.key);
      if (!step) return;
      event.preventDefault();
      const [row, column] = at || [0, 0];
      const within = (place, count) => Math.min(Math.max(place, 0), count - 1);
      show(within(row + step[0], rows.length), within(column + step[1], columns.length));
    });
    figure.append(area);
  };

  for (const figure of document.querySelectorAll("figure")) {
    const tables = figure.querySelectorAll("table[data-box]");
    if (tables.length === 0) continue;
    const picture = figure.querySelector(".picture");
    const mark = document.createElement("div");
    mark.className = "mark";
    const label = document.createElement("output");
    label.className = "reading";
    label.hidden = mark.hidden = true;
    for (const table of tables) readable(picture, table.dataset.box, label, mark, table);
    picture.append(mark, label);
  }

  // Paper cannot be clicked: what is folded away is printed, but for the values behind pictures.
  const folded = () => [...document.querySelectorAll("details:not(.values)")];
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = folded().filter((one) => !one.open);
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
})();
