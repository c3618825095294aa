// SPDX-License-Identifier: MIT
// join.test.mjs - entering and leaving rooms, and whose name is whose.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client, Refused } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";

const KEY_A = "a".repeat(32);
const KEY_B = "b".repeat(32);
const code = (expected) => (error) => error instanceof Refused && error.code === expected;

describe("join", () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  it("is ack, activeUsers, msgHistory for the joiner and userJoin for the others", async () => {
    const ann = await Client.join(stack, "ann", "main");
    const bob = await Client.connect(stack);
    const ack = await bob.join("bob", "main");
    assert.equal(ack.room, "main");
    await bob.take("msgHistory");
    assert.deepEqual(bob.frames.slice(0, 3).map(({ event }) => event), ["ack", "activeUsers", "msgHistory"]);
    const [, people, history] = bob.frames;
    assert.equal(people.room, "main");
    assert.deepEqual([...people.data].sort(), ["ann", "bob"]);
    const { epoch, ...rest } = history;
    assert.deepEqual(rest, { event: "msgHistory", room: "main", data: [], more: false });
    assert.ok(epoch === undefined || Number.isSafeInteger(epoch), `${epoch}`);
    const joined = await ann.take("userJoin");
    assert.deepEqual(joined, { event: "userJoin", room: "main", data: { username: "bob", room: "main" } });
    await ann.sees("main", ["ann", "bob"]);
    await bob.roundTrip();
    assert.equal(bob.all("userJoin").length, 0, "not of oneself");
    await Promise.all([ann.close(), bob.close()]);
  });

  it("gives the last 50 messages, and says whether there are older ones", async () => {
    const ann = await Client.join(stack, "ann", "long");
    for (let i = 1; i <= 60; i++) await ann.say("long", `message ${i}`);
    const bob = await Client.join(stack, "bob", "long");
    const history = await bob.take("msgHistory");
    assert.deepEqual(history.data.map(({ seq }) => seq), Array.from({ length: 50 }, (_, i) => i + 11));
    assert.equal(history.more, true);
    assert.equal(history.data[0].body, "message 11");
    await Promise.all([ann.close(), bob.close()]);
  });

  it("stands before the first live message, however busy the room", async () => {
    const ann = await Client.join(stack, "ann", "flow");
    let writing = true;
    const flow = (async () => { for (let i = 0; writing; i++) await ann.say("flow", `${i}`).catch(() => {}); })();
    for (let round = 0; round < 10; round++) {
      const bob = await Client.join(stack, `bob${round}`, "flow");
      await bob.take("updateChat");
      const seqs = bob.frames.flatMap(({ event, data }) =>
        event === "msgHistory" ? data.map(({ seq }) => seq) : event === "updateChat" ? [data.seq] : []);
      assert.ok(bob.frames.findIndex((f) => f.event === "msgHistory") < bob.frames.findIndex((f) => f.event === "updateChat"));
      seqs.forEach((seq, i) => assert.equal(seq, seqs[0] + i, "nothing falls between history and live"));
      await bob.close();
    }
    writing = false;
    await flow;
    await ann.close();
  });

  it("tells userLeave after leaving, and nothing more comes from the room", async () => {
    const ann = await Client.join(stack, "ann", "exit");
    const bob = await Client.join(stack, "bob", "exit");
    await ann.sees("exit", ["ann", "bob"]);
    const ack = await bob.request("userLeave", { room: "exit" });
    assert.equal(ack.room, "exit");
    assert.deepEqual(await ann.take("userLeave"), { event: "userLeave", room: "exit", data: { username: "bob", room: "exit" } });
    await ann.sees("exit", ["ann"]);
    await ann.say("exit", "is anybody there?");
    await assert.rejects(bob.say("exit", "no"), code("not_joined"));
    assert.equal(bob.all("updateChat").length, 0);
    await bob.join("bob", "exit");
    await ann.take("userJoin", ({ data }) => data.username === "bob");
    assert.equal((await bob.take("msgHistory", ({ data }) => data.length === 1)).data[0].body, "is anybody there?");
    await Promise.all([ann.close(), bob.close()]);
  });

  it("tells userLeave after a disconnect, clean or not", async () => {
    const ann = await Client.join(stack, "ann", "gone");
    for (const leave of ["close", "cut"]) {
      const bob = await Client.join(stack, "bob", "gone");
      await ann.take("userJoin");
      bob[leave]();
      assert.equal((await ann.take("userLeave")).data.username, "bob");
      await ann.sees("gone", ["ann"]);
    }
    await ann.close();
  });

  it("counts a user once, however many connections there are", async () => {
    const ann = await Client.join(stack, "ann", "once");
    const first = await Client.join(stack, "bob", "once");
    await ann.take("userJoin");
    const second = await Client.join(stack, "bob", "once");
    assert.deepEqual(second.people("once"), ["ann", "bob"]);
    await first.close();
    await second.say("once", "still here");
    await ann.take("updateChat");
    assert.equal(ann.all("userJoin").length, 1);
    assert.equal(ann.all("userLeave").length, 0);
    await second.close();
    await ann.take("userLeave");
    assert.equal(ann.all("userLeave").length, 1);
    await ann.close();
  });

  it("may be repeated, and greets again", async () => {
    const ann = await Client.join(stack, "ann", "twice");
    await ann.say("twice", "one");
    await ann.join("ann", "twice");
    const second = await ann.take("msgHistory", ({ data }) => data.length === 1);
    assert.equal(second.data[0].body, "one");
    const [a, b] = await Promise.all([ann.join("ann", "new"), ann.join("ann", "new").catch((error) => error)]);
    assert.equal(a.room, "new");
    assert.ok(b.room === "new" || b instanceof Refused, "a second join while one is under way gets its reply too");
    await ann.say("new", "works");
    await ann.close();
  });

  it("makes one name of what looks the same (NFC)", async () => {
    const composed = "Zo\u00eb";
    const ann = await Client.join(stack, "ann", "caf\u00e9");
    const zoe = await Client.connect(stack);
    await zoe.request("userJoin", { username: "Zoe\u0308", room: "cafe\u0301" });
    await ann.sees("caf\u00e9", ["ann", composed]);
    await Promise.all([ann.close(), zoe.close()]);
  });

  it("has one username a connection", async () => {
    const ann = await Client.join(stack, "ann", "main");
    await assert.rejects(ann.request("userJoin", { username: "bob", room: "main" }), code("username_mismatch"));
    await assert.rejects(ann.request("userJoin", { username: "bob", room: "other" }), code("username_mismatch"));
    await ann.say("main", "still me");
    await ann.close();
  });

  it("keeps a name for its key, from the first join to after the last", async () => {
    const owner = await Client.join(stack, "owner", "main", { join: { key: KEY_A } });
    const tab = await Client.join(stack, "owner", "main", { join: { key: KEY_A } });
    const thief = await Client.connect(stack);
    await assert.rejects(thief.request("userJoin", { username: "owner", room: "main", key: KEY_B }), code("name_taken"));
    await assert.rejects(thief.request("userJoin", { username: "owner", room: "main" }), code("name_taken"));
    await owner.close();
    await assert.rejects(thief.request("userJoin", { username: "owner", room: "main", key: KEY_B }), code("name_taken"));
    await tab.close();
    await assert.rejects(thief.request("userJoin", { username: "owner", room: "main", key: KEY_B }), code("name_taken"));
    const back = await Client.join(stack, "owner", "main", { join: { key: KEY_A } });
    await thief.join("somebody", "main");
    await Promise.all([back.close(), thief.close()]);
  });

  it("gives a name to its owner while forty strangers knock with other keys", async () => {
    const owner = await Client.join(stack, "wanted", "main", { join: { key: KEY_A } });
    await owner.close();
    const strangers = await Promise.all(Array.from({ length: 40 }, () => Client.connect(stack)));
    const back = await Client.connect(stack);
    const knocks = strangers.map((stranger, i) =>
      assert.rejects(stranger.request("userJoin", { username: "wanted", room: "main", key: `not-the-right-key-${i}` }), code("name_taken")),
    );
    await back.join("wanted", "main", { key: KEY_A });
    await Promise.all(knocks);
    await Promise.all([back, ...strangers].map((client) => client.close()));
  });

  it("gives nobody a reserved name, nor one that looks like it", async () => {
    const eve = await Client.connect(stack);
    for (const username of ["System", "system", "\u0405ystem", "You"]) {
      await assert.rejects(eve.join(username, "main"), code("name_taken"), username);
    }
    for (const username of ["ann\u200b", "\u2066ann\u2069", "ann\u00ad"]) await assert.rejects(eve.join(username, "main"), code("bad_field"));
    await eve.join("\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "main"); // Persian, with a joiner where it belongs
    await eve.close();
  });

  it("lets names without a key be shared, but not by someone with one", async () => {
    const first = await Client.join(stack, "open", "main");
    const second = await Client.join(stack, "open", "main");
    const keyed = await Client.connect(stack);
    await assert.rejects(keyed.request("userJoin", { username: "open", room: "main", key: KEY_A }), code("name_taken"));
    await Promise.all([first.close(), second.close(), keyed.close()]);
  });
});

describe("join with --guest-keys required", () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--guest-keys", "required", "--join-timeout", "1500"] });
  });
  after(() => stack?.stop());

  it("refuses a join without a key", async () => {
    const ann = await Client.connect(stack);
    await assert.rejects(ann.join("ann", "main"), (error) => ["unauthorized", "bad_field"].includes(error.code));
    await ann.join("ann", "main", { key: KEY_A });
    await ann.close();
  });

  it("closes a connection that does not join in time", async () => {
    const idle = await Client.connect(stack);
    const ann = await Client.join(stack, "bob", "main", { join: { key: KEY_B } });
    const { code: why } = await idle.closed();
    assert.equal(why, 4001);
    await ann.say("main", "I may stay");
    await ann.close();
  });
});
