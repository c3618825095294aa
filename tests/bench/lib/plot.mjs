// SPDX-License-Identifier: MIT
// plot.mjs - the shared metrics as bars, one small panel each, in SVG.

import { figure } from "./numbers.mjs";
import { medianOf } from "./table.mjs";

const WIDTH = 460, LEFT = 130, RIGHT = 80, BAR = 18, GAP = 6, HEAD = 44, FOOT = 14, COLUMNS = 2;

/** A bar that is longer than this many times Parlor's is cut, so that the others can be seen. */
const CUT = 8;

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function bar(server, value, scale, y) {
  const full = value * scale;
  const width = Math.max(1, Math.min(full, WIDTH - LEFT - RIGHT));
  const kind = server.name === "parlor" ? "ours" : "bar";
  const cut = full > width + 1
    ? `<path class="cut" d="M${LEFT + width - 26},${y - 1}l-6,${BAR + 2}h5l6,-${BAR + 2}z"/>`
    : "";
  return `<text class="name" x="${LEFT - 8}" y="${y + 13}">${escape(server.title)}</text>` +
    `<rect class="${kind}" x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}"/>${cut}` +
    `<text class="value" x="${(LEFT + width + 6).toFixed(1)}" y="${y + 13}">${figure(value)}</text>`;
}

function panel(workload, metric, servers, find, x, y) {
  const bars = servers.map((server) => ({ server, runs: find(workload, server) })).filter(({ runs }) => runs)
    .map(({ server, runs }) => ({ server, value: medianOf(metric, runs) })).filter(({ value }) => Number.isFinite(value));
  const ours = bars.find(({ server }) => server.name === "parlor")?.value;
  const most = Math.min(Math.max(...bars.map(({ value }) => value), 1e-9), ours ? CUT * ours : Infinity);
  const scale = (WIDTH - LEFT - RIGHT) / most;
  const lines = bars.map(({ server, value }, i) => bar(server, value, scale, HEAD + i * (BAR + GAP)));
  const better = metric.more ? "more is better" : "less is better";
  return `<g transform="translate(${x},${y})"><text class="title" x="10" y="18">${escape(`${workload.id}: ${metric.title}`)}</text>` +
    `<text class="small" x="10" y="34">${escape(workload.title)}; ${better}</text>${lines.join("")}</g>`;
}

export function plot(workloads, servers, find) {
  const panels = workloads.flatMap((workload) => workload.metrics.filter((metric) => !metric.isAside)
    .map((metric) => ({ workload, metric })))
    .filter(({ workload }) => servers.some((server) => find(workload, server)));
  const height = HEAD + servers.length * (BAR + GAP) + FOOT;
  const rows = Math.ceil(panels.length / COLUMNS);
  const body = panels.map(({ workload, metric }, i) =>
    panel(workload, metric, servers, find, (i % COLUMNS) * WIDTH, Math.floor(i / COLUMNS) * height));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${COLUMNS * WIDTH}" height="${rows * height}" font-family="sans-serif">
<style>
.title { font-size: 13px; font-weight: bold } .small { font-size: 11px; fill: #666 } .name { font-size: 12px; text-anchor: end }
.value { font-size: 12px } .ours { fill: #b4431f } .bar { fill: #9aa5b1 } .cut { fill: #fff }
</style>
<rect width="100%" height="100%" fill="#fff"/>
${body.join("\n")}
</svg>
`;
}
