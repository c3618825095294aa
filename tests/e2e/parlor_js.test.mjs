// SPDX-License-Identifier: MIT
// parlor_js.test.mjs - parlor.js as other programs use it, without a page: what it sends until stored, and what it gives up.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { Parlor, ParlorError } from "./lib/web.mjs";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until } from "./lib/wait.mjs";

const outcome = (stored) => stored.then(() => "stored", (error) => error.code);

describe("parlor.js", () => {
  let stack;
  const open = new Set();
  let sockets = 0;
  class Counted extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets += 1;
    }
  }
  function person(username, more = {}) {
    const url = `${stack.url.replace("http", "ws")}/ws`;
    const parlor = new Parlor({ username, url, WebSocket: Counted, ...more });
    open.add(parlor);
    return parlor;
  }

  const unhandled = [];
  const note = (error) => unhandled.push(error);
  before(async () => {
    process.on("unhandledRejection", note);
    stack = await Stack.start({ gatewayOptions: ["--rate", "0"] });
  });
  after(async () => {
    for (const parlor of open) parlor.close();
    await stack?.stop();
    process.off("unhandledRejection", note);
  });

  it("gives up what the gateway refuses, says why, and goes on with the next", async () => {
    const ann = person("ann");
    await ann.join("main");
    const bodies = ["x".repeat(70_000), "first", "x".repeat(4001), "", "a\0b", "x".repeat(100_000), "half \ud83d", "last"];
    const codes = await Promise.all(bodies.map((body) => outcome(ann.send("main", body).stored)));
    assert.deepEqual(codes, ["too_large", "stored", "too_large", "bad_field", "bad_field", "too_large", "stored", "stored"]);
    const { messages } = await ann.history("main");
    assert.deepEqual(messages.map(({ body }) => body), ["first", "half \ufffd", "last"]);
  });

  it("refuses what is too large of several rooms, and only that", async () => {
    const ann = person("ann of rooms");
    await Promise.all(["a", "b", "c"].map((room) => ann.join(room)));
    const codes = await Promise.all([["a", 70_000], ["b", 10], ["c", 80_000], ["a", 20], ["c", 30]]
      .map(([room, length]) => outcome(ann.send(room, "x".repeat(length)).stored)));
    assert.deepEqual(codes, ["too_large", "stored", "too_large", "stored", "stored"]);
    await assert.rejects(ann.join("r".repeat(70_000)), { name: "ParlorError", code: "too_large" });
  });

  it("is known by names as the gateway spells them", async () => {
    const zoe = person("Zoe\u0308");
    const heard = [];
    zoe.on("messages", ({ room, messages }) => heard.push(...messages.map(({ body }) => [room, body])));
    assert.deepEqual(await zoe.join("cafe\u0301"), { room: "caf\u00e9", username: "Zo\u00eb" });
    const bob = await Client.join(stack, "bob", "caf\u00e9");
    await bob.say("caf\u00e9", "hello");
    await zoe.send("cafe\u0301", "by one name").stored;
    await zoe.send("caf\u00e9", "by the other").stored;
    await until("all is heard", () => heard.length === 3);
    assert.deepEqual(heard, [["caf\u00e9", "hello"], ["caf\u00e9", "by one name"], ["caf\u00e9", "by the other"]]);
    await bob.close();
  });

  it("has errors with a name, and leaves no promise unhandled", async () => {
    const eve = person("eve");
    await eve.join("main");
    eve.send("nowhere", "lost");
    eve.send("main", "");
    await assert.rejects(eve.send("main", "").stored, (error) => error instanceof ParlorError && error.name === "ParlorError");
    await sleep(100);
    assert.deepEqual(unhandled, []);
  });

  it("does not come back for ever when every room has refused it", async () => {
    const owner = person("owned", { key: "k".repeat(20) });
    await owner.join("main");
    const thief = person("owned", { key: "t".repeat(20) });
    await assert.rejects(thief.join("main"), { code: "name_taken" });
    const before = sockets;
    await stack.restart("gateway-0");
    await until("the owner is back", () => owner.state === "open");
    assert.equal(thief.state, "closed");
    assert.ok(sockets > before);
    await outcome(owner.send("main", "still mine").stored);
  });

  it("gives a message up that live connections never answer, and goes on", { timeout: 120_000 }, async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.on("listening", resolve));
    let seq = 0;
    server.on("connection", (socket) => socket.on("message", (text) => {
      const { event, data, id } = JSON.parse(text);
      if (data.body === "never answered") return;
      const ack = event === "userJoin" ? { room: data.room, username: data.username } : { room: data.room, seq: ++seq, time: 1 };
      socket.send(JSON.stringify({ event: "ack", id, data: ack }));
      if (event === "userJoin") socket.send(JSON.stringify({ event: "msgHistory", room: data.room, data: [], more: false }));
    }));
    const ann = person("ann", { url: `ws://127.0.0.1:${server.address().port}` });
    await ann.join("main");
    const codes = [ann.send("main", "never answered"), ann.send("main", "the next")].map(({ stored }) => outcome(stored));
    assert.deepEqual(await Promise.all(codes), ["timeout", "stored"]);
    ann.close();
    server.close();
  });
});
