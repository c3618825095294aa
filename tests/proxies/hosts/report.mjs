// SPDX-License-Identifier: MIT
// report.mjs - the figures of the cuts, as tables.

import { counted } from "../../chaos/report.mjs";

const s = (ms) => (ms === undefined ? "-" : Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : "never");

/** How many, and their times: "3: 5.1 to 7.2 s". */
function times(all) {
  if (all.length === 0) return "-";
  const [first, last] = [Math.min(...all.map((ms) => ms ?? Infinity)), Math.max(...all.map((ms) => ms ?? Infinity))];
  return `${all.length}: ${first === last ? s(first) : `${s(first).replace(" s", "")} to ${s(last)}`}`;
}

function seen({ errors = {}, closes = {}, failures = {}, givenUp = 0 }) {
  const some = (words, counts) => Object.keys(counts).length > 0 && words + counted(counts);
  return [
    some("", errors), some("closed: ", closes), some("not opened: ", failures), givenUp > 0 && `${givenUp} given up as silent`,
  ].filter(Boolean).join("; ") || "nothing";
}

const place = ({ proxy, host, gateway }) => `${proxy} | ${host.at(-1).toUpperCase()}, gateway ${gateway}`;

const waits = (cut) => `| ${[
  place(cut), `${cut.broken.lost} / ${cut.broken.twice} / ${cut.broken.order}`, s(cut.reachableMs), s(cut.unreachableMs), s(cut.stayedMs),
  times(cut.polledMs), times(cut.movedMs), times(cut.waitedMs), times(cut.toldMs),
].join(" | ")} |`;

const said = (cut) => `| ${[
  place(cut), seen(cut.seen), `${cut.through.count}, longest ${s(cut.through.longestMs)}, failed: ${counted(cut.through.failed)}`,
  cut.readyz, cut.readyzAll, `${s(cut.healthyMs)}, ${s(cut.presenceMs)}, ${s(cut.currentMs)}`,
].join(" | ")} |`;

/** @param cuts  as cuts.mjs measures them */
export const report = (cuts) => [
  "| proxy | cut off | lost / twice / out of order | no ack in a room: in reach | on that host | a writer elsewhere: by WebSocket | " +
    "by polling | its gateway's writers served again | whose name is there | readers without heartbeat told |",
  `|${" --- |".repeat(10)}`,
  ...cuts.map(waits), "",
  "| proxy | cut off | clients saw | new requests through the proxy | /readyz of the others | /readyz?all | " +
    "after the return: all in reach, lists right, all read |",
  `|${" --- |".repeat(7)}`,
  ...cuts.map(said),
].join("\n");
