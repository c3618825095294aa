// SPDX-License-Identifier: MIT
// repair.test.mjs - a roomd, then a historyd, is killed while tens of thousands of memberships are in use: exact state
// comes back, and the repair is paced, so that it does not itself overrun the bus.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";
import { until, within } from "./lib/wait.mjs";

const CLIENTS = Number(process.env.PARLOR_REPAIR_CLIENTS ?? 100);
const ROOMS_EACH = 100; // the most that a connection may be in
const MEMBERS = 10; // of a room

const room = (n) => `room-${n}`;
const roomOf = (client, i) => room(Math.floor(client / MEMBERS) * ROOMS_EACH + i);

/** A client in ROOMS_EACH rooms that keeps nothing of what it hears. */
async function joinAll(stack, client) {
  const socket = new WebSocket(`${stack.url.replace("http", "ws")}/ws`, "parlor.v1");
  await within(new Promise((resolve, reject) => { socket.on("open", resolve).on("error", reject); }), "a connection");
  let acks = 0;
  const joined = new Promise((resolve) => {
    socket.on("message", (bytes) => {
      acks += bytes.toString().split('"event":"ack"').length - 1;
      if (acks === ROOMS_EACH) resolve();
    });
  });
  const joins = Array.from({ length: ROOMS_EACH }, (_, i) =>
    JSON.stringify({ event: "userJoin", id: i, data: { username: `user-${client}`, room: roomOf(client, i) } }));
  socket.send(joins.join("\n"));
  await within(joined, `client ${client} is in its rooms`, 60_000);
  return socket;
}

describe("repair", () => {
  let stack;
  let sockets;
  const metric = async (name) => {
    const metrics = await stack.metrics();
    return Object.entries(metrics).find(([key]) => key.startsWith(`parlor_${name}`))?.[1];
  };

  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0"] });
    sockets = [];
    for (let client = 0; client < CLIENTS; client++) sockets.push(await joinAll(stack, client));
  });
  after(() => {
    for (const socket of sockets) socket.terminate();
    return stack?.stop();
  });

  it("brings presence back after a roomd was killed", async () => {
    const gaps = await metric("bus_gaps_total");
    const resyncs = await metric("bus_resyncs_total");
    process.kill(stack.pid("roomd-0"), "SIGKILL");
    const killed = Date.now();
    sockets[0].terminate(); // while nobody counts
    await until("the gateway hears roomd again", async () => (await metric("bus_resyncs_total")) > resyncs, 30_000);
    await stack.ready();
    const people = (n) => Array.from({ length: MEMBERS }, (_, i) => `user-${n * MEMBERS + i}`);
    for (let n = 0; n < CLIENTS / MEMBERS; n += 3) {
      const expected = people(n).filter((user) => user !== "user-0");
      const guest = await Client.join(stack, "guest", room(n * ROOMS_EACH + 7));
      await guest.sees(room(n * ROOMS_EACH + 7), [...expected, "guest"].sort());
      await guest.close();
    }
    console.log(`${CLIENTS * ROOMS_EACH} memberships: presence right ${Date.now() - killed} ms after the kill`);
    assert.equal(await metric("bus_gaps_total"), gaps, "the repair itself lost something on the bus");
  });

  it("compares every room with historyd after that was killed", async () => {
    const gaps = await metric("bus_gaps_total");
    const pages = await metric("pages_total");
    await stack.restart("historyd-0");
    await stack.ready();
    const rooms = (CLIENTS / MEMBERS) * ROOMS_EACH;
    await until("every room was asked about", async () => (await metric("pages_total")) >= pages + rooms, 30_000);
    assert.equal(await metric("bus_gaps_total"), gaps);
    const writer = await Client.join(stack, "writer", room(1));
    const { seq } = await writer.say(room(1), "after all that");
    assert.equal(seq, 1);
    await writer.close();
  });
});
