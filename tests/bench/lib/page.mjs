// SPDX-License-Identifier: MIT
// page.mjs - all that was measured, as text for the terminal and as the results page.

import { limitRows, roomRows } from "./limits.mjs";
import { figure, ratio } from "./numbers.mjs";
import { columns, markdown, marks, medianOf, notes, runRows, sharedRows } from "./table.mjs";
import { GROWTH, OWN, SHARED } from "./workloads.mjs";

const workloadOf = (id) => [...SHARED, ...OWN].find((workload) => workload.id === id);

/** Parlor's median of a metric; undefined when that was not run. */
function parlors(find, parlor, id, key) {
  const workload = workloadOf(id);
  const runs = parlor && find(workload, parlor);
  return runs && medianOf(workload.metrics.find((metric) => metric.key === key), runs);
}

/** What only Parlor does; two gateways stand beside one. */
function ownRows(workloads, find, parlor) {
  return workloads.flatMap((workload) => {
    const runs = parlor && find(workload, parlor);
    return (runs ? workload.metrics : []).map((metric) => {
      const value = medianOf(metric, runs);
      const one = workload.id === "G" ? parlors(find, parlor, "B", metric.key) : undefined;
      return [
        workload.id, `${workload.title}: ${metric.title}${metric.more ? " ↑" : ""}`, `${figure(value)}${marks(runs)}`,
        one ? `${ratio(value, one)} that of one` : "",
      ];
    });
  });
}

/** Each { title, head, rows }; those without rows are left out. */
function tables({ results, servers, find, limits, rooms }) {
  const parlor = servers.find(({ name }) => name === "parlor");
  return [
    {
      title: "Side by side (in brackets: times Parlor's; ↑: more is better)",
      head: ["", "", ...servers.map(({ title }) => title)],
      rows: sharedRows(SHARED, servers, find),
    },
    {
      title: "Parlor alone",
      head: ["", "", "Parlor", ""],
      rows: [...ownRows(OWN, find, parlor), ...(rooms ? roomRows(rooms) : [])],
    },
    {
      title: "Growth: the same deliveries, more of one thing",
      head: ["", "", "Parlor", ""],
      rows: ownRows(GROWTH, find, parlor),
    },
    {
      title: "What the machine could do",
      head: ["", "", ""],
      rows: limits ? limitRows(limits, {
        deliveryUs: parlors(find, parlor, "A", "cpu"),
        joinUs: parlors(find, parlor, "D", "join"),
        ackedPerS: parlors(find, parlor, "W", "acked"),
        ackedAtBusPerS: parlors(find, parlor, "Wb", "acked"),
      }) : [],
    },
    {
      title: "All runs",
      isDetail: true,
      head: ["", "", "", "median", "least … most", "runs"],
      rows: runRows(results),
    },
  ].filter(({ rows }) => rows.length > 0);
}

export function terminalText(measured) {
  const parts = tables(measured).filter(({ isDetail }) => !isDetail)
    .map(({ title, head, rows }) => `${title}\n\n${columns(head, rows)}`);
  const said = notes(measured.results);
  return [...parts, ...(said.length ? [said.join("\n")] : [])].join("\n\n");
}

export function pageText(measured) {
  const { servers, machine, quick, skipped } = measured;
  const how = quick
    ? "One brief run of each (`--quick`): a look, not a measurement."
    : "Medians; each run has a server of its own, and the servers take turns.";
  const sections = tables(measured).map(({ title, head, rows, isDetail }) => {
    const table = markdown(head, rows);
    return isDetail ? `<details><summary>${title}</summary>\n\n${table}\n\n</details>` : `## ${title}\n\n${table}`;
  });
  const said = notes(measured.results);
  return `# Results

Written by \`tests/bench/run\`; what the workloads are and how they are measured is in [README.md](README.md). ${how}

${machine.map((line) => `- ${line}`).join("\n")}
${servers.map(({ title, keeps }) => `- ${title} keeps ${keeps}`).join("\n")}
${skipped.map(({ title, why }) => `- ${title}: ${why}`).join("\n")}

![The same as bars](results.svg)

${sections.join("\n\n")}
${said.length ? `\n## Notes\n\n${said.map((line) => `- ${line}`).join("\n")}\n` : ""}`;
}
