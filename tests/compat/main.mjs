// SPDX-License-Identifier: MIT
// main.mjs - the previous release's services beside this one's, under load: upgraded and back in many orders, while
// people write and read. Nothing acked may be lost or stand twice, order is kept, and lists are right in every combination.
//
//   node main.mjs --previous DIR [--every-order] [--rate N] [--report FILE] [--keep]

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { audit } from "../chaos/audit.mjs";
import { Ledger, PROMISES } from "../chaos/ledger.mjs";
import { Person } from "../chaos/person.mjs";
import { Presence } from "../chaos/presence.mjs";
import { randomFrom } from "../chaos/random.mjs";
import { assignSilences } from "../chaos/report.mjs";
import { PATIENCE_MS, until } from "../e2e/lib/wait.mjs";
import { Guests } from "./guests.mjs";
import { Services } from "./services.mjs";
import { Tabs } from "./tabs.mjs";
import { described, everyOrder, shortest } from "./swaps.mjs";

const PERSONS = 12;
const ROOMS = 6;
const WINDOW = 4; // unanswered messages of every second writer in a room; the others have one
const TICK_MS = 10;
const DRAIN_MS = 30_000;
const SILENCE_MAX_MS = 10_000; // as after a kill

const { values: options } = parseArgs({ options: {
  previous: { type: "string" },
  "every-order": { type: "boolean", default: false },
  rate: { type: "string", default: "60" },
  report: { type: "string" },
  keep: { type: "boolean", default: false },
} });

const seconds = (ms) => (ms === undefined ? "never" : `${(ms / 1000).toFixed(1)} s`);

function makePersons(ledger, urls) {
  const everyMs = (1000 * PERSONS * 2) / Number(options.rate);
  return Array.from({ length: PERSONS }, (_, i) => new Person({
    name: `p${i}`, ledger, urls, random: randomFrom(i + 1), everyMs, window: i % 2 === 0 ? WINDOW : 1,
    rooms: [0, 1, 3].map((step) => ({ room: ledger.rooms[(i + step) % ROOMS], isWriter: step !== 3 })),
  }));
}

/** That messages under way together stay in the order sent (promise 8) is kept by a gateway and a historyd of this version:
 *  what is sent while one of them is older is not held to it. Who has one message under way is orderly with any. */
function watchOrder(persons) {
  const seats = persons.flatMap((person) => [...person.seats.values()]);
  for (const seat of seats) {
    const { view } = seat;
    const acked = view.acked.bind(view);
    seat.orderedFrom = Infinity;
    view.acked = (seq, wasSentBefore, n) => acked(seq, wasSentBefore, n >= seat.orderedFrom ? n : undefined);
  }
  return (isOrdered) => seats.forEach((seat) => { seat.orderedFrom = isOrdered ? seat.made + 1 : Infinity; });
}

/** One kind, one process after the other; then everybody's lists, and the guests. */
async function swapKind({ swap, services, presence, guests, tabs, ledger, expectOrder }) {
  presence.excuse();
  if (!swap.isOrdered) expectOrder(false);
  swap.from = Date.now();
  for (const name of services.of(swap.kind)) await services.swap(name, swap.isOld);
  const ready = Date.now();
  swap.tookMs = ready - swap.from;
  if (swap.isOrdered && !swap.wasOrdered) expectOrder(true);
  presence.excuse(ready);
  swap.presenceMs = await presence.settled(ready);
  if (swap.presenceMs === undefined) ledger.breaks("presence", `${swap.after}: ${presence.lastWrong}`);
  for (const visitors of [guests, tabs]) {
    await visitors.visit().catch((error) => ledger.breaks("answers", `${swap.after}: ${error.stack}`));
  }
}

async function settle({ persons, ledger, presence }) {
  for (const person of persons) person.isWriting = false;
  const unacked = () => persons.reduce((sum, person) => sum + person.unacked, 0);
  await until("all is acked", () => unacked() === 0, DRAIN_MS).catch(() => ledger.breaks("unacked", `${unacked()} messages`));
  const isBehind = ({ view, room }) => view.have < ledger.room(room).told.length - 1;
  await until("all is read", () => !persons.some(({ seats }) => [...seats.values()].some(isBehind)), PATIENCE_MS).catch(() => {});
  if ((await presence.settled(Date.now())) === undefined) ledger.breaks("presence", `at the end: ${presence.lastWrong}`);
}

async function work(services, swaps) {
  const ledger = new Ledger(Array.from({ length: ROOMS }, (_, i) => `room${i}`));
  const persons = makePersons(ledger, services.urls);
  const presence = new Presence(ledger, persons);
  const guests = new Guests(services.urls);
  const timer = setInterval(() => persons.forEach((person) => person.tick(Date.now())), TICK_MS);
  const expectOrder = watchOrder(persons);
  const tabs = await Tabs.open(services.urls, options.previous);
  let stored;
  try {
    for (const person of persons) person.come();
    presence.start();
    presence.excuse();
    await until("everyone sees everyone", () => presence.wrongs().length === 0 && ledger.ackedCount > 0);
    for (const [i, swap] of swaps.entries()) {
      swap.wasOrdered = swaps[i - 1]?.isOrdered ?? false;
      await swapKind({ swap, services, presence, guests, tabs, ledger, expectOrder });
      assignSilences(swaps.slice(0, i + 1), ledger.allGaps());
      console.log(line(swap, i));
    }
    await settle({ persons, ledger, presence });
    stored = await audit(ledger, services.urls[0], persons);
  } finally {
    clearInterval(timer);
    presence.stop();
    tabs.close();
    for (const person of persons) person.leave();
  }
  assignSilences(swaps, ledger.gaps);
  for (const swap of swaps.filter(({ roomSilenceMs }) => roomSilenceMs >= SILENCE_MAX_MS)) {
    ledger.breaks("acks", `${swap.after}: ${seconds(swap.roomSilenceMs)} in ${swap.silentRoom}`);
  }
  return { ledger, stored, resets: guests.resets + tabs.resets, unavailable: persons.reduce((sum, { counts }) => sum + (counts.errors.unavailable ?? 0), 0) };
}

const line = (swap, i) => `| ${i + 1} | ${swap.kind} ${swap.isOld ? "back" : "up"} | ${swap.after} | ${seconds(swap.tookMs)} | ` +
  `${seconds(swap.presenceMs)} | ${seconds(swap.silenceMs)} | ${seconds(swap.roomSilenceMs)} |`;

function report({ ledger, stored, resets, unavailable }, swaps) {
  const longest = Math.max(...swaps.map(({ roomSilenceMs }) => roomSilenceMs));
  const broken = Object.entries(ledger.broken).filter(([, { count }]) => count > 0);
  return [
    "| | swapped | then | took | lists right after | no ack at all for | no ack in one room for |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...swaps.map(line), "",
    ...broken.map(([name, { count, examples }]) => `- ${count} × ${PROMISES[name]}: ${examples.join("; ")}`),
    `compat: ${ledger.isKept ? "PASS" : "FAIL"}: ${swaps.length} swaps, ${ledger.ackedCount} acked messages, ${stored} stored, ` +
      `${ledger.broken.lost.count} lost, ${ledger.broken.twice.count} twice, ${ledger.broken.order.count} out of order, ` +
      `${unavailable} times unavailable, ${resets} resets, longest wait for an ack in a room ${seconds(longest)}`,
  ].join("\n");
}

const swaps = described(options["every-order"] ? everyOrder() : shortest());
const isWhole = options["every-order"];
const shards = isWhole ? 2 : 1;
const services = await Services.start({
  counts: { gateway: 2, roomd: shards, historyd: shards }, previous: options.previous, isTcp: isWhole,
});
let isKept = false;
try {
  const result = await work(services, swaps);
  await services.stop();
  const text = report(result, swaps);
  if (options.report) writeFileSync(options.report, `${text}\n`);
  console.log(options.report ? text.split("\n").at(-1) : text);
  isKept = result.ledger.isKept;
} finally {
  services.kill();
  if (isKept && !options.keep) services.remove();
  else console.log(`data and logs are kept in ${services.data}`);
}
process.exit(isKept ? 0 : 1);
