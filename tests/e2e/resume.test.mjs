// SPDX-License-Identifier: MIT
// resume.test.mjs - coming back: `since` gives what was missed, a repeated `cid` is stored once.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { assertGapFree } from "./lib/room.mjs";
import { Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

describe("resume", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gatewayOptions: ["--rate", "0"] }); });
  after(() => stack?.stop());

  async function fill(client, room, from, to) {
    const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    await Promise.all(numbers.map((n) => client.say(room, `message ${n}`)));
  }

  async function joinSince(room, since, name = "bob") {
    const client = await Client.join(stack, name, room, { join: { since } });
    return { client, history: await client.take("msgHistory") };
  }

  it("gives what came after `since`, and then what is new", async () => {
    const ann = await Client.join(stack, "ann", "gap");
    await fill(ann, "gap", 1, 20);
    const { client: bob, history } = await joinSince("gap", 12);
    assert.deepEqual(history.data.map(({ seq }) => seq), [13, 14, 15, 16, 17, 18, 19, 20]);
    assert.equal(history.more, false);
    await ann.say("gap", "live");
    assert.equal((await bob.take("updateChat")).data.seq, 21);
    assertGapFree([...history.data, ...bob.all("updateChat").map(({ data }) => data)], 13);
    await Promise.all([ann.close(), bob.close()]);
  });

  it("gives nothing when nothing was missed, and everything anew with a `since` beyond the end", async () => {
    const ann = await Client.join(stack, "ann", "even");
    await fill(ann, "even", 1, 3);
    for (const since of [3, 99, Number.MAX_SAFE_INTEGER]) {
      const { client, history } = await joinSince("even", since);
      assert.deepEqual(history.data.map(({ seq }) => seq), since === 3 ? [] : [1, 2, 3]);
      assert.equal(history.reset, since === 3 ? undefined : true);
      assert.equal(history.more, false);
      await client.close();
    }
    const { client: bob } = await joinSince("even", 99);
    const { seq } = await ann.say("even", "news");
    assert.equal((await bob.take("updateChat")).data.seq, seq, "live messages come whatever `since` was");
    await Promise.all([ann.close(), bob.close()]);
  });

  it("gives the newest 200 of a longer gap, `more`, and the rest by pages", async () => {
    const ann = await Client.join(stack, "ann", "far");
    await fill(ann, "far", 1, 650);
    const { client: bob, history } = await joinSince("far", 5);
    assert.equal(history.data.length, 200);
    assert.equal(history.data.at(-1).seq, 650);
    assert.equal(history.more, true);
    const missed = [];
    const end = history.data[0].seq;
    for (let at = 5; at < end - 1;) {
      const { messages } = await bob.request("history", { room: "far", after: at, limit: 200 });
      missed.push(...messages.filter(({ seq }) => seq < end));
      at = messages.at(-1).seq;
    }
    const all = [...missed, ...history.data];
    assertGapFree(all, 6);
    assert.equal(new Set(all.map(({ body }) => body)).size, 645);
    await bob.close();
    const { client: exact, history: fits } = await joinSince("far", 450);
    assert.equal(fits.data.length, 200);
    assert.equal(fits.more, false, "a gap of just 200 has no more");
    await exact.close();
    await ann.close();
  });

  it("misses nothing over many reconnects in a busy room", async () => {
    const ann = await Client.join(stack, "ann", "flow");
    let writing = true;
    let written = 0;
    const flow = (async () => { for (; writing; written++) await ann.say("flow", `${written}`); })();
    const seqs = [];
    for (let round = 0; round < 15; round++) {
      const { client, history } = await joinSince("flow", seqs.at(-1) ?? 0);
      assert.equal(history.more, false);
      seqs.push(...history.data.map(({ seq }) => seq));
      await client.take("updateChat");
      client.cut();
      await client.closed();
      seqs.push(...client.all("updateChat").map(({ data }) => data.seq));
    }
    writing = false;
    await flow;
    const { client, history } = await joinSince("flow", seqs.at(-1));
    seqs.push(...history.data.map(({ seq }) => seq));
    assert.deepEqual(seqs, Array.from({ length: written }, (_, i) => i + 1));
    await Promise.all([ann.close(), client.close()]);
  });

  it("stores a cid once, and acks it again with the first seq", async () => {
    const ann = await Client.join(stack, "ann", "retry");
    const bob = await Client.join(stack, "bob", "retry");
    const first = await ann.say("retry", "once", { cid: "same" });
    await ann.say("retry", "between");
    assert.deepEqual(await ann.say("retry", "once", { cid: "same" }), first);
    const [a, b] = await Promise.all([ann.say("retry", "both", { cid: "pair" }), ann.say("retry", "both", { cid: "pair" })]);
    assert.deepEqual(a, b);
    const tab = await Client.join(stack, "ann", "retry");
    assert.deepEqual(await tab.say("retry", "once", { cid: "same" }), first, "from another connection too");
    const other = await bob.say("retry", "once", { cid: "same" });
    assert.notEqual(other.seq, first.seq, "another user's cid is another");
    await bob.roundTrip();
    await ann.join("ann", "elsewhere");
    assert.equal((await ann.say("elsewhere", "once", { cid: "same" })).seq, 1, "in another room too");
    const { messages } = await bob.request("history", { room: "retry" });
    assert.deepEqual(messages.map(({ body }) => body), ["once", "between", "both", "once"]);
    await Promise.all([ann.close(), bob.close(), tab.close()]);
  });

  it("knows a cid after every service was restarted", async () => {
    const ann = await Client.join(stack, "ann", "old");
    const first = await ann.say("old", "once", { cid: "from before" });
    await fill(ann, "old", 2, 40);
    for (const name of ["historyd-0", "roomd-0", "gateway-0"]) await stack.restart(name);
    await stack.ready();
    await ann.closed();
    const again = await Client.join(stack, "ann", "old");
    const ack = await until("it is acked", () => again.say("old", "once", { cid: "from before" }));
    assert.deepEqual(ack, first);
    const { messages } = await again.request("history", { room: "old", limit: 200 });
    assert.equal(messages.filter(({ cid }) => cid === "from before").length, 1);
    assert.equal(messages.length, 40);
    await again.close();
  });
});
