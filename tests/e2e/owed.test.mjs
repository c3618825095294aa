// SPDX-License-Identifier: MIT
// owed.test.mjs - what a client is owed: large answers reach who reads late or slowly, by WebSocket and by polling, and
// who never reads makes the gateway keep little, whatever it has asked for.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { assertGapFree } from "./lib/room.mjs";
import { SioClient } from "./lib/sio.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until, within } from "./lib/wait.mjs";

const KIB = 1024;
const SESSION = 64 * KIB;
const LONG = "x".repeat(4000);
const ESCAPED = "\u0001".repeat(4000); // six bytes each in JSON

async function fill(stack, room, count, body) {
  const writer = await Client.join(stack, "writer", room);
  for (let at = 0; at < count; at += 25) {
    await Promise.all(Array.from({ length: Math.min(25, count - at) }, () => writer.say(room, body)));
  }
  await writer.close();
}

/** What of the room has come since the join: msgHistory, and what followed it. */
const shown = (client, room) => [
  ...client.all("msgHistory", room).at(-1)?.data ?? [],
  ...client.all("updateChat", room).map(({ data }) => data),
];

describe("owed", () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0", "--stall-timeout", "3000", "--log-bytes", "65536"] });
    await fill(stack, "long", 200, LONG);
    await fill(stack, "escaped", 60, ESCAPED);
  });
  after(() => stack?.stop());

  const metric = async (name) => {
    const all = await stack.metrics();
    return Object.entries(all).find(([key]) => key.startsWith(`parlor_${name}`))[1];
  };
  const isSanitized = () => /asan/.test(readFileSync(`/proc/${stack.pid("gateway-0")}/maps`, "utf8"));
  const residentKb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${stack.pid("gateway-0")}/status`, "utf8"))[1]);

  for (const count of [4, 16]) {
    it(`gives ${count} pages that were asked for at once to who reads late`, async () => {
      const reader = await Client.join(stack, "reader", "long", { join: { since: 200 } });
      reader.socket.pause();
      const pages = Array.from({ length: count }, () => reader.request("history", { room: "long", after: 0, limit: 200 }, 30_000));
      await sleep(500);
      reader.socket.resume();
      for (const { messages, more } of await Promise.all(pages)) {
        assert.equal(messages[0].seq, 1);
        assert.ok(more && messages.length >= 10, `${messages.length} messages`);
        assert.ok(JSON.stringify(messages).length < SESSION + 5000);
      }
      await reader.close();
    });
  }

  it("has pages that go on where they end, in both directions", async () => {
    const reader = await Client.join(stack, "reader", "escaped");
    const up = [];
    for (let more = true; more;) {
      const page = await reader.request("history", { room: "escaped", after: up.at(-1)?.seq ?? 0, limit: 200 });
      up.push(...page.messages);
      more = page.more;
    }
    assert.equal(up.length, 60);
    assertGapFree(up);
    const down = [];
    for (let more = true; more;) {
      const page = await reader.request("history", { room: "escaped", before: down[0]?.seq ?? 61, limit: 200 });
      down.unshift(...page.messages);
      more = page.more;
    }
    assert.deepEqual(down, up);
    await reader.close();
  });

  for (const pauseMs of [200, 2000]) {
    it(`greets in eight rooms at once who reads ${pauseMs} ms later`, async () => {
      const rooms = Array.from({ length: 8 }, (_, i) => `room ${i} ${pauseMs}`);
      await Promise.all(rooms.map((room) => fill(stack, room, 50, LONG)));
      const reader = await Client.connect(stack);
      reader.username = "reader";
      const joins = rooms.map((room) => reader.request("userJoin", { username: "reader", room, since: 0 }, 30_000));
      reader.socket.pause();
      await sleep(pauseMs);
      reader.socket.resume();
      await Promise.all(joins);
      for (const room of rooms) {
        await until(`all of ${room}`, () => shown(reader, room).at(-1)?.seq === 50, 30_000);
        assertGapFree(shown(reader, room));
        assert.equal(shown(reader, room).length, 50);
      }
      await reader.close();
    });
  }

  it("shows a room of large messages to a client that polls", async () => {
    const reader = await SioClient.join(stack, "poller", "escaped", { transports: ["polling"] });
    await until("all of them", () => shown(reader, "escaped").at(-1)?.seq === 60, 30_000);
    assert.deepEqual(shown(reader, "escaped").map(({ seq }) => seq), Array.from({ length: 50 }, (_, i) => 11 + i));
    await reader.close();
  });

  it("shows many rooms to a client that polls", async () => {
    const rooms = Array.from({ length: 30 }, (_, i) => `small ${i}`);
    for (const room of rooms) await fill(stack, room, 50, "y".repeat(250));
    const reader = await SioClient.connect(stack, { transports: ["polling"] });
    await Promise.all(rooms.map((room) => reader.request("userJoin", { username: "poller", room }, 30_000)));
    for (const room of rooms) {
      await until(`all of ${room}`, () => shown(reader, room).length === 50, 30_000);
      assertGapFree(shown(reader, room));
    }
    await reader.close();
  });

  it("closes who takes nothing, and nobody who takes a little", async () => {
    const eager = await Client.join(stack, "eager", "long");
    const dead = await Client.join(stack, "dead", "long");
    const before = await metric("stalled_total");
    for (const { socket } of [eager, dead]) socket.pause();
    const ask = (client) => Array.from({ length: 60 }, () => client.request("history", { room: "long", limit: 200 }, 60_000));
    const pages = Promise.all(ask(eager));
    for (const page of ask(dead)) page.catch(() => {});
    for (let i = 0; i < 16; i++) { // longer than the stall, in sips
      eager.socket.resume();
      await sleep(1);
      eager.socket.pause();
      await sleep(500);
    }
    assert.equal(await metric("stalled_total") - before, 1, "the one that took nothing is closed");
    eager.socket.resume();
    await pages;
    dead.socket.terminate();
    await eager.close();
  });

  it("keeps little for who never reads, whatever it asks", async (t) => {
    const COUNT = 30;
    const clients = await Promise.all(Array.from({ length: 3 * COUNT }, (_, i) =>
      Client.join(stack, `deaf ${i}`, "escaped", { protocols: ["parlor.v1"], join: { since: 60 } })));
    const before = residentKb();
    const line = JSON.stringify({ event: "history", data: { room: "escaped", limit: 200 }, id: 1 });
    for (const { socket } of clients) socket.pause();
    for (const [i, { socket }] of clients.entries()) {
      if (i % 3 === 0) for (let n = 0; n < 60; n++) socket.send(line);
      else if (i % 3 === 1) for (let n = 0; n < 40; n++) socket.send("[\n".repeat(32768));
      else for (let n = 0; n < 40; n++) socket.send('{"id":7}\n'.repeat(7000));
    }
    await until("they are behind", async () => (await metric("owed_bytes")) > COUNT * SESSION / 2, 30_000);
    await sleep(1000);
    const owed = await metric("owed_bytes");
    const grown = residentKb() - before;
    t.diagnostic(`${clients.length} who do not read: ${owed >> 10} KiB owed, the gateway grew by ${grown} KiB`);
    assert.ok(owed < clients.length * 4 * SESSION, `${owed} bytes`);
    if (!isSanitized()) assert.ok(grown < clients.length * 300 + 8192, `the gateway grew by ${grown} KiB`);
    for (const { socket } of clients) socket.terminate();
    await until("all of it is forgotten", async () => (await metric("owed_bytes")) === 0, 30_000);
  });

  it("keeps little for a sid that asks and never polls", async () => {
    const ask = (query, method = "GET", body = undefined) => new Promise((resolve, reject) => {
      const request = http.request(`${stack.url}/socket.io/?EIO=4&transport=polling${query}`, { method, agent: false }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (more) => { text += more; });
        answer.on("end", () => resolve({ status: answer.statusCode, body: text }));
      });
      request.on("error", reject).end(body);
    });
    const { sid } = JSON.parse((await ask("")).body.slice(1));
    const post = (body) => ask(`&sid=${sid}`, "POST", body);
    await post("40");
    const nonsense = Array.from({ length: 4000 }, (_, i) => `42${i}["x"]`).join("\u001e");
    const answers = [];
    const statuses = () => answers.map((answer) => answer?.status);
    for (let i = 0; i < 4; i++) { // the first is taken and worked off as far as may be, then they wait
      answers.push(await Promise.race([post(nonsense), sleep(700)]));
      if (!answers.at(-1)) break;
    }
    assert.equal(answers[0].status, 200);
    assert.ok(answers.length < 4 && answers.at(-1) === undefined, `answered with ${statuses()}`);
    const owed = await metric("owed_bytes");
    assert.ok(owed < 3 * SESSION, `${owed} bytes`);
    let got = 0;
    await within((async () => { // when it polls, all of it is answered
      while (got < 8000 && got % 4000 < 3999) {
        const { body } = await ask(`&sid=${sid}`);
        got += body.split("\u001e").filter((packet) => packet.startsWith("43")).length;
      }
    })(), "the answers", 30_000);
  });
});
