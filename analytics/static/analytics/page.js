// Draws the charts of the analytics page. The page works without it: all figures are in its tables.
"use strict";

const source = document.getElementById("chart-data");
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const formats = { rates: (value) => `${Math.round(value * 100)} %`, messages: (value) => value.toLocaleString("en") };
const plots = [];

function options(name, data, plot) {
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  // Labels are of the zone's clock, as the server wrote them, not of the browser's.
  const label = (index) => {
    const text = data.starts[Math.round(index)] ?? "";
    return text.endsWith("T00:00:00", 19) ? text.slice(5, 10) : text.slice(5, 16).replace("T", " ");
  };
  return {
    width: plot.clientWidth,
    height: plot.clientHeight,
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false } },
    scales: { x: { time: false }, y: { range: (u, low, high) => [0, name === "rates" ? 1 : Math.max(high, 4) * 1.1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 80, incrs: [1, 2, 5, 7, 10, 14, 30, 50, 100, 200, 500],
        values: (u, ticks) => ticks.map(label) },
      { ...axis, size: 62, space: 34, values: (u, ticks) => ticks.map(formats[name]) },
    ],
    series: [{}, ...data[name].map((line, n) => ({
      stroke: colour(`--line-${n + 1}`), width: 1.75, points: { show: data.starts.length < 3 },
    }))],
  };
}

function draw() {
  const data = JSON.parse(source.textContent);
  for (const plot of plots.splice(0)) plot.destroy();
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const name = figure.dataset.chart;
    const place = figure.querySelector(".plot");
    // An empty plot is not shown, and has no size.
    place.replaceChildren(document.createElement("span"));
    const chosen = options(name, data, place);
    place.replaceChildren();
    const values = [data.starts.map((_, n) => n), ...data[name].map((line) => line.values)];
    plots.push(new uPlot(chosen, values, place));
  }
}

if (source) {
  // Printed pages are light and as wide as the paper.
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", draw);
  let resized;
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(draw, 200);
  });
  draw();
}
