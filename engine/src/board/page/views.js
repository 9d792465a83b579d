"use strict";
// The table of runs, the settings, and one run.

const Views = (() => {
  const { make, row, right, number, clock, bytes, when, state, commit } = Parts;
  const MOST_METRICS = 5;
  const MOST_CHIPS = 24;
  const TOLD = ["stopped", "failed"]; // states whose reason the table tells

  // The metrics that get a column: those of evaluations, in the order of the first run that has them.
  function columns(runs) {
    const keys = new Set();
    for (const run of runs) {
      for (const metric of run.metrics) if (!metric.key.startsWith("train/")) keys.add(metric.key);
    }
    return [...keys].slice(0, MOST_METRICS);
  }

  const best = (run, key) => {
    const metric = run.metrics.find((metric) => metric.key === key);
    return metric && metric.best !== null ? metric : null;
  };

  // What a column is sorted by.
  function value(run, column) {
    switch (column) {
      case "name": return run.name.toLowerCase();
      case "sweep": return run.sweep;
      case "state": return run.state;
      case "iter": return run.iter;
      case "time": return run.time;
      case "begun": return run.begun || "";
      case "commit": return run.commit || "";
      default: {
        const metric = best(run, column);
        return metric ? metric.best : null;
      }
    }
  }

  function sorted(runs, { column, down }) {
    const order = (a, b) => {
      const [left, right] = [value(a, column), value(b, column)];
      if (left === null || right === null) return Number(left === null) - Number(right === null);
      const less = left < right ? -1 : left > right ? 1 : 0;
      return down ? -less : less;
    };
    return [...runs].sort(order);
  }

  const lines = new Map(); // the line of each run in the table
  let heads = "";

  // What is pressed or has the focus stays on the page while numbers arrive: a click would be lost otherwise.
  function table(runs, all, { chosen, color, sort, choose, sortBy }) {
    const keys = columns(all);
    const hasSweeps = all.some((run) => run.sweep);
    const place = document.getElementById("runs");
    if (!place.tBodies.length) place.replaceChildren(make("thead", {}), make("tbody", {}));
    const state = JSON.stringify([keys, sort, hasSweeps]);
    if (state !== heads) {
      const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.column : undefined;
      place.tHead.replaceChildren(titles(keys, hasSweeps, sort, sortBy));
      const again = [...place.tHead.querySelectorAll("button")].find((button) => button.dataset.column === focused);
      if (again) again.focus();
      heads = state;
    }
    const rows = sorted(runs, sort).map((run) => line(run, { keys, hasSweeps, isChosen: chosen.has(run.id), color: color(run.id), choose }));
    const body = place.tBodies[0];
    if (rows.length !== body.rows.length || rows.some((row, at) => body.rows[at] !== row)) body.replaceChildren(...rows);
    for (const id of lines.keys()) if (!all.some((run) => run.id === id)) lines.delete(id);
  }

  function titles(keys, hasSweeps, sort, sortBy) {
    const head = [["name", "Run"], ...(hasSweeps ? [["sweep", "Sweep"]] : []), ["state", "State"], ["iter", "Epoch, iter"], ["time", "Length"], ["begun", "Begun"], ["commit", "Commit"], ...keys.map((key) => [key, `Best ${key}`])];
    return make("tr", {}, head.map(([column, title]) => make("th", {
      scope: "col", "aria-sort": sort.column !== column ? "none" : sort.down ? "descending" : "ascending",
      class: column === "begun" || column === "commit" ? "second" : keys.includes(column) ? "number" : null,
    }, make("button", { type: "button", onclick: () => sortBy(column), "data-column": column }, title + (sort.column !== column ? "" : sort.down ? " ↓" : " ↑")))));
  }

  function line(run, { keys, hasSweeps, isChosen, color, choose }) {
    let known = lines.get(run.id);
    if (!known) {
      const box = make("input", { type: "checkbox", onchange: (event) => choose(run.id, event.target.checked), "data-run": run.id });
      const swatch = make("span", { class: "swatch" });
      const name = make("td", { class: "name", title: run.folder }, make("label", {}, box, swatch, make("span", {}, run.name)));
      known = { box, swatch, name, row: make("tr", {}, name), told: "" };
      lines.set(run.id, known);
    }
    known.box.checked = isChosen;
    known.swatch.style.background = isChosen ? `var(--c${color})` : "";
    known.row.className = isChosen ? "chosen" : "";
    const told = JSON.stringify([run, keys, hasSweeps]);
    if (known.told === told) return known.row;
    known.told = told;
    const reading = run.progress < 1 ? make("progress", { max: "1", value: String(run.progress), "aria-label": "read so far" }) : null;
    const cells = keys.map((key) => {
      const metric = best(run, key);
      return make("td", { class: "number" }, metric ? number(metric.best) : "", metric ? make("span", { class: "place" }, ` at ${metric.best_iter}`) : null);
    });
    while (known.row.lastChild !== known.name) known.row.lastChild.remove();
    known.row.append(...(hasSweeps ? [make("td", {}, run.sweep || "")] : []),
      make("td", { title: run.detail }, state(run), " ", ...(reading ? [reading] : []), ...(TOLD.includes(run.state) ? [make("div", { class: "place cut" }, run.detail)] : [])),
      make("td", {}, `${run.epoch}, ${run.iter}`), make("td", {}, clock(run.time)),
      make("td", { class: "second", title: run.begun || "" }, when(run.begun)),
      make("td", { class: "second", title: run.commit || "" }, commit(run.commit)), ...cells);
    return known.row;
  }

  // The chosen runs with their colours, wherever the table is scrolled to. A click takes one out.
  function chips(runs, { color, choose, name }) {
    const shown = runs.slice(0, MOST_CHIPS).map((run) => {
      const swatch = make("span", { class: "swatch" });
      swatch.style.background = `var(--c${color(run.id)})`;
      return make("button", { type: "button", title: "do not show", onclick: () => choose(run.id, false), "data-run": run.id }, swatch, `${name(run.id)} ×`);
    });
    const key = JSON.stringify(runs.map((run) => [name(run.id), color(run.id)]));
    const place = document.getElementById("chosen");
    if (place.dataset.key === key) return;
    place.dataset.key = key;
    place.replaceChildren(...shown, ...(runs.length > shown.length ? [`and ${runs.length - shown.length} more`] : []));
  }

  async function settings(runs, all, name) {
    const found = runs.length ? await Source.settings(runs.map((run) => run.id)) : [];
    const maps = found.map((run) => new Map(run.settings.map((setting) => [setting.path, setting])));
    const paths = [...new Set(found.flatMap((run) => run.settings.map((setting) => setting.path)))];
    // where a run lies and what it is called differs always
    const differs = (path) => path !== "name" && path !== "work_dir" && new Set(maps.map((map) => map.get(path)?.value)).size > 1;
    const shown = all || runs.length < 2 ? paths : paths.filter(differs);
    const names = found.map((run) => make("th", { scope: "col" }, name(run.run)));
    const rows = shown.map((path) => make("tr", { class: differs(path) && all ? "chosen" : null }, make("th", { scope: "row" }, path),
      maps.map((map) => {
        const setting = map.get(path);
        return make("td", { class: "text" }, setting ? setting.value : "—", setting ? make("div", { class: "place" }, setting.place) : null);
      })));
    const problems = found.filter((run) => run.error).map((run) => row([make("td", { colspan: String(found.length + 1) }, run.error)]));
    if (!rows.length && !problems.length) {
      const why = runs.length ? "The settings of these runs are the same." : "Choose runs in the table above.";
      problems.push(row([make("td", { colspan: String(found.length + 1) }, why)]));
    }
    document.getElementById("settings").replaceChildren(make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Setting"), names)), make("tbody", {}, rows, problems));
  }

  let shown = {}; // the parts of the page of one run

  async function one(run) {
    const place = document.getElementById("run");
    if (!run) {
      place.replaceChildren(make("p", {}, "There is no run."));
      return;
    }
    const detail = await Source.detail(run.id);
    const facts = [["state", `${state(run)}${run.detail ? `: ${run.detail}` : ""}`], ["folder", run.folder], ["begun", when(run.begun)], ["last line", when(run.last)], ...detail.facts.filter(([name]) => name !== "folder")];
    const list = make("dl", {}, facts.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
    const notices = run.notices.map((notice) => make("p", { role: "note" }, notice));
    const saved = detail.checkpoints.map((state) => row([
      make("td", { class: "text" }, state.names.join(", ")), `${state.epoch}, ${state.iter}`, make("td", { class: "number" }, bytes(state.bytes)),
      make("td", { class: "text" }, state.damage || "whole, by sizes"),
      make("td", { class: "text long" }, state.metrics.map(([name, value]) => `${name} ${number(value)}`).join(", ")),
    ]));
    const table = make("div", { class: "scroll" }, make("table", {}, make("thead", {}, row(["Checkpoint", "Epoch, iter", right("Size"), "State", "Metrics"], "th")), make("tbody", {}, saved)));
    const told = make("div", {}, list, notices, make("h3", {}, "Checkpoints"), saved.length ? table : make("p", {}, "There is none."), make("h3", {}, "Log"));
    const text = detail.log.join("\n");
    if (!shown.log || shown.run !== run.id || !place.contains(shown.log)) {
      shown = { run: run.id, told, log: make("pre", { tabindex: "0", "aria-label": "The last lines of the log" }, text), plan: make("div", {}) };
      place.replaceChildren(shown.told, shown.log, shown.plan);
      shown.log.scrollTop = shown.log.scrollHeight;
    } else {
      shown.told.replaceWith(told);
      shown.told = told;
      // a log whose end is in sight is followed; one that somebody reads or marks is left where it is
      const follow = shown.log.scrollTop + shown.log.clientHeight >= shown.log.scrollHeight - 8;
      if (shown.log.textContent !== text) shown.log.textContent = text;
      if (follow) shown.log.scrollTop = shown.log.scrollHeight;
    }
    const plan = Plan.of(run.id, detail);
    if (plan.element.parentElement !== shown.plan) shown.plan.replaceChildren(plan.element);
    plan.draw();
  }

  return { table, chips, settings, one };
})();
