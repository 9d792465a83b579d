"use strict";
// Where the numbers come from: the server, or the data within a report.

const Source = (() => {
  async function ask(path, parameters) {
    const query = new URLSearchParams();
    for (const [name, values] of Object.entries(parameters || {})) {
      for (const value of [].concat(values)) {
        if (value !== null && value !== undefined) query.append(name, value);
      }
    }
    const answer = await fetch(`${path}?${query}`);
    if (!answer.ok) throw new Error((await answer.text()).trim());
    return answer.json();
  }

  const live = {
    isLive: true,
    runs: (since) => ask("api/runs", { since }),
    curves: (wanted) => ask("api/curves", wanted),
    settings: (run) => ask("api/settings", { run }),
    detail: (run) => ask("api/run", { run }),
    sweeps: () => ask("api/sweeps"),
    media: (run) => ask("api/media", { run }),
    image: (run, key, iter) => `api/image?${new URLSearchParams({ run, key, iter })}`,
    text: (run, key, iter) => ask("api/text", { run, key, iter }),
    histograms: (run, key) => ask("api/histograms", { run, key }),

    // Calls `changed` after each change, and `told` with whether the server is there. A page in the background does not
    // listen: a browser has few connections to one server.
    listen(changed, told) {
      let events = null;
      const open = () => {
        if (events || document.hidden) return;
        events = new EventSource("api/events");
        events.onopen = () => told(true);
        events.onmessage = changed;
        events.onerror = () => told(false);
      };
      document.addEventListener("visibilitychange", () => {
        if (document.hidden && events) {
          events.close();
          events = null;
        }
        open();
      });
      open();
    },
  };

  // As `smoothed` in the engine's readers.
  function smoothed(values, weight) {
    let sum = 0, weights = 0;
    return values.map((value) => {
      if (value === null) return null;
      sum = weight * sum + (1 - weight) * value;
      weights = weight * weights + (1 - weight);
      return sum / weights;
    });
  }

  function report(data) {
    const of = (list, ids) => ids.map((id) => list.find((found) => found.run === id)).filter(Boolean);
    return {
      isLive: false,
      runs: async () => data.runs,
      settings: async (ids) => of(data.settings, ids),
      detail: async (id) => of(data.details, [id])[0],
      sweeps: async () => data.sweeps,
      // pictures are large; who needs them has the run
      media: async () => ({ images: [], histograms: [], texts: [] }),
      listen() {},
      async curves(wanted) {
        const asked = data.curves.filter((curve) => wanted.run.includes(curve.run) && wanted.key.includes(curve.key));
        return asked.map((curve) => {
          const x = curve[wanted.x];
          const smooth = wanted.smooth > 0 ? smoothed(curve.y, wanted.smooth) : null;
          const from = wanted.from ?? -Infinity, to = wanted.to ?? Infinity;
          const kept = x.map((_, place) => place).filter((place) => x[place] >= from && x[place] <= to);
          const take = (list) => kept.map((place) => list[place]);
          return { run: curve.run, key: curve.key, x: take(x), y: take(curve.y), smooth: smooth && [take(x), take(smooth)], of: curve.of };
        });
      },
    };
  }

  const data = document.getElementById("data");
  return data ? report(JSON.parse(data.textContent)) : live;
})();
