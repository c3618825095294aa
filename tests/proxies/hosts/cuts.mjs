// SPDX-License-Identifier: MIT
// cuts.mjs - one host cut off and returned, and how long whom that kept waiting.

import { audit } from "../../chaos/audit.mjs";
import { sumCounts } from "../../chaos/report.mjs";
import { sleep, until } from "../../e2e/lib/wait.mjs";
import { PollingConnection } from "./polling.mjs";
import { Watch } from "./watch.mjs";

const HEALTHY_MS = 30_000;
const DRAIN_MS = 60_000;
const SERVED_MS = 15_000; // promised of rooms and names that are not on the host: 9 s until a client gives up, and a busy machine

const isCurrent = (crowd) => crowd.persons.every(({ seats }) => [...seats.values()].every((seat) =>
  seat.isJoined && seat.outbox.length <= 1 && seat.view.have >= crowd.ledger.room(seat.room).told.length - 2));

/** What was counted since `before`. */
function since(before, now) {
  return Object.fromEntries(Object.entries(now).map(([key, value]) =>
    [key, typeof value === "number" ? value - (before?.[key] ?? 0) : since(before?.[key], value)]).filter(([, value]) => value !== 0));
}

const most = (values) => Math.max(0, ...values);

/** Where each person stands when the host is cut off, and when it is connected to another gateway. */
class Moves {
  #timer;

  constructor({ persons, shards }, shard, gateway, from) {
    this.all = persons.map((person) => ({
      person, isThere: Number(person.gateway) === gateway, isNameThere: shards.get(person.name) === shard,
      isReader: !person.hasHeartbeat, polls: person.Connection === PollingConnection, toldMs: Infinity,
    }));
    this.#timer = setInterval(() => {
      for (const move of this.all) {
        const isTold = move.person.gateway !== undefined && Number(move.person.gateway) !== gateway;
        if (move.isThere && isTold) move.toldMs = Math.min(move.toldMs, Date.now() - from);
      }
    }, 50);
  }

  stop() { clearInterval(this.#timer); }
}

/**
 * @param where  { host, gateways: [{ of: a host, id, url }], shard: on the host, or -1, url: of the proxy, tells: it notices
 *                 that a gateway's host is off }
 * @returns      the figures; times count from the cut, those after the return from that
 */
export async function cutOff({ stack, crowd, presence, holdMs }, { host, gateways, shard, url, tells }) {
  const { ledger, persons, shards } = crowd;
  const gateway = gateways.find(({ of }) => of === host).id;
  const counts = sumCounts(persons);
  presence.excuse();
  const from = Date.now();
  const moves = new Moves(crowd, shard, gateway, from);
  stack.cut(host);
  const watch = new Watch(gateways.filter(({ of }) => of !== host), url, from);
  await sleep(holdMs);
  moves.stop();
  stack.mend(host);
  const mended = Date.now();
  await until(`all is in reach again after ${host} returned`, async () => !(await stack.missing()), HEALTHY_MS);
  const healthy = Date.now();
  presence.excuse(healthy);
  const presenceMs = await presence.settled(healthy);
  await until(`everybody has read all after ${host} returned`, () => isCurrent(crowd), DRAIN_MS);
  const to = Date.now();
  await watch.stop();

  const isReachable = (room) => shards.get(room) !== shard;
  const [reachable, others] = [ledger.rooms.filter(isReachable), ledger.rooms.filter((room) => !isReachable(room))];
  const silence = (room, author) =>
    ledger.longestSilence((ack) => ack.room === room && (author === undefined || ack.author === author), from, to);
  const writers = moves.all.filter(({ isReader }) => !isReader);
  const silenceOf = ({ person }) =>
    most(reachable.filter((room) => person.seats.get(room)?.isWriter).map((room) => silence(room, person.name)));
  const servedMs = ({ person: { name } }) => ledger.firstAfter((ack) =>
    ack.author === name && isReachable(ack.room) && (ack.gateway !== gateway || ack.at > mended), from);
  const cut = {
    host, gateway, presenceMs,
    reachableMs: most(reachable.map((room) => silence(room))),
    unreachableMs: others.length > 0 ? most(others.map((room) => silence(room))) : undefined,
    stayedMs: most(writers.filter(({ isThere, polls }) => !isThere && !polls).map(silenceOf)),
    polledMs: writers.filter(({ isThere, polls, isNameThere }) => !isThere && polls && !isNameThere).map(silenceOf),
    movedMs: writers.filter(({ isThere, isNameThere }) => isThere && !isNameThere).map(servedMs),
    waitedMs: writers.filter(({ isThere, isNameThere, polls }) => (isThere || polls) && isNameThere).map(silenceOf),
    toldMs: moves.all.filter(({ isThere, isReader }) => isThere && isReader).map(({ toldMs }) => toldMs),
    healthyMs: healthy - mended, currentMs: to - mended,
    seen: since(counts, sumCounts(persons)), through: watch.through,
    readyz: watch.inWords("/readyz"), readyzAll: watch.inWords("/readyz?all"),
  };
  judge(ledger, watch, cut, tells);
  return cut;
}

function judge(ledger, watch, { host, movedMs, toldMs, reachableMs, presenceMs, gateway }, tells) {
  for (const ms of movedMs.filter((ms) => !(ms < SERVED_MS))) ledger.breaks("acks", `a client of gateway ${gateway} is served after ${ms} ms`);
  for (const ms of toldMs.filter((ms) => tells && !(ms < SERVED_MS))) ledger.breaks("acks", `a reader at gateway ${gateway} is told after ${ms} ms`);
  if (reachableMs > SERVED_MS) ledger.breaks("acks", `a room that is not on ${host} waits ${reachableMs} ms`);
  for (const [id, said] of Object.entries(watch.said["/readyz"])) {
    const wrong = said.find(({ word }) => !word.startsWith("200 "));
    if (wrong) ledger.breaks("health", `gateway ${id} says ${wrong.word} ${wrong.ms} ms after ${host} was cut off`);
  }
  const failed = Object.keys(watch.through.failed);
  if (failed.length > 0) ledger.breaks("answers", `new requests through the proxy while ${host} is cut off: ${failed.join(", ")}`);
  if (presenceMs === undefined) ledger.breaks("presence", `lists after ${host} returned`);
}

/** Writers pause, everything is acked and read, the whole history is compared; then they go on. */
export async function settle(stack, { ledger, persons }, cut) {
  for (const person of persons) person.isWriting = false;
  const unacked = () => persons.reduce((sum, person) => sum + person.unacked, 0);
  await until("all is acked", () => unacked() === 0, DRAIN_MS).catch(() => ledger.breaks("unacked", `${unacked()} messages`));
  const isBehind = ({ view, room }) => view.have < ledger.room(room).told.length - 1;
  await until("all is read", () => !persons.some(({ seats }) => [...seats.values()].some(isBehind)), DRAIN_MS).catch(() => {}); // the audit says
  await audit(ledger, stack.urls[0], persons);
  cut.broken = Object.fromEntries(Object.entries(ledger.broken).map(([name, { count }]) => [name, count]));
  for (const person of persons) person.isWriting = true;
}
