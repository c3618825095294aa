// SPDX-License-Identifier: MIT
// history.test.mjs - pages of a room: before, after, limit, more.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { wholeRoom } from "./lib/room.mjs";
import { Stack } from "./lib/stack.mjs";

const TOTAL = 430;
const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

describe("history", () => {
  let stack, ann;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0"] });
    ann = await Client.join(stack, "ann", "main");
    for (let at = 1; at <= TOTAL; at += 50) {
      await Promise.all(range(at, Math.min(at + 49, TOTAL)).map((n) => ann.say("main", `message ${n}`)));
    }
    await ann.join("ann", "main 2"); // a neighbour in key order
    await ann.say("main 2", "not of main");
  });
  after(async () => {
    await ann?.close();
    await stack?.stop();
  });

  // What is asked, the seqs that come, and `more`: whether the range has others in the direction of the page.
  const pages = [
    ["the newest", { limit: 10 }, range(421, 430), true],
    ["before a seq", { before: 100, limit: 10 }, range(90, 99), true],
    ["before the end of a room", { before: 431, limit: 5 }, range(426, 430), true],
    ["before far beyond the end", { before: Number.MAX_SAFE_INTEGER, limit: 5 }, range(426, 430), true],
    ["the first ones", { before: 6, limit: 10 }, range(1, 5), false],
    ["just the first ones", { before: 11, limit: 10 }, range(1, 10), false],
    ["before the first", { before: 1, limit: 10 }, [], false],
    ["after a seq", { after: 100, limit: 10 }, range(101, 110), true],
    ["after nothing: the oldest", { after: 0, limit: 3 }, [1, 2, 3], true],
    ["the last ones", { after: 425, limit: 10 }, range(426, 430), false],
    ["just the last ones", { after: 420, limit: 10 }, range(421, 430), false],
    ["after the last", { after: 430, limit: 10 }, [], false],
    ["after far beyond the end", { after: 1_000_000, limit: 10 }, [], false],
    ["the largest page", { after: 0, limit: 200 }, range(1, 200), true],
    ["one", { limit: 1 }, [430], true],
  ];
  for (const [name, asked, seqs, more] of pages) {
    it(`gives ${name}`, async () => {
      const page = await ann.request("history", { room: "main", ...asked });
      assert.deepEqual(page.messages.map(({ seq }) => seq), seqs);
      assert.equal(page.more, more);
      for (const message of page.messages) {
        assert.deepEqual(Object.keys(message).sort(), ["body", "room", "seq", "time", "username"]);
        assert.equal(message.room, "main");
        assert.match(message.body, /^message \d+$/);
      }
    });
  }

  it("has at most 200 without a limit, and not none", async () => {
    const { messages, more } = await ann.request("history", { room: "main" });
    assert.ok(messages.length >= 1 && messages.length <= 200);
    assert.equal(messages.at(-1).seq, TOTAL);
    assert.equal(more, true);
  });

  it("gives the whole room by pages, both ways", async () => {
    const forward = await wholeRoom(ann, "main");
    assert.equal(forward.length, TOTAL);
    const backward = [];
    for (let more = true, before; more; before = backward[0].seq) {
      const page = await ann.request("history", { room: "main", before, limit: 77 });
      backward.unshift(...page.messages);
      more = page.more;
    }
    assert.deepEqual(backward, forward);
  });

  it("is the same after historyd was killed", async () => {
    const earlier = await wholeRoom(ann, "main");
    await stack.restart("historyd-0");
    await stack.ready();
    assert.deepEqual(await wholeRoom(ann, "main"), earlier);
    const newcomer = await Client.join(stack, "bob", "main");
    const history = await newcomer.take("msgHistory");
    assert.deepEqual(history.data, earlier.slice(-50));
    await newcomer.close();
  });

  it("carries pages of the longest messages", async () => {
    await ann.join("ann", "heavy");
    const body = "\u0001".repeat(4000); // six bytes each in JSON
    for (let i = 0; i < 60; i++) await ann.say("heavy", body);
    const { messages } = await ann.request("history", { room: "heavy", limit: 200 });
    assert.ok(messages.length > 0);
    assert.ok(messages.every((message) => message.body === body));
    assert.equal((await wholeRoom(ann, "heavy")).length, 60);
  });
});
