// SPDX-License-Identifier: MIT
// report.mjs - the figures of a run: one line a fault while it goes on, the table and the verdict at its end.

import { PROMISES } from "./ledger.mjs";

export const KILL_ACKS_MAX_MS = 10_000;
/** What a whole run must have seen besides. */
const WHOLE = { seconds: 600, faults: 40, acked: 100_000 };

const s = (ms) => (ms === undefined ? "never" : `${(ms / 1000).toFixed(1)} s`);
const worst = (values) => values.reduce((most, value) => (value === undefined || most === undefined ? undefined : Math.max(most, value)), 0);

/** For each fault the longest silences between acks that belong to it: of all rooms together, and of any room. */
export function assignSilences(faults, gaps) {
  const overlap = (fault, i, gap) => {
    const end = faults[i + 1]?.from ?? Infinity;
    return Math.min(end, gap.to) - Math.max(fault.from, gap.from);
  };
  for (const fault of faults) Object.assign(fault, { silenceMs: 0, roomSilenceMs: 0, silentRoom: undefined });
  for (const gap of gaps) {
    const overlaps = faults.map((fault, i) => overlap(fault, i, gap));
    const most = Math.max(0, ...overlaps);
    if (most === 0) continue; // before the first fault
    const fault = faults[overlaps.indexOf(most)];
    const ms = gap.to - gap.from;
    if (gap.room === undefined) {
      fault.silenceMs = Math.max(fault.silenceMs, ms);
    } else if (ms > fault.roomSilenceMs) {
      Object.assign(fault, { roomSilenceMs: ms, silentRoom: gap.room });
    }
  }
}

export function faultLine(fault, startedAt) {
  const { n, kind, service, from, healthyMs, presenceMs, lastWrong, silenceMs, roomSilenceMs, silentRoom } = fault;
  const late = lastWrong ? ` (until then ${lastWrong})` : "";
  const room = silentRoom ? ` (${silentRoom})` : "";
  return `#${n} at ${s(from - startedAt)}: ${kind} ${service}: healthy after ${s(healthyMs)}, lists right after ` +
    `${s(presenceMs)} more${late}, longest wait for an ack: everywhere ${s(silenceMs)}, one room ${s(roomSilenceMs)}${room}`;
}

/** A kill may silence no room for as long as the promise says. */
export function judgeSilences(faults, ledger) {
  for (const fault of faults.filter(({ kind }) => kind === "kill")) {
    if (fault.roomSilenceMs >= KILL_ACKS_MAX_MS) {
      ledger.breaks("acks", `#${fault.n} kill ${fault.service}: ${s(fault.roomSilenceMs)} in ${fault.silentRoom}`);
    }
  }
}

export function sumCounts(persons) {
  const total = { connections: 0, givenUp: 0, vanished: 0, retries: 0, heldBack: 0, closes: {}, failures: {}, errors: {} };
  for (const { counts } of persons) {
    for (const [name, value] of Object.entries(counts)) {
      if (typeof value === "number") total[name] += value;
      else for (const [key, n] of Object.entries(value)) total[name][key] = (total[name][key] ?? 0) + n;
    }
  }
  return total;
}

/** Everything in one object; `result.isKept` is the verdict. */
export function summarize({ options, ledger, faults, persons, stack, seconds, stored, skipped, lagMs }) {
  const kinds = [...new Set(faults.map(({ kind }) => kind))].map((kind) => {
    const those = faults.filter((fault) => fault.kind === kind);
    return {
      kind,
      faults: those.length,
      healthyMs: worst(those.map(({ healthyMs }) => healthyMs)),
      presenceMs: worst(those.map(({ presenceMs }) => presenceMs)),
      silenceMs: worst(those.map(({ silenceMs }) => silenceMs)),
      roomSilenceMs: worst(those.map(({ roomSilenceMs }) => roomSilenceMs)),
    };
  });
  const isWhole = options.seconds >= WHOLE.seconds;
  const shortOf = [
    isWhole && faults.length < WHOLE.faults && `${faults.length} faults of ${WHOLE.faults}`,
    isWhole && ledger.ackedCount < WHOLE.acked && `${ledger.ackedCount} acked messages of ${WHOLE.acked}`,
  ].filter(Boolean);
  const read = persons.reduce((sum, { seats }) => sum + [...seats.values()].reduce((n, { view }) => n + view.count, 0), 0);
  return {
    isKept: ledger.isKept && shortOf.length === 0,
    shortOf, skipped, kinds, seconds, stored, read, lagMs,
    seed: options.seed,
    stack: stack.name,
    acked: ledger.ackedCount,
    clients: { persons: persons.length, rooms: ledger.rooms.length, ...sumCounts(persons) },
    broken: ledger.broken,
    faults,
  };
}

export const counted = (object) => Object.entries(object).map(([key, n]) => `${n} × ${key}`).join(", ") || "none";

export function markdown(result, startedAt) {
  const { clients, kinds, broken } = result;
  return [
    `| what | |`, `| --- | --- |`,
    `| ran for | ${result.seconds.toFixed(0)} s on ${result.stack}, seed ${result.seed} |`,
    `| clients | ${clients.persons} in ${clients.rooms} rooms; ${clients.connections} connections, ${clients.givenUp} given up as silent, ` +
    `${clients.vanished} times gone without a goodbye |`,
    `| acked | ${result.acked} messages (${(result.acked / result.seconds).toFixed(0)}/s); ${clients.retries} times one was sent ` +
    `again, ${clients.heldBack} were never written because too many waited |`,
    `| read | ${result.read} by clients; ${result.stored} in the whole history at the end |`,
    `| errors | ${counted(clients.errors)} |`,
    `| closes | ${counted(clients.closes)} |`,
    `| connections that did not open | ${counted(clients.failures)} |`,
    `| longest stall of the test itself | ${s(result.lagMs)} |`,
    ...result.skipped.map((why) => `| skipped | ${why} |`),
    ``,
    `| faults | | healthy after | lists right after | no ack at all for | no ack in one room for |`,
    `| --- | --- | --- | --- | --- | --- |`,
    ...kinds.map((row) => `| ${row.kind} | ${row.faults} | ${s(row.healthyMs)} | ${s(row.presenceMs)} | ` +
      `${s(row.silenceMs)} | ${s(row.roomSilenceMs)} |`),
    ``,
    `| promise | broken |`, `| --- | --- |`,
    ...Object.entries(broken).map(([name, { count }]) => `| ${PROMISES[name]} | ${count} |`),
    ``,
    ...Object.values(broken).flatMap(({ examples }) => examples.map((text) => `- ${text}`)),
    ...result.faults.map((fault) => `- ${faultLine(fault, startedAt)}`),
    ``,
    verdict(result),
    ``,
  ].join("\n");
}

export function verdict(result) {
  const { lost, twice, order } = result.broken;
  const figures = `${result.faults.length} faults, ${result.acked} acked messages, ${lost.count} lost, ` +
    `${twice.count} twice, ${order.count} out of order`;
  const others = Object.entries(result.broken).filter(([name, { count }]) => count > 0 && !["lost", "twice", "order"].includes(name));
  const more = [...others.map(([name, { count }]) => `${count} × ${PROMISES[name]}`), ...result.shortOf].join("; ");
  return `chaos: ${result.isKept ? "PASS" : "FAIL"}: ${figures}${more && `; ${more}`}`;
}
