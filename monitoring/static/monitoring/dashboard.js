// The dashboard's charts, and what it says when it is renewed or cut off. Without this script the page has all numbers.
"use strict";

const RENEW_CHARTS_MS = 30000;
const box = document.getElementById("charts");
const drawn = new Map();
let range = box.dataset.range;
let asked = 0;

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

// The least top of a scale, so that nothing much does not look like much.
const least = { count: 4, per_second: 1, seconds: 0.1 };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(figure, chart) {
  const say = units[chart.unit];
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width: figure.querySelector(".plot").clientWidth,
    height: figure.querySelector(".plot").clientHeight,
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false } },
    scales: { y: { range: (u, low, high) => [0, Math.max(high, least[chart.unit]) * 1.1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 70,
        values: (u, ticks) => ticks.map((tick) => when(tick)) },
      { ...axis, size: 58, space: 34, values: (u, ticks) => ticks.map(say) },
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
  const figure = box.querySelector(`[data-chart="${chart.name}"]`);
  const plot = figure.querySelector(".plot");
  drawn.get(chart.name)?.destroy();
  // An empty plot is not shown, and has no size.
  plot.replaceChildren(document.createElement("span"));
  const wanted = options(figure, chart);
  plot.replaceChildren();
  drawn.set(chart.name, new uPlot(wanted, [times, ...chart.lines.map((line) => line.values)], plot));
  const cells = figure.querySelectorAll("tbody tr");
  const say = units[chart.unit];
  chart.lines.forEach((line, n) => {
    [line.now, line.least, line.most].forEach((value, m) => {
      cells[n].querySelectorAll("td")[m].textContent = value === null ? "–" : say(value);
    });
  });
}

async function renew() {
  const mine = ++asked;
  try {
    const answer = await fetch(`${box.dataset.url}?range=${range}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || mine !== asked) return;
    const { at, charts } = await answer.json();
    if (at.length > 1) charts.forEach((chart) => draw(chart, at));
  } catch {
    offline(true);
  }
}

function offline(is) {
  document.getElementById("offline").hidden = !is;
}

function speak() {
  const headline = document.getElementById("verdict").textContent.trim();
  const spoken = document.getElementById("spoken");
  if (spoken.textContent !== headline) spoken.textContent = headline;
}

document.querySelectorAll(".ranges a").forEach((link) => {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    range = link.dataset.range;
    document.querySelectorAll(".ranges a").forEach((other) => other.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
    history.replaceState(null, "", `?range=${range}`);
    renew();
  });
});
document.body.addEventListener("htmx:afterSwap", speak);
document.body.addEventListener("htmx:afterRequest", (event) => offline(!event.detail.successful));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", renew);
let resized;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(renew, 200);
});
setInterval(() => document.visibilityState === "visible" && renew(), RENEW_CHARTS_MS);
renew();
