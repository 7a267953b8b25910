// The search of the catalogue: one list of names and titles, fetched once, filtered here.
// Nothing is asked of anybody else, nothing is kept, and the page is whole without it.
"use strict";
(() => {
  const MOST = 50;
  const form = document.getElementById("search");
  const field = form.querySelector("input");
  const told = form.querySelector("[role=status]");
  const list = form.querySelector("ul");
  const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  let index;

  async function lines() {
    if (!index) {
      const answer = await fetch(form.dataset.index);
      const read = await answer.json();
      index = read.lines.map((line) => ({ line, text: plain(line.slice(1).join(" ")) }));
    }
    return index;
  }

  function item([dataset, table, variable, title]) {
    const entry = document.createElement("li");
    const link = document.createElement("a");
    link.href = `table-${encodeURIComponent(table)}.html${variable ? "#" + encodeURIComponent(variable) : ""}`;
    link.textContent = variable ? `${table} · ${variable}` : table;
    entry.append(link, ` ${title} (${dataset})`);
    return entry;
  }

  async function search() {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    if (!words.length) {
      told.textContent = "";
      list.replaceChildren();
      return;
    }
    const found = (await lines()).filter(({ text }) => words.every((word) => text.includes(word)));
    list.replaceChildren(...found.slice(0, MOST).map(({ line }) => item(line)));
    const more = found.length - MOST;
    told.textContent = !found.length
      ? form.dataset.none
      : form.dataset.found.replace("{0}", found.length) +
        (more > 0 ? " · " + form.dataset.more.replace("{0}", more) : "");
  }

  form.hidden = false;
  field.addEventListener("input", () => search().catch(() => { form.hidden = true; }));
  form.addEventListener("submit", (event) => event.preventDefault());
})();
