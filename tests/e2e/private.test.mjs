// SPDX-License-Identifier: MIT
// private.test.mjs - invitations and private rooms: two people, nobody else, for good.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";

const code = (expected) => (error) => error.code === expected;

describe("private", () => {
  let stack, ann, bob, eve;
  before(async () => {
    stack = await Stack.start();
    [ann, bob, eve] = await Promise.all(["ann", "bob", "eve"].map((name) => Client.join(stack, name, "main")));
  });
  after(async () => {
    await Promise.all([ann, bob, eve].map((client) => client?.close()));
    await stack?.stop();
  });

  it("invites: the inviter is in, the other gets a link and can join", async () => {
    assert.deepEqual(await ann.request("newRoom", { username2: "bob", room: "two" }), { status: "invited" });
    const { data } = await bob.take("newRoom");
    assert.deepEqual({ ...data, url: undefined }, { username: "ann", username2: "bob", room: "two", url: undefined });
    assert.match(data.url, /\/\?room=two$/);
    const { seq } = await ann.say("two", "just us");
    assert.equal(seq, 1, "the inviter is in the room without a join");
    await bob.join("bob", "two");
    assert.equal((await bob.take("msgHistory", ({ room }) => room === "two")).data[0].body, "just us");
    await ann.sees("two", ["ann", "bob"]);
    await bob.say("two", "yes");
    assert.equal((await ann.take("updateChat", ({ room }) => room === "two")).data.body, "yes");
  });

  it("says alreadyIn when the other sits in it, without another invitation", async () => {
    const before = bob.all("newRoom").length;
    assert.deepEqual(await ann.request("newRoom", { username2: "bob", room: "two" }), { status: "alreadyIn" });
    assert.deepEqual(await bob.request("newRoom", { username2: "ann", room: "two" }), { status: "alreadyIn" });
    await bob.roundTrip();
    assert.equal(bob.all("newRoom").length, before);
  });

  it("keeps everyone else out", async () => {
    await assert.rejects(eve.join("eve", "two"), code("forbidden"));
    await assert.rejects(eve.join("eve", "two", { since: 0 }), code("forbidden"));
    await assert.rejects(eve.say("two", "let me in"), code("not_joined"));
    await assert.rejects(eve.request("history", { room: "two" }), code("not_joined"));
    await assert.rejects(eve.request("newRoom", { username2: "ann", room: "two" }), (e) => ["forbidden", "room_taken"].includes(e.code));
    await assert.rejects(ann.request("newRoom", { username2: "eve", room: "two" }), (e) => ["forbidden", "room_taken"].includes(e.code));
    await ann.roundTrip();
    assert.deepEqual(ann.people("two"), ["ann", "bob"]);
    assert.ok(!eve.frames.some(({ room }) => room === "two"), "nothing of the room reached a third one");
  });

  it("takes the original's order: join a fresh room, then invite", async () => {
    await ann.join("ann", "fresh");
    assert.deepEqual(await ann.request("newRoom", { username2: "bob", room: "fresh" }), { status: "invited" });
    await bob.take("newRoom", ({ data }) => data.room === "fresh");
    await assert.rejects(eve.join("eve", "fresh"), code("forbidden"));
  });

  it("may be made of a public room in which only the two are", async () => {
    await ann.join("ann", "both");
    await bob.join("bob", "both");
    await ann.say("both", "shall we make it private?");
    assert.deepEqual(await ann.request("newRoom", { username2: "bob", room: "both" }), { status: "alreadyIn" });
    await assert.rejects(eve.join("eve", "both"), code("forbidden"));
  });

  it("is room_taken when others are in it, or wrote in it", async () => {
    await eve.join("eve", "theirs");
    await ann.join("ann", "theirs");
    await assert.rejects(ann.request("newRoom", { username2: "bob", room: "theirs" }), code("room_taken"));
    await eve.say("theirs", "I was here");
    await eve.request("userLeave", { room: "theirs" });
    await assert.rejects(ann.request("newRoom", { username2: "bob", room: "theirs" }), code("room_taken"));
    await eve.join("eve", "theirs");
  });

  it("goes to each connection of the invited", async () => {
    const tab = await Client.join(stack, "bob", "main");
    await ann.request("newRoom", { username2: "bob", room: "tabs" });
    await Promise.all([bob, tab].map((client) => client.take("newRoom", ({ data }) => data.room === "tabs")));
    await tab.close();
  });

  it("is kept for someone who is away, and given once", async () => {
    assert.deepEqual(await ann.request("newRoom", { username2: "zoe", room: "für zoe & ann" }), { status: "invited" });
    const zoe = await Client.join(stack, "zoe", "main");
    const { data } = await zoe.take("newRoom");
    assert.equal(data.username, "ann");
    assert.equal(new URL(data.url, stack.url).searchParams.get("room"), "für zoe & ann");
    assert.ok(/^[\x21-\x7e]+$/.test(data.url), "a link is ASCII");
    await zoe.join("zoe", "für zoe & ann");
    await zoe.close();
    const again = await Client.join(stack, "zoe", "main");
    await again.roundTrip();
    assert.equal(again.all("newRoom").length, 0);
    await again.close();
  });

  it("stays private, and invitations pending, after every service was restarted", async () => {
    await ann.request("newRoom", { username2: "yan", room: "waiting" });
    for (const name of ["historyd-0", "roomd-0", "gateway-0"]) await stack.restart(name);
    await stack.ready();
    [ann, bob, eve] = await Promise.all(["ann", "bob", "eve"].map((name) => Client.join(stack, name, "main")));
    for (const room of ["two", "fresh", "both", "waiting"]) {
      await assert.rejects(eve.join("eve", room), code("forbidden"), room);
    }
    await bob.join("bob", "two");
    const history = await bob.take("msgHistory", ({ room }) => room === "two");
    assert.deepEqual(history.data.map(({ body }) => body), ["just us", "yes"]);
    const yan = await Client.join(stack, "yan", "main");
    assert.equal((await yan.take("newRoom")).data.room, "waiting");
    await yan.join("yan", "waiting");
    await yan.close();
  });

  it("stays private after roomd alone was restarted, with its two inside", async () => {
    await ann.join("ann", "two");
    await stack.restart("roomd-0");
    await stack.ready();
    await assert.rejects(eve.join("eve", "two"), code("forbidden"));
    await ann.sees("two", ["ann", "bob"]);
    await ann.say("two", "still ours");
    await bob.take("updateChat", ({ data }) => data.body === "still ours");
  });
});
