"use strict";
// Pictures, histograms and texts of the chosen runs, at an iter that a slider chooses.

const Media = (() => {
  const { make, row, number } = Parts;
  const NUMBER = /^-?\d+(\.\d+)?(e-?\d+)?$/;
  let at = null; // the iter that is looked at; null: the last one

  // The last iter up to the chosen one.
  const upTo = (iters) => {
    const before = at === null ? iters : iters.filter((iter) => iter <= at);
    return before.length ? before[before.length - 1] : null;
  };

  function slider(iters, show) {
    const place = at === null ? iters.length - 1 : Math.max(0, iters.filter((iter) => iter <= at).length - 1);
    const told = make("output", {}, `iter ${iters[place]}`);
    const input = make("input", {
      type: "range", min: "0", max: String(iters.length - 1), step: "1", value: String(place), "aria-valuetext": `iter ${iters[place]}`,
      oninput: (event) => {
        const chosen = Number(event.target.value);
        at = chosen === iters.length - 1 ? null : iters[chosen];
        told.textContent = `iter ${iters[chosen]}`;
        event.target.setAttribute("aria-valuetext", told.textContent);
        show();
      },
    });
    return make("div", { class: "bar" }, make("label", {}, "Up to iter ", input, told));
  }

  // The counts of all iters as shades: a column for each iter, from the smallest to the largest value.
  function shades(bars) {
    const rows = 48, canvas = make("canvas", { width: String(bars.length), height: String(rows), class: "shades", role: "img" });
    const low = Math.min(...bars.map((bar) => bar.limits[0])), high = Math.max(...bars.map((bar) => bar.limits[bar.limits.length - 1]));
    canvas.setAttribute("aria-label", `values from ${number(low)} to ${number(high)} at ${bars.length} iters; the table has them in numbers`);
    const draw = canvas.getContext("2d"), width = (high - low) / rows || 1;
    draw.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--c0");
    bars.forEach((bar, column) => {
      const shares = new Array(rows).fill(0);
      bar.counts.forEach((count, bucket) => {
        // a bucket is spread over the rows that it covers
        const [from, to] = [bar.limits[bucket], bar.limits[bucket + 1]];
        const first = Math.min(rows - 1, Math.floor((from - low) / width)), last = Math.min(rows - 1, Math.max(first, Math.ceil((to - low) / width) - 1));
        for (let place = first; place <= last; place += 1) shares[place] += count / (last - first + 1);
      });
      const most = Math.max(...shares) || 1;
      shares.forEach((share, place) => {
        draw.globalAlpha = Math.sqrt(share / most);
        draw.fillRect(column, rows - 1 - place, 1, 1);
      });
    });
    return make("div", {}, make("div", { class: "place" }, number(high)), canvas, make("div", { class: "place" }, number(low)));
  }

  // The middle of the bucket that holds this share of the elements.
  function quantile(bar, share) {
    const all = bar.counts.reduce((sum, count) => sum + count, 0);
    let sum = 0;
    for (let bucket = 0; bucket < bar.counts.length; bucket += 1) {
      sum += bar.counts[bucket];
      if (sum >= share * all) return (bar.limits[bucket] + bar.limits[bucket + 1]) / 2;
    }
    return bar.limits[bar.limits.length - 1];
  }

  // A table in Markdown as a table; a square one of numbers, such as a confusion matrix, with shades.
  function text(words) {
    const lines = words.trim().split("\n");
    if (lines.length < 2 || !lines.every((line) => line.startsWith("|") && line.endsWith("|"))) return make("pre", { tabindex: "0" }, words);
    const cells = lines.filter((_, place) => place !== 1).map((line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\(.)/g, "$1")));
    const numbers = cells.slice(1).map((line) => line.slice(1));
    const isMatrix = numbers.length > 1 && numbers.length === cells[0].length - 1 && numbers.flat().every((cell) => NUMBER.test(cell) && Number(cell) >= 0);
    const body = cells.slice(1).map((line) => {
      const sum = line.slice(1).reduce((sum, cell) => sum + Number(cell), 0) || 1;
      return row(line.map((cell, place) => {
        const shown = make("td", { class: NUMBER.test(cell) ? "number" : "text" }, cell);
        if (isMatrix && place > 0) shown.style.background = `color-mix(in srgb, var(--c0) ${Math.round(60 * Number(cell) / sum)}%, transparent)`;
        return shown;
      }));
    });
    return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, row(cells[0], "th")), make("tbody", {}, body)));
  }

  async function show(runs, name) {
    const place = document.getElementById("media");
    const found = await Promise.all(runs.map(async (run) => ({ run, media: await Source.media(run.id) })));
    const iters = [...new Set(found.flatMap(({ media }) => [...media.images, ...media.texts].flatMap(([, iters]) => iters)))].sort((a, b) => a - b);
    const parts = [];
    const again = Parts.steady(() => fill());
    const body = make("div", {});
    async function fill() {
      const pictures = [], texts = [];
      for (const { run, media } of found) {
        for (const [key, iters] of media.images) {
          const iter = upTo(iters);
          if (iter === null) continue;
          const title = `${key}, iter ${iter}, ${name(run.id)}`;
          pictures.push(make("figure", {}, make("img", { src: await Source.image(run.id, key, iter), alt: title }), make("figcaption", {}, title)));
        }
        for (const [key, iters] of media.texts) {
          const iter = upTo(iters);
          if (iter === null) continue;
          const { text: words } = await Source.text(run.id, key, iter);
          texts.push(make("figure", {}, make("figcaption", {}, make("h3", {}, `${key}, iter ${iter}, ${name(run.id)}`)), text(words)));
        }
      }
      body.replaceChildren(make("div", { class: "pictures" }, pictures), make("div", { class: "pictures" }, texts));
    }
    if (iters.length) {
      parts.push(slider(iters, again), body);
      await fill();
    }
    const histograms = [];
    for (const { run, media } of found) {
      for (const [key] of media.histograms) {
        const bars = await Source.histograms(run.id, key);
        if (!bars.length) continue;
        const head = row(["Iter", "Smallest", "Median", "Largest"], "th");
        const table = bars.map((bar) => row([String(bar.iter), number(bar.limits[0]), number(quantile(bar, 0.5)), number(bar.limits[bar.limits.length - 1])]));
        histograms.push(make("figure", {}, make("figcaption", {}, make("h3", {}, `${key}, ${name(run.id)}`)), shades(bars),
          make("div", { class: "place" }, `iters ${bars[0].iter} to ${bars[bars.length - 1].iter}`),
          make("details", {}, make("summary", {}, "Values as a table"), make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, table))))));
      }
    }
    if (histograms.length) parts.push(make("h3", {}, "Histograms over iters"), make("div", { class: "pictures" }, histograms));
    if (!parts.length) parts.push(make("p", {}, runs.length ? "These runs have no images, histograms or texts; the sink TensorBoard() keeps them." : "Choose runs in the table above."));
    place.replaceChildren(...parts);
  }

  return { show };
})();
