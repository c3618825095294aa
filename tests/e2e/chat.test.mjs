// SPDX-License-Identifier: MIT
// chat.test.mjs - messages: who gets them, in which order, and what the writer is told.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { assertGapFree, messagesSeen } from "./lib/room.mjs";
import { Stack } from "./lib/stack.mjs";

describe("chat", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gatewayOptions: ["--rate", "0"] }); });
  after(() => stack?.stop());

  it("acks with room, seq and time, and delivers the same to the others", async () => {
    const ann = await Client.join(stack, "ann", "main");
    const bob = await Client.join(stack, "bob", "main");
    const earliest = Date.now();
    const ack = await ann.say("main", "hello, Bob");
    assert.deepEqual(Object.keys(ack).sort(), ["room", "seq", "time"]);
    assert.equal(ack.room, "main");
    assert.equal(ack.seq, 1);
    assert.ok(Math.abs(ack.time - earliest) < 60_000, `time ${ack.time} is now`);
    const frame = await bob.take("updateChat");
    assert.deepEqual(frame, {
      event: "updateChat", room: "main",
      data: { username: "ann", body: "hello, Bob", time: ack.time, room: "main", seq: 1 },
    });
    await ann.roundTrip();
    assert.equal(ann.all("updateChat").length, 0, "the writer has its ack, not the message");
    await Promise.all([ann.close(), bob.close()]);
  });

  it("gives a message to the writer's other connections", async () => {
    const first = await Client.join(stack, "cid", "tabs");
    const second = await Client.join(stack, "cid", "tabs");
    const ack = await first.say("tabs", "from the first tab", { cid: "c-1" });
    const { data } = await second.take("updateChat");
    assert.deepEqual(data, { username: "cid", body: "from the first tab", time: ack.time, room: "tabs", seq: 1, cid: "c-1" });
    await Promise.all([first.close(), second.close()]);
  });

  it("takes a message without an id, and ignores username and time", async () => {
    const ann = await Client.join(stack, "ann", "quiet");
    const bob = await Client.join(stack, "bob", "quiet");
    ann.send("updateChat", { username: "somebody else", time: 1, room: "quiet", body: "no id" });
    const { data } = await bob.take("updateChat");
    assert.equal(data.username, "ann");
    assert.ok(data.time > 1_000_000_000_000);
    await ann.roundTrip();
    assert.deepEqual(ann.all("error").filter(({ id }) => id === undefined), []);
    await Promise.all([ann.close(), bob.close()]);
  });

  it("keeps every text as it is", async () => {
    const texts = [
      "plain", "  spaces at both ends  ", "two\nlines\tand a tab", "\"quoted\" \\ and / slashes", "<b>not bold</b>",
      "äöü ß", "日本語", "👩‍👩‍👧‍👦 🏳️‍🌈", "e\u0301 is not made one with é", "\u202eright to left", "\u2028 and \u2029", "\u0001\u001f\u007f",
      "\ufeffa mark", "\ud83d\ude00".repeat(900), "x".repeat(4000), "é".repeat(2000),
    ];
    const ann = await Client.join(stack, "ann", "texts");
    const bob = await Client.join(stack, "bob", "texts");
    for (const text of texts) {
      const { seq } = await ann.say("texts", text);
      const { data } = await bob.take("updateChat");
      assert.equal(data.seq, seq);
      assert.equal(data.body, text);
    }
    const { messages } = await bob.request("history", { room: "texts" });
    assert.deepEqual(messages.map(({ body }) => body), texts);
    await Promise.all([ann.close(), bob.close()]);
  });

  it("has one order for all, with the writer's acks in it", async () => {
    const room = "busy";
    const writers = await Promise.all(["w1", "w2", "w3", "w4"].map((name) => Client.join(stack, name, room)));
    const reader = await Client.join(stack, "reader", room);
    const each = 100;
    const acks = await Promise.all(writers.flatMap((writer) =>
      Array.from({ length: each }, (_, i) => writer.say(room, `${writer.username} ${i}`))));
    const total = writers.length * each;
    assert.deepEqual(acks.map(({ seq }) => seq).sort((a, b) => a - b), Array.from({ length: total }, (_, i) => i + 1));
    await reader.take("updateChat", ({ data }) => data.seq === total);
    const seen = messagesSeen(reader, room);
    assert.equal(seen.length, total);
    assertGapFree(seen);
    for (const writer of writers) {
      await writer.roundTrip();
      const order = writer.frames.flatMap(({ event, data, room: of }) =>
        (event === "updateChat" && of === room) || (event === "ack" && data.seq) ? [data.seq] : []);
      assert.deepEqual(order, Array.from({ length: total }, (_, i) => i + 1), `${writer.username}: acks and messages in one order`);
      const own = seen.filter(({ username }) => username === writer.username).map(({ body }) => body);
      assert.deepEqual(own, Array.from({ length: each }, (_, i) => `${writer.username} ${i}`), "a writer's order is kept");
    }
    await Promise.all([...writers, reader].map((client) => client.close()));
  });

  it("keeps rooms apart", async () => {
    const ann = await Client.join(stack, "ann", "left");
    const bob = await Client.join(stack, "bob", "right");
    await bob.join("bob", "left");
    await ann.say("left", "for the left");
    const { room, data } = await bob.take("updateChat");
    assert.equal(room, "left");
    assert.equal(data.seq, 1);
    const { seq } = await bob.say("right", "for the right");
    assert.equal(seq, 1, "each room counts for itself");
    await ann.roundTrip();
    assert.equal(ann.all("updateChat").length, 0);
    await Promise.all([ann.close(), bob.close()]);
  });

  it("carries what is written before the writer leaves at once", async () => {
    const bob = await Client.join(stack, "bob", "brief");
    const ann = await Client.join(stack, "ann", "brief");
    ann.send("updateChat", { room: "brief", body: "last words" });
    ann.socket.close();
    assert.equal((await bob.take("updateChat")).data.body, "last words");
    await bob.close();
  });
});
