// SPDX-License-Identifier: MIT
// typing.test.mjs - who is typing, and how it ends.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";

describe("typing", () => {
  let stack, ann, bob;
  before(async () => {
    stack = await Stack.start();
    ann = await Client.join(stack, "ann", "main");
    bob = await Client.join(stack, "bob", "main");
  });
  after(async () => {
    await Promise.all([ann, bob].map((client) => client?.close()));
    await stack?.stop();
  });

  it("is told to the others, with an ack for the one who types", async () => {
    const ack = await ann.request("userTyping", { username: "ignored", room: "main" });
    assert.equal(ack.room, "main");
    assert.deepEqual(await bob.take("userTyping"), { event: "userTyping", room: "main", data: { username: "ann", room: "main" } });
    await ann.roundTrip();
    assert.equal(ann.all("userTyping").length, 0);
  });

  it("ends with the message", async () => {
    await ann.say("main", "done");
    assert.deepEqual(await bob.take("userStoppedTyping"),
      { event: "userStoppedTyping", room: "main", data: { username: "ann", room: "main" } });
  });

  it("ends by itself after 5 s", async () => {
    await bob.request("userTyping", { room: "main" });
    await ann.take("userTyping");
    const started = Date.now();
    await ann.take("userStoppedTyping");
    const lasted = Date.now() - started;
    assert.ok(lasted > 3_500 && lasted < 9_000, `after ${lasted} ms`);
  });

  it("is sent at most once a second", async () => {
    const before = bob.all("userTyping").length;
    const started = Date.now();
    for (let i = 0; i < 30; i++) await ann.request("userTyping", { room: "main" });
    await bob.take("userTyping");
    const seconds = Math.floor((Date.now() - started) / 1000);
    await bob.roundTrip();
    assert.ok(bob.all("userTyping").length - before <= 1 + seconds);
    await ann.say("main", "that was it");
    await bob.take("userStoppedTyping");
  });

  it("ends when the user leaves", async () => {
    const eve = await Client.join(stack, "eve", "main");
    await eve.request("userTyping", { room: "main" });
    await bob.take("userTyping", ({ data }) => data.username === "eve");
    eve.cut();
    await bob.take("userLeave", ({ data }) => data.username === "eve");
    await bob.sees("main", ["ann", "bob"]);
    const of = (event) => bob.all(event).filter(({ data }) => data.username === "eve");
    assert.ok(of("userStoppedTyping").length <= of("userTyping").length);
  });

  it("stays in its room", async () => {
    await ann.join("ann", "aside");
    const before = bob.all("userTyping").length;
    await ann.request("userTyping", { room: "aside" });
    await ann.say("main", "elsewhere I type");
    await bob.take("updateChat", ({ data }) => data.body === "elsewhere I type");
    await bob.roundTrip();
    assert.equal(bob.all("userTyping").length, before);
  });
});
