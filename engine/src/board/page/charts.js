"use strict";
// Curves: a chart for each metric, with the same metric of all loops and loaders of all chosen runs.

const Charts = (() => {
  const { make, row, number, short, clock } = Parts;
  const COLORS = 8;
  const MOST_IN_LEGEND = 13;
  // Points of all curves of a chart together; of more curves each gets fewer columns, which hold four points each.
  const MOST_POINTS = 16000, FEWEST_COLUMNS = 40;
  // Pixels from the end of a curve within which the pointer still shows its last point, and between points that are marked.
  const BESIDE = 8, MARK_SPACE = 12;
  // Of more curves the one under the pointer is not shown before the others: drawing all of them again takes too long.
  const MOST_IN_FOCUS = 60;
  // By loop and loader, the same in all charts: train, then the others in the order of their names.
  const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2], [1, 4]];
  // What is looked at last.
  const ASIDE = /^(iter_time|data_time|comm_time|slowest_rank|eta|samples_per_second|grad_norm)\b/;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // What all curves have in common, as uPlot's mode for curves with places of their own needs it.
  const SERIES = {
    paths: line,
    facets: [{ scale: "x", auto: true, sorted: 1 }, { scale: "y", auto: true }],
    value: (u, _, curve, place) => (place === null || place === undefined ? "" : number(u.data[curve][1][place])),
  };
  const marks = uPlot.paths.points();
  const POINTS = () => ({ show: hasMarks, fill: css("--back"), paths: (u, curve) => marks(u, curve, 0, u.data[curve][0].length - 1) });

  let context = null; // what main.js gives: chosen runs, axis, smoothing, window
  const charts = new Map();
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const chart = charts.get(entry.target.dataset.metric);
      if (chart) {
        chart.visible = entry.isIntersecting;
        if (chart.visible && chart.stale) chart.draw();
      }
    }
  }, { rootMargin: "200px" });

  const split = (key) => {
    const [loop, ...rest] = key.split("/");
    return { loop, rest: rest.join("/") };
  };

  const groupOf = (key, name) => key.slice(0, key.length - name.length - 1);

  // The metrics of the chosen runs: name to full names. `val/hard/accuracy` is the `accuracy` of the loader `hard` where
  // `accuracy` is also the name of another loop's or loader's metric.
  function metrics(runs) {
    const keys = [...new Set(runs.flatMap((run) => run.metrics.map((metric) => metric.key)))];
    const plain = new Set(keys.filter((key) => key.startsWith("train/")).map((key) => split(key).rest));
    const found = new Map();
    for (const key of keys) {
      const { loop, rest } = split(key);
      const parts = rest.split("/");
      const last = parts[parts.length - 1];
      const shared = loop !== "train" && parts.length > 1
        && (plain.has(last) || keys.some((other) => other !== key && other.startsWith(`${loop}/`) && other.split("/").length === 3 && other.endsWith(`/${last}`)));
      const name = shared ? last : rest;
      found.set(name, [...(found.get(name) || []), key]);
    }
    const rank = ([name, keys]) => (ASIDE.test(name) ? 2 : keys.some((key) => !key.startsWith("train/")) ? 0 : 1);
    return [...found].sort((a, b) => rank(a) - rank(b));
  }

  // The place of the point nearest to the pointer, gaps left out; null where the pointer is more than BESIDE pixels before the
  // first or behind the last.
  function nearest(u, curve) {
    const [x, y] = u.data[curve], at = u.posToVal(u.cursor.left, "x");
    let low = 0, high = x.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (x[middle] < at) low = middle + 1;
      else high = middle;
    }
    let left = low - 1, right = low;
    while (left >= 0 && y[left] === null) left -= 1;
    while (right < x.length && y[right] === null) right += 1;
    const isRight = left < 0 || (right < x.length && x[right] - at < at - x[left]);
    const place = isRight ? right : left;
    if (place === x.length) return null;
    const isBeside = left < 0 || right === x.length;
    return isBeside && Math.abs(u.valToPos(x[place], "x") - u.cursor.left) > BESIDE ? null : place;
  }

  // The axis reaches from the first to the last point; a single one is in its middle.
  const across = (u, first, last) => (first !== null && first === last ? [first - 1, last + 1] : [first, last]);

  // Draws a curve at once, with gaps: lines that uPlot keeps in objects of the browser take more memory than their points, and
  // are not given back for long.
  function line(u, index) {
    const { ctx, bbox } = u, ratio = devicePixelRatio, { stroke, width, dash } = u.series[index], [x, y] = u.data[index];
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top - width, bbox.width, bbox.height + 2 * width);
    ctx.clip();
    ctx.beginPath();
    let isOn = false;
    for (let place = 0; place < x.length; place += 1) {
      if (y[place] !== null) {
        const left = u.valToPos(x[place], "x", true), up = u.valToPos(y[place], "y", true);
        if (isOn) ctx.lineTo(left, up);
        else ctx.moveTo(left, up);
        // between two gaps a value is a dot, or nothing would be seen of it
        if (!isOn && (y[place + 1] ?? null) === null) ctx.lineTo(left + width * ratio, up);
      }
      isOn = y[place] !== null;
    }
    ctx.strokeStyle = stroke(u, index);
    ctx.lineWidth = width * ratio;
    ctx.lineJoin = "round";
    ctx.setLineDash(dash.map((length) => length * ratio));
    ctx.stroke();
    ctx.restore();
    return null;
  }

  // Points are marked where there is room for them.
  function hasMarks(u, curve) {
    const [x] = u.data[curve];
    const room = Math.abs(u.valToPos(x[x.length - 1], "x") - u.valToPos(x[0], "x"));
    return x.length - 1 <= room / MARK_SPACE;
  }

  class Chart {
    constructor(name) {
      this.name = name;
      this.visible = false;
      this.stale = true;
      this.gone = false; // another choice of metrics may drop it while it waits for its curves
      this.plot = null;
      this.shape = "";
      this.focused = null; // the curve that the pointer is at
      this.place = make("div", { class: "plot" });
      this.pointed = make("p", { class: "note pointed" });
      this.note = make("p", { class: "note" });
      this.table = make("table", {});
      this.figure = make("figure", { tabindex: "0", "data-metric": name, onkeydown: (event) => this.key(event) },
        make("figcaption", {}, make("h3", {}, name)), this.place, this.pointed, this.note,
        make("details", { ontoggle: () => this.list() }, make("summary", {}, "Values as a table"), make("div", { class: "scroll" }, this.table)));
      this.draw = Parts.steady(() => this.fetch());
      seen.observe(this.figure);
    }

    async fetch() {
      if (this.gone) return;
      this.stale = false;
      const { chosen, axis, smooth, from, to } = context;
      const width = Math.max(100, Math.round(this.place.clientWidth || 440));
      const ids = chosen.map((run) => run.id);
      const lines = ids.length * this.keys.length * (smooth > 0 ? 2 : 1);
      const columns = Math.max(FEWEST_COLUMNS, Math.min(width, Math.floor(MOST_POINTS / (4 * Math.max(1, lines)))));
      const curves = ids.length ? await Source.curves({ run: ids, key: this.keys, x: axis, smooth, from, to, columns }) : [];
      if (this.gone) return;
      this.curves = curves;
      this.show(curves, width);
      this.list();
    }

    show(curves, width) {
      const { axis, smooth, from, to, log, slot, name } = context;
      const clean = (values) => (log ? values.map((value) => (value > 0 ? value : null)) : values);
      const notPositive = log ? curves.flatMap((curve) => curve.y).filter((value) => value !== null && value <= 0).length : 0;
      // each curve has its own places, so none has to be filled up to the places of the others
      const data = [null], series = [{}];
      const add = (x, y, curve) => {
        data.push([x, clean(y)]);
        series.push({ ...SERIES, ...curve });
      };
      for (const curve of curves) {
        const group = groupOf(curve.key, this.name);
        const at = group === "train" ? 0 : 1 + context.groups.indexOf(group);
        const look = { stroke: css(`--c${slot(curve.run) % COLORS}`), dash: at ? DASHES[1 + (at - 1) % (DASHES.length - 1)] : DASHES[0], width: 1.6 };
        const label = `${name(curve.run)} ${group}`;
        if (curve.smooth) {
          add(curve.x, curve.y, { ...look, label: `${label}, as it is`, class: "behind", alpha: 0.25, width: 1, points: { show: false } });
          add(...curve.smooth, { ...look, label, points: POINTS() });
        } else add(curve.x, curve.y, { ...look, label, points: POINTS() });
      }
      const positive = data.some((curve) => curve && curve[1].some((value) => value !== null));
      const shape = JSON.stringify([series.map((one) => [one.label, one.stroke, one.dash]), axis, log && positive, css("--front")]);
      this.figure.setAttribute("aria-label", `${this.name} over ${axis}: ${curves.length} curves. The values are in the table below.`);
      const missing = this.notFinite();
      const notes = [];
      if (missing) notes.push(`${missing} ${missing === 1 ? "value is" : "values are"} not finite (NaN or infinite): gaps in the curve`);
      if (notPositive && positive) notes.push(`${notPositive} of the points are 0 or less, and are not on a log scale`);
      if (notPositive && !positive) notes.push("no value is above 0, so there is no log scale");
      this.note.textContent = notes.join("; ");
      const range = { min: from ?? null, max: to ?? null };
      if (this.plot && this.shape === shape) {
        this.plot.setSize({ width, height: this.height() });
        this.plot.setData(data, true);
        if (from !== null || to !== null) this.plot.setScale("x", this.window(range));
        return;
      }
      this.shape = shape;
      if (this.plot) this.plot.destroy();
      [this.plot, this.focused] = [null, null];
      this.point();
      if (!curves.length) return;
      const stroke = css("--front"), grid = { stroke: css("--line"), width: 1 };
      const values = (u, ticks) => ticks.map((tick) => (tick === null ? "" : Parts.tick(tick)));
      const hasFocus = series.length <= MOST_IN_FOCUS;
      this.plot = new uPlot({
        mode: 2, width, height: this.height(),
        scales: { x: { time: false, range: across }, y: { distr: log && positive ? 3 : 1 } },
        axes: [
          { stroke, grid, values: axis === "time" ? (u, ticks) => ticks.map(clock) : values },
          { stroke, grid, size: 64, values },
        ],
        series,
        legend: { show: curves.length < MOST_IN_LEGEND },
        focus: { alpha: 0.3 },
        cursor: { drag: { x: true, y: false, setScale: false }, sync: { key: "all" }, dataIdx: nearest, points: { fill: (u, index) => u.series[index].stroke(u, index) }, focus: { prox: hasFocus ? 12 : -1 } },
        hooks: {
          setSeries: [(u, index) => {
            this.focused = index;
            this.point(u);
          }],
          setCursor: [(u) => this.point(u)],
          setSelect: [(u) => {
            // charts that follow the pointer get the same selection, and would ask again
            if (u.select.width > 3 && u.cursor.event) {
              context.zoom(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
              u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            }
          }],
        },
      }, data, this.place);
      this.plot.over.addEventListener("dblclick", () => context.zoom(null, null));
      if (from !== null || to !== null) this.plot.setScale("x", this.window(range));
    }

    // Tells where the pointer is, and the curve that it is at with its value there.
    point(u) {
      const { axis } = context;
      const at = (x) => `${axis} ${axis === "time" ? clock(x) : axis === "iter" ? Math.round(x) : short(x)}`;
      let told = `over ${axis}`;
      if (u && u.cursor.left >= 0) {
        const place = this.focused ? u.cursor.idxs[this.focused] : null;
        const isAt = place !== null && place !== undefined;
        const [x, y] = isAt ? u.data[this.focused] : [];
        told = isAt ? `${u.series[this.focused].label}: ${number(y[place])} at ${at(x[place])}` : at(u.posToVal(u.cursor.left, "x"));
      }
      if (this.pointed.textContent !== told) this.pointed.textContent = told;
    }

    height() {
      return 240;
    }

    window({ min, max }) {
      const known = this.plot.scales.x;
      return { min: min ?? known.min, max: max ?? known.max };
    }

    notFinite() {
      const measured = context.chosen.flatMap((run) => run.metrics.filter((metric) => this.keys.includes(metric.key)));
      return measured.reduce((sum, metric) => sum + metric.not_finite, 0);
    }

    // The same in numbers, for who sees no curves.
    list() {
      if (!this.table.closest("details").open) return;
      const head = make("thead", {}, row(["Run", "Metric", "Last", "Best", "At iter", "Points shown", "Of"], "th"));
      const rows = (this.curves || []).map((curve) => {
        const run = context.chosen.find((run) => run.id === curve.run);
        const metric = run && run.metrics.find((metric) => metric.key === curve.key);
        return row([context.name(curve.run), curve.key, metric ? number(metric.last) : "", metric && metric.best !== null ? number(metric.best) : "",
          metric && metric.best_iter !== null ? String(metric.best_iter) : "", String(curve.x.length), String(curve.of)]);
      });
      this.table.replaceChildren(head, make("tbody", {}, rows));
    }

    key(event) {
      if (!this.plot || event.target !== this.figure || event.ctrlKey || event.metaKey || event.altKey) return;
      const { min, max } = this.plot.scales.x;
      const width = max - min;
      const moves = {
        "+": [min + width / 4, max - width / 4], "=": [min + width / 4, max - width / 4], "-": [min - width / 2, max + width / 2],
        ArrowLeft: [min - width / 4, max - width / 4], ArrowRight: [min + width / 4, max + width / 4], 0: [null, null],
      };
      if (!(event.key in moves)) return;
      event.preventDefault();
      context.zoom(...moves[event.key]);
    }

    drop() {
      this.gone = true;
      seen.unobserve(this.figure);
      if (this.plot) this.plot.destroy();
      this.figure.remove();
    }
  }

  // Brings the charts to what is chosen; those in sight are drawn.
  function update(given) {
    context = given;
    const all = metrics(context.chosen);
    context.groups = [...new Set(all.flatMap(([name, keys]) => keys.map((key) => groupOf(key, name))))].filter((group) => group !== "train").sort();
    const wanted = all.filter(([name, keys]) => [name, ...keys].some((text) => text.toLowerCase().includes(context.metric)));
    const names = new Set(wanted.map(([name]) => name));
    for (const [name, chart] of charts) {
      if (!names.has(name)) {
        chart.drop();
        charts.delete(name);
      }
    }
    const parent = document.getElementById("charts");
    wanted.forEach(([name, keys], place) => {
      const chart = charts.get(name) || new Chart(name);
      charts.set(name, chart);
      chart.keys = keys.sort((a, b) => Number(b.startsWith("train/")) - Number(a.startsWith("train/")));
      if (parent.children[place] !== chart.figure) parent.insertBefore(chart.figure, parent.children[place] || null);
      chart.stale = true;
      if (chart.visible) chart.draw();
    });
    document.getElementById("lines").textContent = context.chosen.length
      ? "A colour for each run. Whole lines: training; dashed and dotted lines: validation, test, further loaders."
      : "Choose runs in the table above.";
  }

  return { update };
})();
