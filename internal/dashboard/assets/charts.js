// Draws the numbers of the overview's table as charts. The table is what there is
// without this, and stays for who would rather read.
"use strict";
(() => {
  const color = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const kinds = { // the columns of the table, and their colors
    ended: { series: [["successful", "--good", 1], ["failed", "--bad", 2], ["cancelled", "--quiet", 3]], unit: (v) => String(v), empty: 0 },
    wait: { series: [["p50", "--busy", 4], ["p95", "--wait", 5]], unit: span, empty: null },
    run: { series: [["p50", "--busy", 6], ["p95", "--wait", 7]], unit: span, empty: null },
  };
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1], ["ms", 0.001]];
  function span(seconds) {
    if (!seconds) return "0";
    const [name, size] = units.find(([, s]) => seconds >= s) || units[4];
    return Number((seconds / size).toPrecision(2)) + " " + name;
  }

  // numbers are the columns of the table, a value for each point in time.
  function numbers(table, kind) {
    const { step, first, points } = table.dataset;
    const times = Array.from({ length: Number(points) }, (_, i) => Number(first) + i * Number(step));
    const rows = new Map([...table.querySelectorAll("tr[data-at]")].map((row) => [Number(row.dataset.at), row.cells]));
    const columns = kind.series.map(([, , at]) => times.map((t) => {
      const cell = rows.get(t)?.[at];
      const text = cell?.dataset.v ?? cell?.textContent ?? "";
      return text === "" ? kind.empty : Number(text);
    }));
    return [times, ...columns];
  }

  function options(box, kind) {
    const time = Number(document.getElementById("metrics").dataset.step) < 3600 ? [11, 16] : [5, 10];
    const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
    return {
      tzDate: (t) => uPlot.tzDate(new Date(t * 1000), "Etc/UTC"), title: box.dataset.title, width: box.clientWidth, height: 200,
      series: [{}, ...kind.series.map(([label, name]) => ({
        label, stroke: color(name), width: 1.5, points: { size: 5, show: kind.empty === null }, value: (_, v) => v == null ? "–" : kind.unit(v),
      }))],
      axes: [{ ...axis, values: (_, ticks) => ticks.map((t) => new Date(t * 1000).toISOString().slice(...time)) }, {
        ...axis, size: 64, ...(kind.empty === 0 && { incrs: [1, 2, 5, 10, 20, 50, 1e2, 2e2, 5e2, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7] }), values: (_, ticks) => ticks.map(kind.unit),
      }],
      scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, kind.empty === 0 ? 1 : 0.01) * 1.05] } },
    };
  }

  // A chart outlives the part of the page it is in: what is new is its numbers.
  const drawn = new Map();
  function draw() {
    const table = document.getElementById("metrics");
    for (const box of document.querySelectorAll(".chart")) {
      const kind = kinds[box.dataset.chart];
      const data = numbers(table, kind);
      let chart = drawn.get(box.dataset.chart);
      if (chart) {
        if (chart.root.parentNode !== box) box.append(chart.root);
        chart.setData(data);
      } else {
        chart = new uPlot(options(box, kind), data, box);
        drawn.set(box.dataset.chart, chart);
      }
    }
  }
  function fit() {
    for (const chart of drawn.values()) chart.setSize({ width: chart.root.parentNode.clientWidth, height: 200 });
  }

  const details = document.querySelector("details.numbers");
  if (details) details.open = false;
  document.body.classList.add("charts-drawn");
  draw();
  document.addEventListener("patched", draw);
  addEventListener("resize", fit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const chart of drawn.values()) chart.redraw(); });
})();
