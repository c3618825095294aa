// SPDX-License-Identifier: MIT
// main.mjs - one run: start the stack and the clients, inflict faults, let everything come to rest, read the history,
// judge. tests/chaos/run prepares what this needs and starts it.

import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { PATIENCE_MS, sleep, until } from "../e2e/lib/wait.mjs";
import { audit } from "./audit.mjs";
import { deck, Faults } from "./faults.mjs";
import { Ledger } from "./ledger.mjs";
import { NetStack } from "./netstack.mjs";
import { Person } from "./person.mjs";
import { Presence } from "./presence.mjs";
import { randomFrom } from "./random.mjs";
import { assignSilences, faultLine, judgeSilences, markdown, summarize, verdict } from "./report.mjs";
import { UpStack } from "./upstack.mjs";

const COUNTS = { gateway: 2, roomd: 2, historyd: 2 };
const PERSONS = 24;
const ROOMS = 12;
const WINDOW = 8; // unanswered messages of a writer in a room; every other writer has one
const TICK_MS = 10;
const DRAIN_MS = 60_000;
const QUIET_MS = 12_000; // at the end, longer than lists may be wrong
const LINE_MS = 30_000;
const CALM_MS = 2_000; // before the first fault

function readOptions() {
  const { values } = parseArgs({ options: {
    seconds: { type: "string", default: "600" },
    every: { type: "string", default: "12" },
    hold: { type: "string", default: "8" },
    rate: { type: "string", default: "250" },
    kinds: { type: "string", default: "kill,stop,cut" },
    services: { type: "string", default: Object.keys(COUNTS).join(",") },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    port: { type: "string" },
    namespaces: { type: "string" },
    report: { type: "string" },
    skipped: { type: "string", multiple: true, default: [] },
    keep: { type: "boolean", default: false },
  } });
  const number = (name) => {
    const value = Number(values[name]);
    if (!(value >= 0)) throw new Error(`--${name}: '${values[name]}' is not a number`);
    return value;
  };
  return {
    ...values,
    seconds: number("seconds"), everyMs: number("every") * 1000, holdMs: number("hold") * 1000, rate: number("rate"),
    seed: number("seed"), kinds: values.kinds.split(","),
    services: values.services.split(","), port: values.port && number("port"),
  };
}

/** Each person is in three rooms and writes in two of them. */
function makePersons({ ledger, stack, random, rate }) {
  const { rooms } = ledger;
  const everyMs = (1000 * PERSONS * 2) / rate;
  return Array.from({ length: PERSONS }, (_, i) => new Person({
    name: `p${i}`, ledger, urls: stack.urls, random, everyMs,
    window: i % 2 === 0 ? WINDOW : 1,
    rooms: [0, 1, 5].map((step) => ({ room: rooms[(i + step) % ROOMS], isWriter: step !== 5 })),
  }));
}

async function inflictAll({ options, faults, random, ledger, startedAt }) {
  const cards = deck(random, options.kinds, Object.fromEntries(options.services.map((name) => [name, COUNTS[name]])));
  const end = startedAt + options.seconds * 1000;
  for (;;) {
    const from = Date.now();
    if (from + options.everyMs > end) break;
    const fault = await faults.inflict(cards.next().value);
    assignSilences(faults.done, ledger.allGaps());
    console.log(faultLine(fault, startedAt));
    await sleep(Math.min(from + options.everyMs, end) - Date.now());
  }
  await sleep(end - Date.now());
}

/** Writers stop, what is under way is acked and read, lists are right. */
async function settle({ persons, ledger, presence }) {
  for (const person of persons) person.isWriting = false;
  const unacked = () => persons.reduce((sum, person) => sum + person.unacked, 0);
  await until("all is acked", () => unacked() === 0, DRAIN_MS).catch(() => {
    const whose = persons.filter((person) => person.unacked > 0).map(({ name, unacked }) => `${name}: ${unacked}`);
    ledger.breaks("unacked", `${unacked()} after ${DRAIN_MS} ms: ${whose.join(", ")}`);
  });
  const isBehind = ({ view, room }) => view.have < ledger.room(room).told.length - 1;
  const behind = () => persons.flatMap(({ seats }) => [...seats.values()].filter(isBehind));
  await until("all is read", () => behind().length === 0, PATIENCE_MS).catch(() => {}); // the audit says who has not
  await sleep(QUIET_MS);
  const wrongs = presence.wrongs();
  if (wrongs.length > 0) ledger.breaks("presence", `at the end: ${wrongs.slice(0, 6).join("; ")}`);
}

async function work(options, stack) {
  const random = randomFrom(options.seed);
  const ledger = new Ledger(Array.from({ length: ROOMS }, (_, i) => `room${i}`));
  const persons = makePersons({ ledger, stack, random: randomFrom(options.seed + 1), rate: options.rate });
  const presence = new Presence(ledger, persons);
  const faults = new Faults({ stack, ledger, presence, persons, random, holdMs: options.holdMs });
  const lag = monitorEventLoopDelay({ resolution: 10 });
  const startedAt = Date.now();
  const line = () => console.log(`at ${((Date.now() - startedAt) / 1000).toFixed(0)} s: ${ledger.ackedCount} acked`);
  const timers = [setInterval(() => persons.forEach((person) => person.tick(Date.now())), TICK_MS), setInterval(line, LINE_MS)];
  const release = () => faults.release();
  process.on("exit", release);
  let stored;
  try {
    for (const person of persons) person.come();
    presence.start();
    presence.excuse(Date.now());
    await until("everyone sees everyone", () => presence.wrongs().length === 0 && ledger.ackedCount > 0);
    lag.enable();
    await sleep(CALM_MS);
    await inflictAll({ options, faults, random, ledger, startedAt });
    await settle({ persons, ledger, presence });
    lag.disable();
    presence.stop();
    stored = await audit(ledger, stack.urls[0], persons);
    faults.checkEnds();
  } finally {
    release();
    process.off("exit", release);
    presence.stop();
    timers.forEach(clearInterval);
    for (const person of persons) person.leave();
  }
  assignSilences(faults.done, ledger.gaps);
  judgeSilences(faults.done, ledger);
  return { startedAt, result: summarize({
    options, ledger, faults: faults.done, persons, stack, stored, skipped: options.skipped,
    seconds: options.seconds, lagMs: lag.max / 1e6,
  }) };
}

const options = readOptions();
const gatewayOptions = ["--rate", "0"];
const stack = options.namespaces
  ? await NetStack.start({ counts: COUNTS, prefix: options.namespaces, gatewayOptions })
  : await UpStack.start({ counts: COUNTS, port: options.port, gatewayOptions });
console.log(`chaos: ${options.seconds} s on ${stack.name}, seed ${options.seed}, data ${stack.data}, now ${new Date().toISOString()}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130)); // the services end with us
let isOver = false;
try {
  const { result, startedAt } = await work(options, stack);
  const text = markdown(result, startedAt);
  if (options.report) writeFileSync(options.report, options.report.endsWith(".json") ? JSON.stringify(result, null, 2) : text);
  else console.log(text);
  console.log(verdict(result));
  process.exitCode = result.isKept ? 0 : 1;
  isOver = result.isKept;
} finally {
  if (!isOver) console.log(`data and logs are kept in ${stack.data}`);
  await stack.stop({ keepData: options.keep || !isOver });
}
