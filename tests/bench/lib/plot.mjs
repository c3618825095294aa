// SPDX-License-Identifier: MIT
// plot.mjs - the shared metrics as bars, one small panel each, in SVG.

import { figure } from "./numbers.mjs";
import { medianOf } from "./table.mjs";

const WIDTH = 460, LEFT = 130, RIGHT = 70, BAR = 18, GAP = 6, HEAD = 44, FOOT = 14, COLUMNS = 2;

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function panel(workload, metric, servers, find, x, y) {
  const bars = servers.map((server) => ({ server, runs: find(workload, server) })).filter(({ runs }) => runs)
    .map(({ server, runs }) => ({ server, value: medianOf(metric, runs) }));
  const most = Math.max(...bars.map(({ value }) => value), 1e-9);
  const better = metric.more ? "more is better" : "less is better";
  const lines = bars.map(({ server, value }, i) => {
    const top = HEAD + i * (BAR + GAP);
    const width = Math.max(1, (value / most) * (WIDTH - LEFT - RIGHT));
    return `<text class="name" x="${LEFT - 8}" y="${top + 13}">${escape(server.title)}</text>` +
      `<rect class="${server.name === "parlor" ? "ours" : "bar"}" x="${LEFT}" y="${top}" width="${width.toFixed(1)}" height="${BAR}"/>` +
      `<text class="value" x="${(LEFT + width + 6).toFixed(1)}" y="${top + 13}">${figure(value)}</text>`;
  });
  return `<g transform="translate(${x},${y})"><text class="title" x="10" y="18">${escape(`${workload.id}: ${metric.title}`)}</text>` +
    `<text class="small" x="10" y="34">${escape(workload.title)}; ${better}</text>${lines.join("")}</g>`;
}

export function plot(workloads, servers, find) {
  const panels = workloads.flatMap((workload) => workload.metrics.map((metric) => ({ workload, metric })))
    .filter(({ workload }) => servers.some((server) => find(workload, server)));
  const height = HEAD + servers.length * (BAR + GAP) + FOOT;
  const rows = Math.ceil(panels.length / COLUMNS);
  const body = panels.map(({ workload, metric }, i) =>
    panel(workload, metric, servers, find, (i % COLUMNS) * WIDTH, Math.floor(i / COLUMNS) * height));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${COLUMNS * WIDTH}" height="${rows * height}" font-family="sans-serif">
<style>
.title { font-size: 13px; font-weight: bold } .small { font-size: 11px; fill: #666 } .name { font-size: 12px; text-anchor: end }
.value { font-size: 12px } .ours { fill: #b4431f } .bar { fill: #9aa5b1 }
</style>
<rect width="100%" height="100%" fill="#fff"/>
${body.join("\n")}
</svg>
`;
}
