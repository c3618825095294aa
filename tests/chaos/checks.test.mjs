// SPDX-License-Identifier: MIT
// checks.test.mjs - do the checkers bite? Each promise is broken once on purpose, without any service.

import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { deck } from "./faults.mjs";
import { compare } from "./audit.mjs";
import { bodyOf, cidOf, Ledger } from "./ledger.mjs";
import { Presence } from "./presence.mjs";
import { randomFrom } from "./random.mjs";
import { assignSilences, judgeSilences } from "./report.mjs";
import { View } from "./view.mjs";

mock.method(console, "log", () => {});

const message = (seq, cid = cidOf("ann", "hall", seq)) =>
  ({ seq, cid, body: bodyOf(cid), username: "ann", room: "hall", time: 1000 + seq });

/** What `story` breaks, told with a view that has read 1 to 3. */
function broken(story) {
  let now = 0;
  const ledger = new Ledger(["hall", "attic"], () => now);
  const view = new View(ledger, "hall", "bob");
  view.join();
  view.history([1, 2, 3].map((seq) => message(seq)), false);
  story({ ledger, view, at: (ms) => { now = ms; } });
  return Object.entries(ledger.broken).filter(([, { count }]) => count > 0).map(([name]) => name);
}

describe("what one client is told", () => {
  it("may be as it should be", () => {
    assert.deepEqual(broken(({ ledger, view }) => {
      view.live(message(4));
      view.acked(5, false, 2);
      view.acked(4, true, 1);
      assert.equal(view.join(), 5);
      view.history([message(8), message(9)], true);
      assert.equal(view.gapAfter, 5);
      view.page([message(6), message(7), message(8)]);
      assert.equal(view.have, 9);
      assert.equal(view.gapAfter, undefined);
      assert.ok(ledger.isKept);
    }), []);
  });

  for (const [what, story, promise] of [
    ["a gap", ({ view }) => view.live(message(5)), "order"],
    ["a message twice", ({ view }) => view.live(message(3)), "twice"],
    ["an ack out of its place", ({ view }) => view.acked(2, false), "twice"],
    ["an ack ahead of others", ({ view }) => view.acked(5, true), "order"],
    ["a message behind one that was sent after it", ({ view }) => { view.acked(4, false, 8); view.acked(5, false, 7); }, "order"],
    ["a message before the history", ({ view }) => { view.join(); view.live(message(4)); }, "order"],
    ["a history that leaves a hole", ({ view }) => { view.join(); view.history([message(5)], false); }, "order"],
    ["a history with a hole", ({ view }) => { view.join(); view.history([message(4), message(6)], false); }, "order"],
    ["a page with a hole", ({ view }) => { view.join(); view.history([message(9)], true); view.page([message(5)]); }, "order"],
    ["another text", ({ view }) => view.live({ ...message(4), body: "?" }), "content"],
    ["another author", ({ view }) => view.live({ ...message(4), username: "eve" }), "content"],
    ["another message in a place", ({ ledger }) => ledger.told("hall", message(3, cidOf("ann", "hall", 9)), "eve"), "order"],
    ["a message in another place", ({ ledger }) => ledger.told("hall", message(7, cidOf("ann", "hall", 3)), "eve"), "twice"],
    ["two acks for one cid", ({ ledger }) => {
      for (const seq of [4, 5]) ledger.acked("hall", "ann.hall#4", { seq, time: 1, room: "hall" });
    }, "twice"],
  ]) {
    it(`may not be ${what}`, () => assert.ok(broken(story).includes(promise), `${broken(story)}`));
  }
});

describe("the history at the end", () => {
  const stored = [1, 2, 3, 4].map((seq) => message(seq));
  const audited = (messages) => broken(({ ledger }) => {
    ledger.acked("hall", "ann.hall#4", { seq: 4, time: 1004, room: "hall" });
    compare(ledger, "hall", messages, new Set(["ann"]));
  });

  it("may be right", () => assert.deepEqual(audited(stored), []));
  it("may not lack an acked message", () => assert.deepEqual(audited(stored.slice(0, 3)), ["lost"]));
  it("may not lack one that was shown", () => assert.ok(audited([stored[0], stored[1], stored[3]]).includes("lost")));
  it("may not hold one twice", () => assert.ok(audited([...stored, message(5, "ann.hall#1")]).includes("twice")));
  it("may not hold an acked one with another time", () => {
    assert.deepEqual(audited([...stored.slice(0, 3), { ...stored[3], time: 2000 }]), ["twice"]);
  });
  it("may not turn round what one wrote after the other", () => {
    assert.ok(audited([...stored, message(5, "ann.hall#9"), message(6, "ann.hall#8")]).includes("order"));
  });
});

describe("lists", () => {
  const person = (name, people, isAway = false) => ({
    name, isAway, seats: new Map([["hall", { people: new Set(people) }]]), isIn: () => !isAway,
  });
  const wrongs = (persons) => new Presence(new Ledger(["hall"]), persons).wrongs().length;

  it("may be right", () => assert.equal(wrongs([person("a", ["a"]), person("b", ["a"], true)]), 0));
  it("may not hold a ghost", () => assert.equal(wrongs([person("a", ["a", "b"]), person("b", [], true)]), 1));
  it("may not lack anyone", () => assert.equal(wrongs([person("a", ["a"]), person("b", ["a", "b"])]), 1));
});

describe("silences", () => {
  it("of 10 s break the promise after a kill, and belong to the fault that they overlap", () => {
    const faults = (kind) => [{ n: 1, kind, service: "historyd-0", from: 1000 }, { n: 2, kind: "stop", service: "roomd-0", from: 12_000 }];
    const judged = (kind, ms) => broken(({ ledger, at }) => {
      for (const room of ["hall", "attic"]) ledger.acked(room, cidOf("ann", room, 1), { seq: 1, time: 1, room });
      at(1200);
      ledger.acked("hall", cidOf("ann", "hall", 5), { seq: 5, time: 1, room: "hall" });
      at(1200 + ms);
      ledger.acked("hall", cidOf("ann", "hall", 6), { seq: 6, time: 1, room: "hall" });
      const list = faults(kind);
      assignSilences(list, ledger.gaps);
      assert.equal(list[0].roomSilenceMs, ms);
      assert.equal(list[0].silentRoom, "hall");
      judgeSilences(list, ledger);
    });
    assert.deepEqual(judged("kill", 9_999), []);
    assert.deepEqual(judged("kill", 10_000), ["acks"]);
    assert.deepEqual(judged("cut", 10_000), []);
  });
});

describe("the deck", () => {
  it("holds every service with every kind before one comes again", () => {
    for (const kinds of [["kill", "stop", "cut"], ["kill", "stop"], ["cut"]]) {
      const counts = { gateway: 2, roomd: 2, historyd: 2 };
      const cards = deck(randomFrom(7), kinds, counts);
      const draw = () => Array.from({ length: 3 * kinds.length }, () => cards.next().value);
      const [one, two] = [draw(), draw()];
      assert.equal(new Set(one.map(({ kind, service }) => `${kind} ${service.split("-")[0]}`)).size, 3 * kinds.length);
      assert.equal(new Set([...one, ...two].map(({ kind, service }) => `${kind} ${service}`)).size, 6 * kinds.length);
    }
  });
});
