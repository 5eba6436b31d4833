"use strict";
// Everything on the page can be read without this. It sorts and filters tables, and divides long ones.
(() => {
  const STEP = 100;
  const collator = new Intl.Collator("en", { numeric: true });
  const byId = (id) => document.getElementById(id);

  const make = (name, text, listener) => {
    const element = document.createElement(name);
    element.textContent = text;
    element.type = "button";
    element.addEventListener("click", listener);
    return element;
  };

  // Each group of violations with its rows, and how many of those that match are shown.
  const groups = [...document.querySelectorAll(".group")].map((card) => ({
    card,
    rows: [...card.querySelectorAll(".violations > tbody > tr")],
    texts: null,
    wasOpen: card.open,
    limit: STEP,
  }));

  const controls = ["search", "severity", "change", "rule"].map(byId);
  const asked = () => controls.map((control) => control.value.trim());

  const matching = (group, [search, severity, change, rule]) => {
    const { card, rows } = group;
    if ((severity && card.dataset.severity !== severity) || (rule && card.dataset.rule !== rule)) return [];
    if (search && !group.texts) {
      const about = card.querySelector("summary").textContent + card.dataset.rule;
      group.texts = new Map(rows.map((row) => [row, (row.textContent + about).toLowerCase()]));
    }
    const words = search.toLowerCase().split(/\s+/);
    return rows.filter(
      (row) =>
        (!change || row.cells[0].textContent.trim() === change) &&
        (!search || words.every((word) => group.texts.get(row).includes(word))),
    );
  };

  const show = (group, found) => {
    const visible = new Set(found.slice(0, group.limit));
    for (const row of group.rows) row.hidden = !visible.has(row);
    const left = found.length - visible.size;
    group.more.hidden = group.all.hidden = left === 0;
    group.more.textContent = `Show ${Math.min(STEP, left)} more`;
    group.all.textContent = `Show all ${found.length.toLocaleString("en")}`;
  };

  const apply = () => {
    const wanted = asked();
    const isFiltered = wanted.some(Boolean);
    let all = 0;
    let sum = 0;
    for (const group of groups) {
      const found = matching(group, wanted);
      group.card.hidden = isFiltered && found.length === 0;
      group.card.open = isFiltered ? true : group.wasOpen;
      all += group.rows.length;
      sum += found.length;
      show(group, found);
    }
    const status = byId("matching");
    status.hidden = false;
    const count = (number) => number.toLocaleString("en");
    status.textContent = isFiltered ? `${count(sum)} of ${count(all)} violations match.` : `${count(all)} violations.`;
  };

  // A change of what is asked for begins with the first rows again.
  const ask = () => {
    for (const group of groups) group.limit = STEP;
    apply();
  };

  const sort = (table, column, button) => {
    const head = button.parentElement;
    const isNumber = head.classList.contains("n");
    const descending = head.hasAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : isNumber;
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const order = ["CRITICAL", "HIGH", "MEDIUM", "LOW"];
    const key = (row) => {
      const text = row.cells[column].textContent.trim();
      if (isNumber) return Number(text.replaceAll(",", "")) || 0;
      const place = order.indexOf(text);
      return place < 0 ? text : String(place);
    };
    const compare = isNumber ? (a, b) => a - b : (a, b) => collator.compare(a, b);
    const sorted = [...body.rows].map((row) => [key(row), row]).sort((a, b) => compare(a[0], b[0]));
    if (descending) sorted.reverse();
    body.append(...sorted.map(([, row]) => row));
    const group = groups.find(({ card }) => card.contains(table));
    if (group) {
      group.rows = [...body.rows];
      apply();
    }
  };

  for (const table of document.querySelectorAll(".sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = make("button", head.textContent, () => sort(table, column, button));
      head.replaceChildren(button);
    });
  }

  // What fits into the window has nothing to scroll, so it is no stop of the Tab key.
  const stops = () => {
    for (const area of document.querySelectorAll(".scroll")) area.tabIndex = area.scrollWidth > area.clientWidth ? 0 : -1;
  };

  if (groups.length > 0) {
    for (const group of groups) {
      const grow = (limit) => {
        group.limit = limit;
        apply();
      };
      group.more = make("button", "", () => grow(group.limit + STEP));
      group.all = make("button", "", () => grow(Infinity));
      for (const button of [group.more, group.all]) {
        button.className = "more";
        group.card.append(button);
      }
      group.card.querySelector("summary").addEventListener("click", () => {
        if (!asked().some(Boolean)) group.wasOpen = !group.card.open;
      });
    }
    for (const control of controls) control.addEventListener("input", ask);
    byId("clear").addEventListener("click", () => {
      for (const control of controls) control.value = "";
      ask();
    });
    byId("filters").hidden = false;
    apply();

    // A link to a violation shows it, wherever it is.
    const find = () => {
      const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      const group = groups.find(({ rows }) => rows.includes(row));
      if (!group) return;
      group.card.open = group.wasOpen = true;
      if (row.hidden) {
        for (const control of controls) control.value = "";
        group.limit = Infinity;
        apply();
      }
      row.scrollIntoView();
    };
    addEventListener("hashchange", find);
    if (location.hash) find();

    // On paper there is nothing to unfold.
    addEventListener("beforeprint", () => {
      for (const group of groups) {
        group.before = [group.limit, group.card.open];
        [group.limit, group.card.open] = [Infinity, true];
        show(group, matching(group, asked()));
      }
    });
    addEventListener("afterprint", () => {
      for (const group of groups) {
        [group.limit, group.card.open] = group.before;
        show(group, matching(group, asked()));
      }
    });
  }
  stops();
  addEventListener("resize", stops);
})();
