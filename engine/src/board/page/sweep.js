"use strict";
// A sweep: what its trials have tried, and what came of it.

const Sweeps = (() => {
  const { make, row, right, number, short } = Parts;
  const by = (id) => document.getElementById(id);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const SIZE = { height: 300, top: 30, bottom: 40, side: 70 };
  const MOST_NAMES = 12;
  const MOST_MARKS = 6;
  let chosen = "", plot = null, drawn = "";

  // As `make`, for parts of a picture.
  function draw(tag, attributes, ...children) {
    const element = document.createElementNS(by("coordinates").namespaceURI, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.flat());
    return element;
  }

  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  // Where values lie on an axis, from 0 to 1, and the marks beside it. Numbers over two orders of magnitude are on a log scale.
  function axis(values) {
    const known = [...new Set(values.filter((value) => value !== null && value !== ""))];
    const numbers = known.map(Number);
    if (known.length && numbers.every(Number.isFinite) && known.every((value) => typeof value === "number" || value.trim() !== "")) {
      const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
      const isLog = low > 0 && high / low >= 100;
      const scale = isLog ? Math.log : (value) => value;
      const span = scale(high) - scale(low);
      const at = (value) => (value === null || value === "" ? null : span ? (scale(Number(value)) - scale(low)) / span : 0.5);
      const middle = isLog ? Math.sqrt(low * high) : (low + high) / 2;
      // few values are all marked, but for those whose marks would touch
      const few = numbers.length <= MOST_MARKS ? [...numbers].sort((a, b) => a - b) : [low, middle, high];
      const marks = few.filter((value, place) => place === 0 || place === few.length - 1 || (at(value) - at(few[place - 1]) > 0.08 && at(high) - at(value) > 0.08));
      return { at, marks: (span ? marks : [low]).map((value) => [at(value), short(value)]) };
    }
    const place = (value) => (known.length > 1 ? known.indexOf(value) / (known.length - 1) : 0.5);
    return { at: (value) => (value === null || value === "" ? null : place(value)), marks: known.slice(0, MOST_NAMES).map((value) => [place(value), cut(String(value), 18)]) };
  }

  const ranked = (sweep) => sweep.trials.filter((trial) => trial.value !== null).sort((a, b) => (sweep.better === "larger" ? b.value - a.value : a.value - b.value));
  const title = (sweep, trial) => `trial ${trial.name}: ${sweep.over.map((path, place) => `${path} ${trial.values[place] ?? ""}`).join(", ")}; ${sweep.watch} ${trial.value === null ? trial.failed || trial.state : number(trial.value)}`;

  // How far a trial was trained that stops at rungs: to its end, or so many iters.
  const reached = (sweep, trial) => (trial.whole ? "all" : trial.rungs.length ? String(sweep.rungs[trial.rungs.length - 1]) : "");

  // Parallel coordinates: an axis for each setting and for the metric, a line for each trial.
  function coordinates(sweep, order) {
    const picture = by("coordinates");
    const columns = [...sweep.over.map((path, place) => ({ name: path, of: (trial) => trial.values[place] ?? null })), ...(sweep.rungs.length ? [{ name: "iters", of: (trial) => trial.iter }] : []), { name: sweep.watch, of: (trial) => trial.value }];
    const width = Math.max(picture.parentElement.clientWidth, columns.length * 110);
    const x = (place) => SIZE.side + (width - 2 * SIZE.side) * (columns.length > 1 ? place / (columns.length - 1) : 0.5);
    const y = (share) => SIZE.top + (SIZE.height - SIZE.top - SIZE.bottom) * (1 - share);
    const axes = columns.map((column) => axis(sweep.trials.map(column.of)));
    const rank = new Map(order.map((trial, place) => [trial, place]));
    // the best one is drawn last, over the others
    const lines = [...sweep.trials].sort((a, b) => (rank.get(b) ?? Infinity) - (rank.get(a) ?? Infinity) || 0).map((trial) => {
      const points = columns.map((column, place) => [x(place), axes[place].at(column.of(trial))]).filter(([, share]) => share !== null).map(([x, share]) => `${x.toFixed(1)},${y(share).toFixed(1)}`);
      const share = rank.has(trial) ? 1 - rank.get(trial) / Math.max(1, order.length) : 0;
      const look = rank.get(trial) === 0 ? { stroke: "var(--c1)", "stroke-width": "3" } : rank.has(trial) ? { stroke: "var(--c0)", "stroke-opacity": (0.12 + 0.75 * share * share).toFixed(2) } : { stroke: "var(--soft)", "stroke-dasharray": "3 4", "stroke-opacity": "0.5" };
      return draw("polyline", { points: points.join(" "), fill: "none", "stroke-width": "1.5", "data-trial": trial.name, ...look }, draw("title", {}, title(sweep, trial)));
    });
    const names = columns.flatMap((column, place) => [
      draw("line", { x1: x(place), x2: x(place), y1: y(0), y2: y(1), stroke: "var(--front)" }),
      draw("text", { x: x(place), y: SIZE.height - 8, "text-anchor": "middle" }, cut(column.name, 22), draw("title", {}, column.name)),
      ...axes[place].marks.map(([share, text]) => draw("text", { x: x(place) + 6, y: y(share) + 4, class: "mark" }, text)),
    ]);
    picture.setAttribute("width", width);
    picture.setAttribute("height", SIZE.height);
    picture.setAttribute("aria-label", `${sweep.trials.length} trials over ${sweep.over.length} settings. The same is in the table below.`);
    picture.replaceChildren(...lines, ...names);
  }

  // The value of each trial, and the best of those up to it.
  function progress(sweep) {
    const place = by("progress");
    const numbers = sweep.trials.map((_, number) => number), values = sweep.trials.map((trial) => trial.value);
    let best = null;
    const sofar = values.map((value) => {
      if (value !== null && (best === null || (sweep.better === "larger" ? value > best : value < best))) best = value;
      return best;
    });
    if (plot) plot.destroy();
    const stroke = css("--front"), grid = { stroke: css("--line"), width: 1 };
    const show = (u, value) => (value === null || value === undefined ? "" : number(value));
    const ticks = (u, ticks) => ticks.map((tick) => (tick === null ? "" : Parts.tick(tick)));
    plot = new uPlot({
      width: Math.max(100, place.clientWidth || 440), height: 220, scales: { x: { time: false } },
      axes: [{ stroke, grid, values: (u, at) => at.map((tick) => (Number.isInteger(tick) ? String(tick) : "")) }, { stroke, grid, size: 64, values: ticks }],
      series: [
        { label: "trial", value: show },
        { label: sweep.watch, stroke: css("--c0"), paths: () => null, points: { show: true, size: 7, fill: css("--c0") }, value: show },
        { label: "best so far", stroke: css("--c1"), width: 2, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }), value: show },
      ],
      cursor: { drag: { x: false, y: false } },
    }, [numbers, values, sofar], place);
  }

  // How many trials have come to each rung, how many went on from it, and their values there.
  function rungs(sweep) {
    const place = by("rungs");
    place.hidden = !sweep.rungs.length;
    const best = (values) => (values.length ? number(sweep.better === "larger" ? Math.max(...values) : Math.min(...values)) : "");
    const worst = (values) => (values.length ? number(sweep.better === "larger" ? Math.min(...values) : Math.max(...values)) : "");
    const rows = sweep.rungs.map((iters, rung) => {
      const there = sweep.trials.filter((trial) => trial.rungs.length > rung), on = there.filter((trial) => trial.promoted > rung);
      const values = (trials) => trials.map((trial) => trial.rungs[rung]);
      return row([String(iters), String(there.length), String(on.length), best(values(there)), worst(values(on))].map((text) => make("td", { class: "number" }, text)));
    });
    const ends = sweep.trials.filter((trial) => trial.whole);
    rows.push(row([make("td", { class: "number" }, "the end"), make("td", { class: "number" }, String(ends.length)), "", make("td", { class: "number" }, best(ends.map((trial) => trial.value).filter((value) => value !== null))), ""]));
    const heads = ["Rung: iters", "Trials there", "Went on", `Best ${sweep.watch}`, "Worst that went on"].map(right);
    place.querySelector("table").replaceChildren(make("thead", {}, row(heads, "th")), make("tbody", {}, rows));
  }

  function table(sweep, order, open) {
    const rest = sweep.trials.filter((trial) => trial.value === null);
    const rows = [...order, ...rest].map((trial) => row([
      trial.run ? make("td", {}, make("button", { type: "button", onclick: () => open([trial.run]), title: "its curves" }, trial.name)) : trial.name,
      make("td", { class: "number" }, trial.value === null ? "" : number(trial.value)),
      ...(sweep.rungs.length ? [make("td", { class: "number" }, reached(sweep, trial))] : []),
      make("td", { class: "text" }, trial.failed ? `failed: ${trial.failed}` : trial.state),
      ...sweep.over.map((_, place) => make("td", { class: "text" }, trial.values[place] ?? "")),
    ]));
    by("trials").replaceChildren(make("thead", {}, row(["Trial", right(sweep.watch), ...(sweep.rungs.length ? [right("Iters")] : []), "State", ...sweep.over], "th")), make("tbody", {}, rows));
  }

  async function show(open) {
    const sweeps = await Source.sweeps();
    const sweep = sweeps.find((one) => one.id === chosen) || sweeps[0];
    by("sweep-empty").hidden = Boolean(sweep);
    by("sweep").hidden = !sweep;
    if (!sweep) return;
    chosen = sweep.id;
    const several = (name) => sweeps.filter((one) => one.name === name).length > 1;
    Parts.offer(by("sweep-one"), sweeps.map((one) => [one.id, several(one.name) ? one.folder : one.name]), chosen);
    const order = ranked(sweep);
    const failed = sweep.trials.filter((trial) => trial.failed).length;
    by("sweep-told").textContent = sweep.error || `${sweep.trials.length} trials: ${order.length} with a value, ${failed} failed; ${sweep.better} values of ${sweep.watch} are taken for better.`;
    // of a sweep that can't be read there is nothing to draw
    by("sweep-found").hidden = Boolean(sweep.error);
    by("compare").disabled = !order.some((trial) => trial.run);
    by("compare").onclick = () => open(order.filter((trial) => trial.run).slice(0, 8).map((trial) => trial.run));
    // as long as nothing changes, what has the focus keeps it
    const state = JSON.stringify([sweep, css("--front"), document.documentElement.clientWidth]);
    if (state === drawn) return;
    drawn = state;
    if (sweep.error) return;
    coordinates(sweep, order);
    progress(sweep);
    rungs(sweep);
    table(sweep, order, open);
  }

  function choose(id) {
    chosen = id;
  }

  return { show, choose };
})();
