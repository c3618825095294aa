// SPDX-License-Identifier: MIT
// limits.test.mjs - sizes at and above their limits, the rate, silence.

import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";
import { within } from "./lib/wait.mjs";

const code = (expected) => (error) => error.code === expected;

describe("limits", () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  it("takes names and bodies up to their limits", async () => {
    const name = "ü".repeat(32);
    const room = `${"語".repeat(42)}xx`;
    assert.deepEqual([Buffer.byteLength(name), Buffer.byteLength(room)], [64, 128]);
    const ann = await Client.join(stack, name, room);
    assert.deepEqual(ann.people(room), [name]);
    const cid = "c".repeat(64);
    await ann.say(room, "b".repeat(4000), { cid });
    const { messages } = await ann.request("history", { room });
    assert.deepEqual([messages[0].cid, messages[0].body.length], [cid, 4000]);
    await ann.close();
  });

  it("measures a name after its normalisation", async () => {
    const ann = await Client.connect(stack);
    await ann.request("userJoin", { username: "u\u0308".repeat(32), room: "nfc" });
    assert.deepEqual(ann.people("nfc"), ["ü".repeat(32)]);
    await ann.close();
  });

  it("takes nesting of 8 where it means nothing", async () => {
    const ann = await Client.join(stack, "ann", "deep");
    const deep = JSON.parse("[".repeat(6) + "]".repeat(6));
    assert.equal((await ann.say("deep", "x", { extra: deep })).seq, 1);
    const deeper = JSON.stringify({ event: "updateChat", data: { room: "deep", body: "x", extra: [deep] } });
    assert.equal((await ann.errorFor(deeper)).code, "bad_json");
    await ann.close();
  });

  it("takes a frame of just 64 KiB, and closes with 1009 above", async () => {
    const padded = (bytes) => {
      const text = JSON.stringify({ event: "updateChat", id: 1, data: { room: "big", body: "x", pad: "" } });
      return text.replace('"pad":""', `"pad":"${"p".repeat(bytes - text.length)}"`);
    };
    const ann = await Client.join(stack, "ann", "big");
    assert.equal(Buffer.byteLength(padded(65_536)), 65_536);
    ann.raw(padded(65_536));
    await ann.take("ack", ({ data }) => data.seq === 1);
    ann.raw(padded(65_537));
    assert.equal((await ann.closed()).code, 1009);
  });

  it("holds a connection to 100 rooms", async () => {
    const ann = await Client.connect(stack);
    for (let i = 0; i < 100; i++) await ann.join("ann", `room ${i}`);
    await assert.rejects(ann.join("ann", "one more"), (error) => /100/.test(error.message) && error.code === "bad_field");
    await assert.rejects(ann.request("newRoom", { room: "one more", username2: "bob" }), code("bad_field"));
    await ann.request("userLeave", { room: "room 7" });
    await ann.join("ann", "one more");
    await ann.close();
  });

  it("refuses events over the rate with rate_limited and retryAfterMs, and takes them again later", async () => {
    const ann = await Client.join(stack, "ann", "rate");
    const bob = await Client.join(stack, "bob", "rate");
    const started = Date.now();
    const results = await Promise.allSettled(Array.from({ length: 400 }, (_, i) => ann.say("rate", `${i}`)));
    const took = Date.now() - started;
    const refused = results.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
    assert.ok(refused.length > 0, "some are over the rate");
    assert.ok(refused.every((error) => error.code === "rate_limited"), refused.find((e) => e.code !== "rate_limited")?.message);
    assert.ok(refused.every(({ retryAfterMs }) => Number.isInteger(retryAfterMs) && retryAfterMs > 0 && retryAfterMs <= 5_000));
    const taken = results.length - refused.length;
    assert.ok(taken >= 199 && taken <= 200 + took / 1000 * 50 + 1, `${taken} in ${took} ms`);
    await new Promise((resolve) => setTimeout(resolve, refused.at(-1).retryAfterMs + 50));
    const { seq } = await ann.say("rate", "later");
    assert.equal(seq, taken + 1, "what was refused is not stored");
    await bob.take("updateChat", ({ data }) => data.body === "later");
    await bob.say("rate", "the other's rate is another");
    await Promise.all([ann.close(), bob.close()]);
  });
});

describe("limits of silence", () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--ping-interval", "500", "--ping-timeout", "1500"] });
  });
  after(() => stack?.stop());

  it("pings, keeps whoever answers, and closes whoever does not", async () => {
    const ann = await Client.join(stack, "ann", "main");
    let pings = 0;
    ann.socket.on("ping", () => { pings++; });
    const silent = net.connect(stack.port, "127.0.0.1");
    silent.write("GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    silent.resume();
    await within(new Promise((resolve) => silent.on("close", resolve).on("error", resolve)), "the silent one is closed");
    assert.ok(pings >= 2, `${pings} pings`);
    await ann.say("main", "still here");
    await ann.close();
  });
});
