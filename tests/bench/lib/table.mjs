// SPDX-License-Identifier: MIT
// table.mjs - results as rows, and rows as Markdown or as columns for a terminal.
//
// A result is { workload, server, runs: [{ report, disturbed, limited, faults }] }.

import { figure, median, ratio } from "./numbers.mjs";

export const valuesOf = (metric, runs) => runs.map(({ report }) => metric.get(report));
export const medianOf = (metric, runs) => median(valuesOf(metric, runs));

/** Marks that lead to the notes: d disturbed, g generator, f faults. */
export function marks(runs) {
  const some = (name) => runs.some((run) => run[name]);
  const letters = [some("disturbed") && "d", some("limited") && "g", some("faults") && "f"].filter(Boolean);
  return letters.length ? ` [${letters.join("")}]` : "";
}

/** What has not come would have been late. */
const atLeast = (metric, runs) => (metric.isDelay && runs.some(({ report }) => report.lost) ? "> " : "");

/** One row for each metric of each shared workload; the first server is what the others are compared with. */
export function sharedRows(workloads, servers, find) {
  const rows = [];
  for (const workload of workloads) {
    const runsOf = servers.map((server) => find(workload, server));
    if (!runsOf.some(Boolean)) continue;
    for (const metric of workload.metrics) {
      const medians = runsOf.map((runs) => (runs ? medianOf(metric, runs) : undefined));
      const isBase = servers[0].name === "parlor";
      const cells = medians.map((value, i) => {
        if (value === undefined) return "–";
        const times = i > 0 && isBase && medians[0] > 0 ? ` (${ratio(value, medians[0])})` : "";
        return `${atLeast(metric, runsOf[i])}${figure(value)}${times}${marks(runsOf[i])}`;
      });
      rows.push([workload.id, `${metric.title}${metric.more ? " ↑" : ""}`, ...cells]);
    }
  }
  return rows;
}

/** Every run of everything, so that nobody has to believe a median. */
export function runRows(results) {
  return results.flatMap(({ workload, server, runs }) => workload.metrics.map((metric) => {
    const values = valuesOf(metric, runs);
    return [
      workload.id, server.title, metric.title, figure(median(values)),
      `${figure(Math.min(...values))} … ${figure(Math.max(...values))}`, String(values.length),
    ];
  }));
}

export function notes(results) {
  const lines = [];
  for (const { workload, server, runs } of results) {
    const said = new Set();
    for (const { disturbed, limited, faults, report } of runs) {
      if (disturbed) {
        said.add(`[d] disturbed${disturbed.again ? ", though repeated" : ""}: the host withheld ${figure(100 * disturbed.steal)} % ` +
          `of a core, and others took ${figure(100 * disturbed.others)} %`);
      }
      if (limited) said.add("[g] the generator was the limit, the server may do more");
      if (faults) said.add(`[f] ${faults}${report.first_fault ? ` (${report.first_fault})` : ""}`);
    }
    for (const line of said) lines.push(`${workload.id}, ${server.title}: ${line}`);
  }
  return lines;
}

export function markdown(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function columns(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  return all.map((row) => row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ").trimEnd())
    .join("\n");
}
