// Draws the dashboard's charts, announces changes of the state, and reports a lost connection. The page works without it.
"use strict";

const REFRESH_CHARTS_MS = 30000;
const charts = document.getElementById("charts");
const plots = new Map();
let range = charts.dataset.range;
let requests = 0;

const units = {
  count: (value) => value.toLocaleString("en"),
  per_second: (value) => `${Number(value.toPrecision(3))}/s`,
  seconds: (value) =>
    value === 0 ? "0 s"
    : value < 1 ? `${Math.round(value * 1000)} ms`
    : value < 120 ? `${Number(value.toPrecision(2))} s`
    : value < 7200 ? `${Math.round(value / 60)} min`
    : `${Math.round(value / 3600)} h`,
};

// The smallest maximum of a scale, so that small values look small.
const smallestTop = { count: 4, per_second: 1, seconds: 0.1 };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(figure, chart) {
  const format = units[chart.unit];
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width: figure.querySelector(".plot").clientWidth,
    height: figure.querySelector(".plot").clientHeight,
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false } },
    scales: { y: { range: (u, low, high) => [0, Math.max(high, smallestTop[chart.unit]) * 1.1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 70,
        values: (u, ticks) => ticks.map((tick) => when(tick)) },
      { ...axis, size: 58, space: 34, values: (u, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...chart.lines.map((line, n) => ({ stroke: colour(`--line-${n + 1}`), width: 1.75, points: { show: false } })),
    ],
  };
}

function when(seconds) {
  const date = new Date(seconds * 1000);
  return range === "7d"
    ? date.toLocaleDateString("en", { weekday: "short", day: "numeric" })
    : date.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
}

function draw(chart, times) {
  const figure = charts.querySelector(`[data-chart="${chart.name}"]`);
  const plot = figure.querySelector(".plot");
  plots.get(chart.name)?.destroy();
  // An empty plot is not shown, and has no size.
  plot.replaceChildren(document.createElement("span"));
  const plotOptions = options(figure, chart);
  plot.replaceChildren();
  plots.set(chart.name, new uPlot(plotOptions, [times, ...chart.lines.map((line) => line.values)], plot));
  const cells = figure.querySelectorAll("tbody tr");
  const format = units[chart.unit];
  chart.lines.forEach((line, n) => {
    [line.now, line.least, line.most].forEach((value, m) => {
      cells[n].querySelectorAll("td")[m].textContent = value === null ? "–" : format(value);
    });
  });
}

async function refresh() {
  const request = ++requests;
  try {
    const answer = await fetch(`${charts.dataset.url}?range=${range}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || request !== requests) return;
    const { at, charts: answered } = await answer.json();
    if (at.length > 1) answered.forEach((chart) => draw(chart, at));
  } catch {
    offline(true);
  }
}

function offline(is) {
  document.getElementById("offline").hidden = !is;
}

function announce() {
  const headline = document.getElementById("status").textContent.trim();
  const announcement = document.getElementById("announcement");
  if (announcement.textContent !== headline) announcement.textContent = headline;
}

document.querySelectorAll(".ranges a").forEach((link) => {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    range = link.dataset.range;
    document.querySelectorAll(".ranges a").forEach((other) => other.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
    history.replaceState(null, "", `?range=${range}`);
    refresh();
  });
});
document.body.addEventListener("htmx:afterSwap", announce);
document.body.addEventListener("htmx:afterRequest", (event) => offline(!event.detail.successful));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
let resized;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(refresh, 200);
});
setInterval(() => document.visibilityState === "visible" && refresh(), REFRESH_CHARTS_MS);
refresh();
