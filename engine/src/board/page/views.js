"use strict";
// The table of runs, the settings, and one run.

const Views = (() => {
  const { make, row, number, clock, bytes, when, state, commit } = Parts;
  const MOST_METRICS = 5;

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

  function table(runs, all, { chosen, color, sort, choose, sortBy }) {
    const keys = columns(all);
    const head = [["name", "Run"], ["state", "State"], ["iter", "Epoch, iter"], ["time", "Length"], ["begun", "Begun"], ["commit", "Commit"], ...keys.map((key) => [key, `Best ${key}`])];
    const titles = head.map(([column, title]) => make("th", {
      scope: "col", "aria-sort": sort.column !== column ? "none" : sort.down ? "descending" : "ascending",
      class: column === "begun" || column === "commit" ? "second" : null,
    }, make("button", { type: "button", onclick: () => sortBy(column) }, title + (sort.column !== column ? "" : sort.down ? " ↓" : " ↑"))));
    const rows = sorted(runs, sort).map((run) => {
      const box = make("input", { type: "checkbox", checked: chosen.has(run.id), onchange: (event) => choose(run.id, event.target.checked), "data-run": run.id });
      const swatch = make("span", { class: "swatch" });
      if (chosen.has(run.id)) swatch.style.background = `var(--c${color(run.id)})`;
      const name = make("td", { class: "name", title: run.folder }, make("label", {}, box, swatch, run.name));
      const reading = run.progress < 1 ? make("progress", { max: "1", value: String(run.progress), "aria-label": "read so far" }) : null;
      const cells = keys.map((key) => {
        const metric = best(run, key);
        return make("td", { class: "number" }, metric ? number(metric.best) : "", metric ? make("span", { class: "place" }, ` at ${metric.best_iter}`) : null);
      });
      return make("tr", { class: chosen.has(run.id) ? "chosen" : null }, name,
        make("td", { title: run.detail }, state(run), " ", reading),
        make("td", {}, `${run.epoch}, ${run.iter}`), make("td", {}, clock(run.time)),
        make("td", { class: "second", title: run.begun }, when(run.begun)),
        make("td", { class: "second", title: run.commit }, commit(run.commit)), cells);
    });
    const place = document.getElementById("runs");
    // the element that has the focus is made anew, and gets it back
    const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.run : null;
    place.replaceChildren(make("thead", {}, make("tr", {}, titles)), make("tbody", {}, rows));
    if (focused) {
      const again = [...place.querySelectorAll("input")].find((box) => box.dataset.run === focused);
      if (again) again.focus();
    }
  }

  async function settings(runs, all) {
    const found = runs.length ? await Source.settings(runs.map((run) => run.id)) : [];
    const maps = found.map((run) => new Map(run.settings.map((setting) => [setting.path, setting])));
    const paths = [...new Set(found.flatMap((run) => run.settings.map((setting) => setting.path)))];
    // where a run lies and what it is called differs always
    const differs = (path) => path !== "name" && path !== "work_dir" && new Set(maps.map((map) => map.get(path)?.value)).size > 1;
    const shown = all || runs.length < 2 ? paths : paths.filter(differs);
    const names = found.map((run) => make("th", { scope: "col" }, runs.find((known) => known.id === run.run).name));
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
    const table = make("div", { class: "scroll" }, make("table", {}, make("thead", {}, row(["Checkpoint", "Epoch, iter", "Size", "State", "Metrics"], "th")), make("tbody", {}, saved)));
    const old = place.querySelector("pre");
    const follow = !old || old.scrollTop + old.clientHeight >= old.scrollHeight - 8;
    const log = make("pre", { tabindex: "0", "aria-label": "The last lines of the log" }, detail.log.join("\n"));
    const plan = Plan.of(run.id, detail);
    place.replaceChildren(list, ...notices, make("h3", {}, "Checkpoints"), saved.length ? table : make("p", {}, "There is none."), make("h3", {}, "Log"), log, plan.element);
    plan.draw();
    log.scrollTop = follow ? log.scrollHeight : old.scrollTop;
  }

  return { table, settings, one };
})();
