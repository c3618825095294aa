// SPDX-License-Identifier: MIT
// slow.test.mjs - a reader that stops reading in a busy room: the others notice nothing, its own messages wait for
// it in the room's log, and one that takes nothing for too long is closed with 4008 and may resume.
// So is one whose message is not whole for too long.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { assertGapFree, messagesSeen } from "./lib/room.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until } from "./lib/wait.mjs";

const COUNT = 3000;
const BODY = "x".repeat(3500); // together more than the sockets' buffers and the room's log hold

async function fill(writer, room, count) {
  for (let at = 0; at < count; at += 100) {
    await Promise.all(Array.from({ length: 100 }, () => writer.say(room, BODY)));
  }
}

const metric = (metrics, name) => Object.entries(metrics).find(([key]) => key.startsWith(`parlor_${name}`))?.[1];

describe("slow", () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0", "--log-bytes", "262144", "--stall-timeout", "60000"] });
  });
  after(() => stack?.stop());

  const residentKb = (name) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${stack.pid(name)}/status`, "utf8"))[1]);

  it("catches up without a loss, and holds nobody up meanwhile", async () => {
    const writer = await Client.join(stack, "writer", "busy");
    const reader = await Client.join(stack, "reader", "busy");
    const slow = await Client.join(stack, "slow", "busy");
    await fill(writer, "busy", 200);
    await slow.take("updateChat", ({ data }) => data.seq === 200);
    slow.socket.pause();
    const before = residentKb("gateway-0");
    await fill(writer, "busy", COUNT - 200);
    await reader.take("updateChat", ({ data }) => data.seq === COUNT);
    const guest = await Client.join(stack, "guest", "busy"); // presence that the slow one need not hear of
    await guest.close();
    const grown = residentKb("gateway-0") - before;
    assert.ok(metric(await stack.metrics(), "blocked_total") >= 1, "the gateway noticed");
    assert.ok(slow.all("updateChat").length < COUNT, "the slow one is behind");
    slow.socket.resume();
    await slow.take("updateChat", ({ data }) => data.seq === COUNT, 60_000);
    for (const client of [slow, reader]) {
      const seen = messagesSeen(client, "busy");
      assert.equal(seen.length, COUNT);
      assertGapFree(seen);
    }
    await slow.sees("busy", ["reader", "slow", "writer"]);
    await writer.say("busy", "the end");
    await slow.take("updateChat", ({ data }) => data.body === "the end");
    // The room is 10 MB; a queue for the slow one would hold most of it. A sanitizer keeps freed memory for a while.
    if (!/asan/.test(readFileSync(`/proc/${stack.pid("gateway-0")}/maps`, "utf8"))) {
      assert.ok(grown < 6 * 1024, `the gateway grew by ${grown} KiB`);
    }
    await Promise.all([writer, reader, slow].map((client) => client.close()));
  });

  it("carries the messages that a writer has sent before it reads its acks", async () => {
    const writer = await Client.join(stack, "writer", "deaf");
    writer.socket.pause();
    const acks = Array.from({ length: 500 }, (_, i) => writer.say("deaf", `${i} ${BODY}`, { cid: `${i}` }));
    const reader = await Client.join(stack, "reader", "deaf");
    await until("some arrive", () => messagesSeen(reader, "deaf").length > 10);
    writer.socket.resume();
    const seqs = (await Promise.all(acks)).map(({ seq }) => seq);
    assert.deepEqual(seqs, Array.from({ length: 500 }, (_, i) => i + 1));
    await Promise.all([writer, reader].map((client) => client.close()));
  });
});

describe("many slow ones", () => {
  const READERS = 200;
  const TOTAL = 2500;
  let stack;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0", "--stall-timeout", "120000"] });
  });
  after(() => stack?.stop());

  it("cost the gateway a constant each, however far they are behind", async (t) => {
    const residentKb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${stack.pid("gateway-0")}/status`, "utf8"))[1]);
    const blocked = async () => metric(await stack.metrics(), "blocked_total");
    const writer = await Client.join(stack, "writer", "busy");
    const slow = await Promise.all(Array.from({ length: READERS }, (_, i) => Client.join(stack, `slow-${i}`, "busy")));
    for (const { socket } of slow) socket.pause();
    const before = residentKb();
    await fill(writer, "busy", TOTAL);
    await until("all readers are behind", async () => (await blocked()) >= READERS);
    const first = residentKb() - before;
    await fill(writer, "busy", TOTAL); // as much again: nothing more is kept for them
    const second = residentKb() - before;
    t.diagnostic(`${READERS} stalled readers, ${(2 * TOTAL * BODY.length) >> 20} MiB behind: the gateway grew by ${first} KiB, then by ${second - first} KiB`);
    if (!/asan/.test(readFileSync(`/proc/${stack.pid("gateway-0")}/maps`, "utf8"))) {
      // At most one turn's delivery (64 KiB) is with the shell for each; a queue would be 8 MiB and 16 MiB.
      assert.ok(first < READERS * 96 + 8192, `the gateway grew by ${first} KiB`);
      assert.ok(second - first < 4096, `the gateway grew again by ${second - first} KiB`);
    }
    for (const { socket } of slow) socket.terminate();
    await writer.sees("busy", ["writer"]);
    await writer.close();
  });
});

describe("slow for too long", () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0", "--log-bytes", "262144", "--stall-timeout", "2000"] });
  });
  after(() => stack?.stop());

  it("is closed with 4008, and resumes with since", async () => {
    const writer = await Client.join(stack, "writer", "busy");
    const slow = await Client.join(stack, "slow", "busy");
    await fill(writer, "busy", 100);
    await slow.take("updateChat", ({ data }) => data.seq === 100);
    slow.socket.pause();
    await fill(writer, "busy", COUNT - 100);
    await until("the stalled one is closed", async () => metric(await stack.metrics(), "stalled_total") === 1);
    await writer.sees("busy", ["writer"]);
    slow.socket.resume();
    const { code } = await slow.closed();
    assert.ok([4008, 1006].includes(code), `closed with ${code}`); // 1006: the close frame found no room
    const seen = messagesSeen(slow, "busy");
    assertGapFree(seen);
    const back = await Client.join(stack, "slow", "busy", { join: { since: seen.at(-1).seq } });
    const history = await back.take("msgHistory");
    await back.take("updateChat", ({ data }) => data.seq === COUNT); // what one frame does not hold follows it
    history.data.push(...back.all("updateChat").map(({ data }) => data).filter(({ seq }) => seq > history.data.at(-1).seq));
    const missed = [];
    for (let at = seen.at(-1).seq; at < history.data[0].seq - 1; at = missed.at(-1).seq) {
      missed.push(...(await back.request("history", { room: "busy", after: at, limit: 200 })).messages);
    }
    const end = history.data[0].seq;
    const all = [...seen, ...missed.filter(({ seq }) => seq < end), ...history.data];
    assertGapFree(all);
    assert.equal(all.length, COUNT);
    await Promise.all([writer, back].map((client) => client.close()));
  });
});

describe("messages that are never whole", () => {
  const STALL_MS = 2000;
  const BYTES_MAX = 64 * 1024 * 1024; // of all of them together
  const received = async (stack) => metric(await stack.metrics(), "received_bytes");
  const begin = (client, text) => client.socket.send(text, { fin: false });
  const more = (client, text, fin) => client.socket.send(text, { fin });
  let stack;
  afterEach(() => stack?.stop());

  it("end after a while, however they drip, and those that become whole are taken", async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0", "--stall-timeout", STALL_MS] });
    const patient = await Client.join(stack, "patient", "main");
    const slow = await Promise.all(Array.from({ length: 20 }, (_, i) => Client.join(stack, `slow-${i}`, "main")));
    const began = Date.now();
    for (const client of slow) begin(client, "x".repeat(20_000));
    await until("it is counted", async () => (await received(stack)) === slow.length * 20_000);
    const drip = setInterval(() => {
      for (const client of slow) if (client.socket.readyState === client.socket.OPEN) more(client, "x", false);
    }, 100);
    for (let id = 1000; slow.some((client) => !client.close_) || Date.now() - began < 2 * STALL_MS; id++) {
      const text = JSON.stringify({ event: "updateChat", data: { room: "main", body: BODY }, id });
      begin(patient, text.slice(0, 1000));
      await sleep(STALL_MS / 8);
      more(patient, text.slice(1000), true);
      await patient.take("ack", (frame) => frame.id === id);
      assert.ok(Date.now() - began < 20_000, "they end");
    }
    clearInterval(drip);
    for (const client of slow) assert.equal((await client.closed()).code, 4008);
    await patient.say("main", "still there");
    assert.equal(await received(stack), 0);
    await patient.close();
  });

  it("are kept within a bound, the newest ones", async () => {
    const size = 1_000_000;
    stack = await Stack.start({ gatewayOptions: ["--rate", "0", "--frame-max", "1048576", "--stall-timeout", "120000"] });
    const slow = [];
    for (let sent = 0; sent < BYTES_MAX + 10 * size; sent += size) {
      const client = await Client.join(stack, `slow-${slow.length}`, "main");
      begin(client, "x".repeat(size));
      slow.push(client);
      await until("it has come", async () => (await received(stack)) >= Math.min(sent + size, BYTES_MAX - size));
    }
    for (const client of slow.slice(0, 10)) assert.equal((await client.closed()).code, 4008);
    const kept = await received(stack);
    assert.ok(kept > BYTES_MAX - 2 * size && kept <= BYTES_MAX, `${kept} bytes`);
    more(slow.at(-1), "", true);
    assert.equal((await slow.at(-1).take("error")).data.code, "bad_json");
    for (const { socket } of slow) socket.terminate();
    await until("all of it is forgotten", async () => (await received(stack)) === 0);
  });
});
