"use strict";
// Pictures, histograms and texts of the chosen runs, at an iter that a slider chooses.

const Media = (() => {
  const { make, row, right, number } = Parts;
  const NUMBER = /^-?\d+(\.\d+)?(e-?\d+)?$/;
  let at = null; // the iter that is looked at; null: the last one
  let drawn = ""; // what is on the page
  const histograms = new Map(); // those that were fetched, as figures

  // Made once: a slider that is made anew falls out of the hand that moves it.
  let iters = [], moved = () => {};
  const told = make("output", {});
  const input = make("input", {
    type: "range", min: "0", step: "1",
    oninput: () => {
      const chosen = Number(input.value);
      at = chosen === iters.length - 1 ? null : iters[chosen];
      tell();
      moved();
    },
  });
  const slider = make("div", { class: "bar" }, make("label", {}, "Up to iter ", input, told));

  function tell() {
    const place = at === null ? iters.length - 1 : Math.max(0, iters.filter((iter) => iter <= at).length - 1);
    input.max = String(iters.length - 1);
    if (input.value !== String(place)) input.value = String(place);
    told.textContent = `iter ${iters[place]}`;
    input.setAttribute("aria-valuetext", told.textContent);
  }

  // The last iter up to the chosen one.
  const upTo = (iters) => {
    const before = at === null ? iters : iters.filter((iter) => iter <= at);
    return before.length ? before[before.length - 1] : null;
  };

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
        if (isMatrix && place === 0) return make("th", { scope: "row" }, cell);
        const shown = make("td", { class: isMatrix && Number(cell) === 0 ? "zero" : NUMBER.test(cell) ? "number" : "text" }, cell);
        // the root, so that a few mistakes among many are seen
        if (isMatrix) shown.style.background = `color-mix(in srgb, var(--c0) ${Math.round(60 * Math.sqrt(Number(cell) / sum))}%, transparent)`;
        return shown;
      }));
    });
    const head = cells[0].map((cell, place) => (isMatrix && place > 0 ? right(cell) : make("th", { scope: "col" }, cell)));
    return make("div", { class: "scroll" }, make("table", { class: isMatrix ? "matrix" : null }, make("thead", {}, row(head)), make("tbody", {}, body)));
  }

  // The values of one kind, with the same name of several runs side by side.
  function sorted(found, kind, matches) {
    const all = found.flatMap(({ run, media }) => media[kind].map(([key, iters]) => ({ run, key, iters })));
    const names = [...new Set(all.map(({ key }) => key))];
    return all.filter(({ key }) => matches(key)).sort((a, b) => names.indexOf(a.key) - names.indexOf(b.key));
  }

  async function histogram({ run, key, iters }, name) {
    const id = JSON.stringify([run.id, key]), state = JSON.stringify([iters.length, iters[iters.length - 1], name(run.id), document.documentElement.clientWidth]);
    const known = histograms.get(id);
    if (known && known.state === state) return known.figure;
    const bars = await Source.histograms(run.id, key);
    if (!bars.length) return null;
    const head = row(["Iter", "Smallest", "Median", "Largest"].map(right));
    const rows = bars.map((bar) => row([bar.iter, bar.limits[0], quantile(bar, 0.5), bar.limits[bar.limits.length - 1]].map((value) => make("td", { class: "number" }, number(value)))));
    const details = make("details", { open: Boolean(known && known.figure.querySelector("details").open) }, make("summary", {}, "Values as a table"),
      make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, rows))));
    const figure = make("figure", {}, make("figcaption", {}, make("h3", {}, `${key}, ${name(run.id)}`)), shades(bars),
      make("div", { class: "place" }, `iters ${bars[0].iter} to ${bars[bars.length - 1].iter}`), details);
    histograms.set(id, { state, figure });
    return figure;
  }

  function pictures(found, name, matches) {
    const shown = [];
    for (const { run, key, iters } of sorted(found, "images", matches)) {
      const iter = upTo(iters);
      if (iter === null) continue;
      const title = `${key}, iter ${iter}, ${name(run.id)}`;
      shown.push(make("figure", {}, make("img", { src: Source.image(run.id, key, iter), alt: title }), make("figcaption", {}, title)));
    }
    return shown;
  }

  async function texts(found, name, matches) {
    const shown = [];
    for (const { run, key, iters } of sorted(found, "texts", matches)) {
      const iter = upTo(iters);
      if (iter === null) continue;
      const { text: words } = await Source.text(run.id, key, iter);
      shown.push(make("figure", {}, make("figcaption", {}, make("h3", {}, `${key}, iter ${iter}, ${name(run.id)}`)), text(words)));
    }
    return shown;
  }

  // `wanted`: a part of the names of what is shown, in small letters.
  async function show(runs, name, wanted) {
    const place = document.getElementById("media");
    const found = await Promise.all(runs.map(async (run) => ({ run, media: await Source.media(run.id) })));
    const color = getComputedStyle(document.documentElement).getPropertyValue("--c0");
    const state = JSON.stringify([wanted, color, document.documentElement.clientWidth, found.map(({ run, media }) => [run.id, name(run.id), media])]);
    if (state === drawn && place.firstChild) return;
    if (!drawn.includes(color)) histograms.clear();
    drawn = state;
    const matches = (key) => key.toLowerCase().includes(wanted);
    const movable = ["images", "texts"].flatMap((kind) => sorted(found, kind, matches));
    iters = [...new Set(movable.flatMap(({ iters }) => iters))].sort((a, b) => a - b);
    const body = make("div", {});
    const fill = async () => {
      let wanted, images, words;
      // the slider may be moved while texts are on their way; what was asked for first may come last
      do {
        wanted = at;
        [images, words] = [pictures(found, name, matches), await texts(found, name, matches)];
      } while (wanted !== at);
      body.replaceChildren(make("div", { class: "pictures" }, images), make("div", { class: "pictures" }, words));
    };
    moved = Parts.steady(fill);
    const figures = [];
    for (const one of sorted(found, "histograms", matches)) figures.push(await histogram(one, name));
    const kept = figures.filter(Boolean);
    const parts = [];
    if (iters.length) {
      tell();
      await fill();
      parts.push(body);
    }
    if (kept.length) parts.push(make("h3", {}, "Histograms over iters"), make("div", { class: "pictures" }, kept));
    const none = runs.length ? "These runs have no images, histograms or texts; the sink TensorBoard() keeps them." : "Choose runs in the table above.";
    if (!parts.length) parts.push(make("p", {}, wanted && runs.length ? "Nothing has such a name." : none));
    // the slider stays where it is
    if (iters.length && slider.parentElement !== place) place.prepend(slider);
    if (!iters.length) slider.remove();
    for (const child of [...place.children]) if (child !== slider) child.remove();
    place.append(...parts);
  }

  return { show };
})();
