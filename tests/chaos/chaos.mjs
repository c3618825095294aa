// SPDX-License-Identifier: MIT
// chaos.mjs - the run: people write and read, services are taken down one after another, and at the end everything is
// compared. Run it by tests/chaos/run. Next: services.mjs, person.mjs, ledger.mjs, history.mjs.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { FAULTS, plan, random } from "./faults.mjs";
import { auditHistory } from "./history.mjs";
import { Ledger } from "./ledger.mjs";
import { Network } from "./network.mjs";
import { Person } from "./person.mjs";
import { presenceRight } from "./presence.mjs";
import { reportText } from "./report.mjs";
import { Services } from "./services.mjs";

const PEOPLE = 24;
const ROOMS = 12;
const WRITE_EVERY_MS = 90; // each person
const PRESENCE_MS = 10_000; // the promise
const KILL_PAUSE_MS = 10_000; // the longest time without an ack that a kill may cause
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    every: { type: "string", default: "12" },
    kinds: { type: "string", default: "kill,stop,cut" },
    seed: { type: "string", default: "1" },
    report: { type: "string" },
    "without-network": { type: "boolean", default: false },
  },
});
const rng = random(Number(options.seed));
let kinds = options.kinds.split(",");
if (options["without-network"] && kinds.includes("cut")) {
  console.log("SKIPPED: cut, which needs the right to make network namespaces");
  kinds = kinds.filter((kind) => kind !== "cut");
}

const data = mkdtempSync(path.join(tmpdir(), "parlor-chaos-"));
const network = new Network(!options["without-network"]);
const services = new Services(network, data, { gateway: 2, roomd: 2, historyd: 2 });
await services.ready();

const ledger = new Ledger();
const people = Array.from({ length: PEOPLE }, (_, i) =>
  new Person(`person-${i}`, [`chaos-${i % ROOMS}`, `chaos-${(i + 5) % ROOMS}`], services.urls, ledger, rng));
let isWriting = true;
const timers = people.flatMap((person) => [
  setInterval(() => { if (isWriting && !person.isAway) person.write(); }, WRITE_EVERY_MS),
  setInterval(() => person.tend(Date.now()), 150),
]);

/** Somebody goes without a goodbye, and comes back a while later. */
async function vanish() {
  const person = people[Math.floor(rng() * people.length)];
  if (person.isAway) return;
  person.isAway = true;
  person.cut();
  await sleep(4000 + rng() * 4000);
  person.isAway = false;
}

const faults = [];
const schedule = plan(kinds, services.names, rng);
const started = Date.now();
const ends = started + Number(options.seconds) * 1000;
const first = await presenceRight(people, 20_000);
if (first.lie) ledger.broken(`before any fault: ${first.lie}`);
while (Date.now() + Number(options.every) * 1000 <= ends) {
  const begun = Date.now();
  const { kind, name } = schedule.next().value;
  const pauses = ledger.watch();
  const vanished = vanish();
  await FAULTS[kind](services, network, name);
  const presence = await presenceRight(people, PRESENCE_MS);
  if (presence.lie) ledger.broken(`presence after ${kind} of ${name}: ${presence.lie}`);
  await vanished;
  const again = await presenceRight(people, PRESENCE_MS); // with whoever vanished
  if (again.lie) ledger.broken(`presence after ${kind} of ${name}, and a return: ${again.lie}`);
  await sleep(Math.max(500, begun + Number(options.every) * 1000 - Date.now()));
  const pause = pauses.end();
  if (kind === "kill" && pause.room >= KILL_PAUSE_MS) ledger.broken(`no ack in a room for ${pause.room} ms after a kill of ${name}`);
  faults.push({ kind, name, presence: Math.max(presence.ms, again.ms), ...pause });
  console.log(`${String(Math.round((begun - started) / 1000)).padStart(4)} s  ${kind.padEnd(4)} ${name.padEnd(10)}`
    + `  presence right after ${String(presence.ms).padStart(5)} ms  longest without ack: all rooms ${pause.all} ms, worst room ${pause.room} ms`
    + `  acked ${ledger.ackedCount}`);
}

isWriting = false;
const deadline = Date.now() + 60_000;
while (people.some((person) => person.outstanding.size) && Date.now() < deadline) await sleep(100);
for (const { name, outstanding } of people) if (outstanding.size) ledger.broken(`${name} waits for ${outstanding.size} acks`);
const last = await presenceRight(people, PRESENCE_MS);
if (last.lie) ledger.broken(`at the end: ${last.lie}`);
const seconds = Math.round((Date.now() - started) / 1000);
await sleep(1000); // what is still on its way to readers
timers.forEach(clearInterval);
const audit = await auditHistory(services.urls[0], ledger, people);
for (const person of people) {
  person.isAway = true;
  person.cut();
}
await services.stop();

const text = reportText({ options, seconds, faults, ledger, audit });
console.log(text);
if (options.report) writeFileSync(options.report, text);
if (ledger.failures.length) console.log(`The data and the logs are in ${data}`);
else rmSync(data, { recursive: true, force: true });
process.exit(ledger.failures.length ? 1 : 0);
