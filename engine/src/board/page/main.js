"use strict";
// What is chosen, and what happens when it changes. The choice is kept in the address, so that a page can be reloaded.

(() => {
  const by = (id) => document.getElementById(id);
  const NAMES = ["name", "sweep", "state", "commit"]; // columns of names, which are sorted from the first one on
  const VIEWS = ["curves", "settings", "run", "media", "sweep"];
  const FIRST = 8; // runs that are chosen at the begin
  const MOST_SHOWN = 50; // runs that are chosen at once
  const runs = new Map();
  let order = [], version = 0, first = true;
  const slots = []; // the colour of each chosen run is its place here
  const look = { view: "curves", axis: "iter", filter: "", names: "", smooth: 0, log: false, metric: "", from: null, to: null, all: false, one: "", sort: { column: "begun", down: true } };

  const all = () => order.map((id) => runs.get(id)).filter(Boolean);
  const slot = (id) => slots.indexOf(id);
  const color = (id) => slot(id) % 8;
  const chosen = () => all().filter((run) => slots.includes(run.id));
  const several = ({ name, sweep }) => all().filter((run) => run.name === name && run.sweep === sweep).length > 1;
  const name = (id) => {
    const run = runs.get(id);
    if (!run) return "";
    const short = run.sweep ? `${run.sweep}/${run.name}` : run.name;
    return several(run) ? run.folder : short;
  };

  function choose(id, on) {
    const place = slots.indexOf(id);
    if (on && place < 0) {
      const free = slots.indexOf(null);
      if (free < 0) slots.push(id);
      else slots[free] = id;
    } else if (!on && place >= 0) slots[place] = null;
    show();
  }

  // The curves of these runs, and of no others.
  function compare(ids) {
    slots.splice(0, slots.length, ...ids);
    look.view = "curves";
    show();
  }

  function filtered() {
    const words = look.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const text = (run) => [run.name, run.sweep, run.state, run.detail, run.commit, run.folder].join(" ").toLowerCase();
    return all().filter((run) => words.every((word) => text(run).includes(word)));
  }

  function showTable() {
    const shown = filtered();
    const taken = new Set(slots.filter(Boolean));
    Views.table(shown, all(), {
      chosen: taken, color, sort: look.sort, choose,
      sortBy: (column) => {
        look.sort = { column, down: look.sort.column === column ? !look.sort.down : !NAMES.includes(column) };
        show();
      },
    });
    Views.chips(chosen(), { color, choose, name });
    by("count").textContent = `${shown.length} of ${all().length} runs, ${chosen().length} chosen`;
  }

  const showView = Parts.steady(async () => {
    if (look.view === "curves") {
      Charts.update({
        chosen: chosen(), axis: look.axis, smooth: look.smooth, log: look.log, metric: look.metric.toLowerCase(), from: look.from, to: look.to, slot, name,
        zoom: (from, to) => {
          [look.from, look.to] = [from, to];
          show();
        },
      });
    } else if (look.view === "media") await Media.show(chosen(), name, look.names.toLowerCase());
    else if (look.view === "sweep") await Sweeps.show(compare);
    else if (look.view === "settings") await Views.settings(chosen(), look.all, name);
    else {
      const offered = all();
      if (!runs.has(look.one)) look.one = (chosen()[0] || offered[0] || { id: "" }).id;
      Parts.offer(by("one"), offered.map((run) => [run.id, name(run.id)]), look.one);
      await Views.one(runs.get(look.one));
    }
  });

  function show() {
    for (const view of VIEWS) {
      by(`view-${view}`).hidden = view !== look.view;
      by(`tab-${view}`).setAttribute("aria-selected", String(view === look.view));
      by(`tab-${view}`).tabIndex = view === look.view ? 0 : -1;
    }
    by("smooth-value").textContent = String(look.smooth);
    by("whole").disabled = look.from === null && look.to === null;
    showTable();
    showView();
    keep();
  }

  function keep() {
    const { view, axis, filter, names, smooth, log, metric, from, to, one, sort } = look;
    const kept = { view, axis, filter, names, smooth, log, metric, from, to, one, column: sort.column, down: sort.down, runs: slots.filter(Boolean).join(",") };
    const query = new URLSearchParams(Object.entries(kept).filter(([, value]) => value !== null && value !== "" && value !== false));
    history.replaceState(null, "", `#${query}`);
  }

  function recall() {
    const kept = new URLSearchParams(location.hash.slice(1));
    const finite = (name) => (kept.get(name) !== null && Number.isFinite(Number(kept.get(name))) ? Number(kept.get(name)) : null);
    if (VIEWS.includes(kept.get("view"))) look.view = kept.get("view");
    if (["iter", "epoch", "time"].includes(kept.get("axis"))) look.axis = kept.get("axis");
    look.smooth = Math.min(0.99, Math.max(0, finite("smooth") ?? 0));
    look.log = kept.get("log") === "true";
    [look.metric, look.filter, look.names] = ["metric", "filter", "names"].map((name) => kept.get(name) || "");
    [look.from, look.to, look.one] = [finite("from"), finite("to"), kept.get("one") || ""];
    if (kept.get("column")) look.sort = { column: kept.get("column"), down: kept.get("down") === "true" };
    by("axis").value = look.axis;
    by("smooth").value = String(look.smooth);
    by("log").checked = look.log;
    for (const box of ["metric", "filter", "names"]) by(box).value = look[box];
    return (kept.get("runs") || "").split(",").filter(Boolean);
  }

  const refresh = Parts.steady(async () => {
    const told = await Source.runs(version);
    ({ version, order } = told);
    for (const run of told.runs) runs.set(run.id, run);
    if (first && all().length) {
      first = false;
      const wanted = recalled.filter((id) => order.includes(id));
      // runs that began in the same second stay in the order of the table
      const newest = [...all()].sort((a, b) => (b.begun || "").localeCompare(a.begun || "")).map((run) => run.id);
      slots.push(...(wanted.length ? wanted : newest.slice(0, FIRST)));
    }
    document.title = all().some((run) => run.state === "running") ? "▶ Runs" : "Runs";
    if (told.runs.length || first || order.length !== all().length) show();
    else showTable();
  });

  const recalled = recall();
  VIEWS.forEach((view, place) => {
    const tab = by(`tab-${view}`);
    const open = (to) => {
      look.view = VIEWS[(to + VIEWS.length) % VIEWS.length];
      show();
      by(`tab-${look.view}`).focus();
    };
    tab.addEventListener("click", () => open(place));
    tab.addEventListener("keydown", (event) => {
      if (event.key === "ArrowRight") open(place + 1);
      if (event.key === "ArrowLeft") open(place - 1);
    });
  });
  const on = (id, event, change) => by(id).addEventListener(event, (happened) => {
    change(happened.target);
    show();
  });
  by("filter").addEventListener("input", (event) => {
    look.filter = event.target.value.trim();
    showTable();
    keep();
  });
  on("names", "input", (names) => { look.names = names.value.trim(); });
  on("shown", "click", () => { slots.splice(0, slots.length, ...filtered().slice(0, MOST_SHOWN).map((run) => run.id)); });
  on("none", "click", () => { slots.length = 0; });
  on("axis", "change", (axis) => { [look.axis, look.from, look.to] = [axis.value, null, null]; });
  on("smooth", "input", (smooth) => { look.smooth = Number(smooth.value); });
  on("log", "change", (log) => { look.log = log.checked; });
  on("metric", "input", (metric) => { look.metric = metric.value.trim(); });
  on("whole", "click", () => { [look.from, look.to] = [null, null]; });
  on("all-settings", "change", (box) => { look.all = box.checked; });
  on("sweep-one", "change", (sweep) => Sweeps.choose(sweep.value));
  on("one", "change", (one) => { look.one = one.value; });
  document.addEventListener("keydown", (event) => {
    // a box or a slider that has the focus takes no letters
    const typing = event.target.matches("input:not([type=checkbox]):not([type=range]), select, textarea");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      event.preventDefault();
      by("filter").focus();
    }
    const view = VIEWS[Number(event.key) - 1];
    if (view) {
      look.view = view;
      show();
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  let resized = null;
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(show, 150);
  });
  by("live").textContent = Source.isLive ? "…" : "A report: the numbers as they were when it was written.";
  Source.listen(refresh, (there) => { by("live").textContent = there ? "live" : "the board does not answer; trying again"; });
  refresh();
})();
