"use strict";
// What a training plans: the settings of each parameter group ahead of time, and the hooks in their order, with their times.

const Plan = (() => {
  const { make, row, right, number, short, span } = Parts;
  const COLORS = 8;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let shown = { key: "", element: null, plots: [] };

  const isScheduled = ([, values]) => values.length > 1;

  // `0 → 0.02 → 1e-6`: the first value, the one farthest from a straight line between the ends, the last one.
  function course(values) {
    if (values.length === 1) return short(values[0]);
    const ends = [values[0], values[values.length - 1]];
    const far = values.reduce((best, value) => (value > Math.max(...ends, best) || value < Math.min(...ends, best) ? value : best), ends[0]);
    return [...new Set([ends[0], far, ends[1]])].map(short).join(" → ");
  }

  // `curves`: what is drawn for a setting, each with a name and its values.
  function chart(setting, curves, plan, plots) {
    const groups = curves.filter((curve) => curve.values);
    const data = [plan.moments, ...groups.map((group) => (group.values.length > 1 ? group.values : plan.moments.map(() => group.values[0])))];
    const place = make("div", { class: "plot" });
    const figure = make("figure", { "data-schedule": setting, role: "group", "aria-label": `${setting} over the iters of the training. The values are in the table below.` }, make("figcaption", {}, make("h4", {}, setting)), place);
    plots.push(() => {
      const stroke = css("--front"), grid = { stroke: css("--line"), width: 1 };
      const values = (u, ticks) => ticks.map((tick) => (tick === null ? "" : Parts.tick(tick)));
      const value = (u, value) => (value === null || value === undefined ? "" : number(value));
      const series = groups.map((group, place) => ({ label: group.name, stroke: css(`--c${place % COLORS}`), width: 1.6, dash: place < COLORS ? [] : [7, 4], points: { show: false }, value }));
      return new uPlot({
        width: Math.max(100, place.clientWidth || 440), height: 200, scales: { x: { time: false } }, axes: [{ stroke, grid, values }, { stroke, grid, size: 64, values }],
        series: [{ label: "iter", value }, ...series], legend: { show: groups.length <= 12 }, cursor: { drag: { x: false, y: false } },
      }, data, place);
    });
    return figure;
  }

  function schedules(plan, plots) {
    const names = [...new Set(plan.groups.flatMap((group) => group.settings.map(([name]) => name)))];
    const scheduled = names.filter((name) => plan.groups.some((group) => group.settings.some((setting) => setting[0] === name && isScheduled(setting))));
    const parts = plan.parts || [];
    const curves = (name) => plan.groups.map((group) => ({ name: group.name, values: (group.settings.find((setting) => setting[0] === name) || [])[1] }));
    const charts = [
      ...scheduled.map((name) => chart(name, curves(name), plan, plots)),
      ...parts.filter(isScheduled).map(([path, values]) => chart(path, [{ name: path, values }], plan, plots)),
    ];
    const head = row(["Parameter group", right("Tensors"), ...names.map(right)], "th");
    const rows = plan.groups.map((group) => {
      const settings = new Map(group.settings);
      const frozen = group.frozen ? `${group.tensors}, ${group.frozen} frozen` : String(group.tensors);
      return row([make("td", { class: "text" }, group.name), make("td", { class: "number" }, frozen), ...names.map((name) => make("td", { class: "number" }, settings.has(name) ? course(settings.get(name)) : ""))]);
    });
    const length = `${plan.max_iters} iters${plan.max_epochs === null ? "" : ` in ${plan.max_epochs} epochs`}`;
    return [
      make("h3", {}, `Schedules over ${length}`),
      charts.length ? make("div", { class: "charts" }, charts) : make("p", { class: "note" }, "No setting has a schedule."),
      make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Parameter groups" }, make("table", {}, make("thead", {}, head), make("tbody", {}, rows))),
      ...(parts.length ? [make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Settings that a schedule can change" }, make("table", {},
        make("thead", {}, row(["Setting of a hook, a metric or the trainer", right("Value")], "th")),
        make("tbody", {}, parts.map(([path, values]) => row([make("td", { class: "text" }, path), make("td", { class: "number" }, course(values))])))))] : []),
    ];
  }

  function hooks(plan, costs) {
    const iters = costs ? costs.iters[1] - costs.iters[0] + 1 : 0;
    const found = new Map((costs ? costs.parts : []).map((part) => [`${part.kind} ${part.name}`, part]));
    const time = (part) => (part ? [make("td", { class: "number" }, short(part.calls / iters)), make("td", { class: "number" }, span(part.micros / iters))] : costs ? ["", ""] : []);
    const titles = () => (costs ? ["Calls an iter", "Time an iter"].map(right) : []);
    const rows = plan.phases.flatMap(({ phase, hooks }) => hooks.map((hook, place) => row([
      place ? "" : make("th", { scope: "rowgroup" }, phase), String(hook.level), make("td", { class: "text" }, hook.name), make("td", { class: "text" }, hook.origin.replaceAll("`", "")), ...time(found.get(`hook ${hook.name} in ${phase}`)),
    ])));
    const note = costs
      ? `Times are those of the iters ${costs.iters[0]} to ${costs.iters[1]}, from the newest profile of this run, and include what the profiler costs.`
      : "How long each takes is told by a run with --profile.";
    const parts = (costs ? costs.parts : []).filter((part) => part.kind !== "hook").map((part) => row([`${part.kind} ${part.name}`, ...time(part)]));
    const table = (label, head, rows) => make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, make("table", {}, make("thead", {}, row(head, "th")), make("tbody", {}, rows)));
    return [
      make("h3", {}, "Hooks, in the order in which they are called"), make("p", { class: "note" }, note),
      table("Hooks", ["Phase", "Level", "Hook", "From", ...titles()], rows),
      ...(parts.length ? [make("h3", {}, "Parts of an iter"), table("Parts of an iter", ["Part", ...titles()], parts)] : []),
    ];
  }

  // The part of the page; the same element as long as nothing has changed. `draw` is to be called when it is on the page.
  function of(run, detail) {
    const key = JSON.stringify([run, detail.plan, detail.costs, css("--front"), document.documentElement.clientWidth]);
    if (shown.key === key) return { element: shown.element, draw() {} };
    shown.plots.forEach((plot) => plot.destroy());
    const later = [];
    const parts = detail.plan ? [...schedules(detail.plan, later), ...hooks(detail.plan, detail.costs)] : [make("p", { class: "note" }, "This run has no plan.json, which a training writes at its begin.")];
    shown = { key, element: make("div", {}, parts), plots: [] };
    return { element: shown.element, draw: () => { shown.plots = later.map((plot) => plot()); } };
  }

  return { of };
})();
