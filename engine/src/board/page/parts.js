"use strict";
// Small parts of the page. Texts of runs become text nodes and attributes, never markup.

const Parts = (() => {
  // An element with attributes and children; functions under `on…` are listeners.
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  }

  // The heading of a column of numbers, which are aligned at the right.
  const right = (title) => make("th", { class: "number", scope: "col" }, title);

  const row = (cells, kind) => make("tr", {}, cells.map((cell) => (cell instanceof Node ? cell : make(kind || "td", {}, cell))));

  // Four significant digits; what is not finite is told.
  function number(value) {
    if (value === null || value === undefined) return "not finite";
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < 1e9) return String(value);
    return size < 1e-3 || size >= 1e6 ? value.toExponential(3) : value.toPrecision(4);
  }

  // A number as a person writes it: four digits at most, and no zeros behind them.
  const short = (value) => (value === null || value === undefined ? "not finite" : tick(Number(value.toPrecision(4))));

  // Microseconds in a unit that suits them.
  function span(micros) {
    if (micros < 1e3) return `${short(micros)} µs`;
    return micros < 1e6 ? `${short(micros / 1e3)} ms` : `${short(micros / 1e6)} s`;
  }

  // Another list of choices; a list that is as it was stays as it is, also when it is open just now.
  function offer(select, options, chosen) {
    const same = select.options.length === options.length && options.every(([value, text], place) => select.options[place].value === value && select.options[place].text === text);
    if (!same) select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
    if (select.value !== chosen) select.value = chosen;
  }

  // A round number, as short as it is.
  function tick(value) {
    const size = Math.abs(value);
    return value !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential().replace("+", "") : String(Number(value.toPrecision(8)));
  }

  function clock(seconds) {
    if (!(Math.abs(seconds) < 1e10)) return "?";
    const whole = Math.round(seconds);
    const two = (part) => String(part).padStart(2, "0");
    return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  }

  function bytes(count) {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (count >= 1000 && unit < units.length - 1) {
      count /= 1000;
      unit += 1;
    }
    return `${unit ? count.toPrecision(3) : count} ${units[unit]}`;
  }

  // `2026-01-31T12:00:00Z` in the time zone of the reader.
  function when(stamp) {
    const date = stamp ? new Date(stamp) : null;
    return date && !Number.isNaN(date.getTime()) ? date.toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" }) : "";
  }

  const SIGNS = { running: "▶", finished: "✓", stopped: "■", failed: "✗", killed: "†", unknown: "?" };
  const state = (run) => `${SIGNS[run.state] || "?"} ${run.state}${run.resumed ? `, resumed ${run.resumed}×` : ""}`;

  // `abc123…, 2 files changed since` shortened.
  const commit = (text) => (text ? text.slice(0, 8) + (text.includes(",") ? "+" : "") : "");

  // At most one call at a time, and one more for what has come meanwhile.
  function steady(work) {
    let busy = false, again = false;
    return async function run() {
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      try {
        await work();
      } catch (error) {
        document.getElementById("live").textContent = String(error.message || error);
      }
      busy = false;
      if (again) {
        again = false;
        run();
      }
    };
  }

  return { make, row, right, number, short, tick, span, offer, clock, bytes, when, state, commit, steady };
})();
