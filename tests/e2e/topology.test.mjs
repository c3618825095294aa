// SPDX-License-Identifier: MIT
// topology.test.mjs - lists that people wrote wrong, ids given twice, data that is not where it was: nothing of it reaches
// those whose lists are right, and whoever is wrong says so.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Hand, readiness, untilReadiness } from "./lib/hand.mjs";
import { run } from "./lib/program.mjs";
import { until } from "./lib/wait.mjs";

const ROOMS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];

describe("topology", () => {
  let hand;
  afterEach(() => hand?.stopAll());

  /** Two of each, lists as they should be, and one gateway. */
  async function two() {
    hand = new Hand();
    for (const n of [0, 1]) hand.historyd(n, 2);
    for (const n of [0, 1]) hand.roomd(n, 2, [0, 1]);
    const gateway = await hand.gateway(0, [0, 1], [0, 1]);
    await untilReadiness(gateway, "ready");
    return gateway;
  }

  for (const [what, roomds, historyds, reason, expected = "waiting"] of [
    ["whose historyds are swapped", [0, 1], [1, 0], /historyd-0: another shard/],
    ["whose roomds are swapped", [1, 0], [0, 1], /roomd-1: another shard/],
    ["with one historyd of two", [0, 1], [0], /historyd-0: .*different numbers/],
    ["with one roomd of two", [1], [0, 1], /roomd-0: another shard/],
    ["with one historyd twice", [0, 1], [0, 0], /historyd-1: another shard/, "degraded"], // its first place is right
    ["with one more historyd than there are", [0, 1], [0, 1, 1], /historyd-0: .*different numbers/],
  ]) {
    it(`a gateway ${what} serves nothing wrong, says why, and disturbs nobody`, async () => {
      const right = await two();
      const ann = await Client.connect(right);
      for (const room of ROOMS) await ann.join("ann", room);
      const wrong = await hand.gateway(1, roomds, historyds);
      const { state, missing } = await until("it has heard of them", async () => {
        const said = await readiness(wrong);
        return reason.test(missing_(said)) && (expected === "waiting" || said.state === expected) && said;
      }, 20_000);
      assert.equal(state, expected, missing_({ missing }));
      await hand.program("gateway-1").says(/what=topology .*why=".*us="gateway-1 .*them="/);
      const eve = await Client.connect(wrong);
      const joins = ROOMS.map((room) => eve.join("eve", room).then(() => "joined", ({ code }) => code));
      for (const room of ROOMS) await ann.say(room, `in ${room}`);
      const outcomes = new Set(await Promise.all(joins));
      if (expected === "degraded") {
        assert.deepEqual(outcomes, new Set(["joined", "unavailable"]));
      } else {
        assert.deepEqual(outcomes, new Set(["unavailable"]));
        assert.equal(eve.all("updateChat").length + eve.all("msgHistory").length, 0, "nothing of others' comes there");
      }
      assert.equal((await readiness(right)).state, "ready");
      for (const room of ROOMS) {
        const { messages } = await ann.request("history", { room });
        assert.deepEqual(messages.map(({ body }) => body), [`in ${room}`]);
      }
    });
  }

  it("a roomd whose historyds are swapped is not believed, and says why", async () => {
    hand = new Hand();
    for (const n of [0, 1]) hand.historyd(n, 2);
    hand.roomd(0, 1, [1, 0]);
    const gateway = await hand.gateway(0, [0], [0, 1]);
    await hand.program("roomd-0").says(/what=topology .*another shard answers/);
    await until("the gateway says what roomd lacks", async () =>
      /roomd-0 to historyd-0.*roomd-0 to historyd-1/.test(missing_(await readiness(gateway))));
    assert.equal((await readiness(gateway)).status, 503, "no room's facts can be had");
  });

  it("a roomd that does not reach one historyd of two: degraded, and what the other has goes on", async () => {
    hand = new Hand();
    for (const n of [0, 1]) hand.historyd(n, 2);
    hand.roomd(0, 1, [0, "nowhere"]);
    const gateway = await hand.gateway(0, [0], [0, 1]);
    const { status } = await until("the gateway knows", async () => {
      const said = await readiness(gateway);
      return missing_(said) === "roomd-0 to historyd-1" && said;
    }, 20_000);
    assert.equal(status, 200);
    assert.equal((await readiness(gateway, "?all")).status, 503);
  });

  it("one roomd and one historyd of two are gone: rooms on the others work, balancers can tell", async () => {
    const gateway = await two();
    assert.equal((await readiness(gateway, "?all")).status, 200);
    await hand.stop("roomd-1", "SIGKILL");
    await untilReadiness(gateway, "degraded");
    assert.deepEqual(await readiness(gateway), { status: 200, state: "degraded", missing: ["roomd-1"] });
    const all = await readiness(gateway, "?all");
    assert.deepEqual([all.status, all.state], [503, "degraded"]);
    let joined = 0;
    await Promise.all(Array.from({ length: 12 }, async (_, n) => {
      const client = await Client.connect(gateway);
      const isIn = await client.join(`user ${n}`, `room ${n}`).then(() => 1, () => 0);
      joined += isIn;
      await client.close();
    }));
    assert.ok(joined > 0 && joined < 12, `${joined} of 12 rooms work`);
    hand.roomd(1, 2, [0, 1]);
    await untilReadiness(gateway, "ready");
    await hand.stop("historyd-0", "SIGKILL");
    await untilReadiness(gateway, "degraded");
    await hand.stop("historyd-1", "SIGKILL");
    assert.equal((await untilReadiness(gateway, "waiting")).status, 503);
  });

  it("a historyd without room on its disk leaves its gateways degraded", async () => {
    hand = new Hand();
    hand.historyd(0, 2);
    hand.historyd(1, 2, { options: ["--min-free", "1000000000000000"] });
    hand.roomd(0, 1, [0, 1]);
    const gateway = await hand.gateway(0, [0], [0, 1]);
    await until("the gateway knows", async () => missing_(await readiness(gateway)) === "historyd-1", 20_000);
    assert.equal((await readiness(gateway)).state, "degraded");
  });

  it("a historyd of another cluster is not believed", async () => {
    hand = new Hand();
    hand.historyd(0, 2, { create: "one" });
    hand.roomd(0, 1, [0, 1]);
    const gateway = await hand.gateway(0, [0], [0, 1]);
    await untilReadiness(gateway, "degraded");
    hand.historyd(1, 2, { create: "another" });
    await until("it is refused", async () => /historyd-1: .*different clusters/.test(missing_(await readiness(gateway))));
    await hand.program("gateway-0").says(/what=topology .*cluster=one.*cluster=another/);
    await hand.program("roomd-0").says(/what=topology .*cluster=one.*cluster=another/);
    assert.equal((await readiness(gateway)).state, "degraded");
  });

  it("of two gateways with one id the first is served, the second says so and follows when the first is gone", async () => {
    const first = await two();
    const ann = await Client.join(first, "ann", "alpha");
    const second = await hand.gateway(0, [0, 1], [0, 1], { name: "twin" });
    const { missing } = await until("the second is refused", async () => {
      const said = await readiness(second);
      return said.status === 503 && /gateway-0: another process/.test(missing_(said)) && said;
    });
    assert.match(missing.join(), /same id/);
    await hand.program("twin").says(/what=topology .*another process with the same id/);
    await hand.program("roomd-0").says(/what=topology .*another process with the same id/);
    await hand.program("historyd-0").says(/what=topology .*another process with the same id/);
    for (let n = 0; n < 20; n++) await ann.say("alpha", `message ${n}`);
    assert.equal((await readiness(first)).state, "ready");
    assert.match((await readiness(second)).missing.join(), /same id/, "all the time");
    await hand.stop("gateway-0", "SIGKILL");
    await untilReadiness(second, "ready");
    const bob = await Client.join(second, "bob", "alpha");
    const { messages } = await bob.request("history", { room: "alpha" });
    assert.equal(messages.length, 20);
  });

  it("a gateway that was killed is served again at once", async () => {
    const first = await two();
    await hand.stop("gateway-0", "SIGKILL");
    const begin = performance.now();
    const again = await hand.gateway(0, [0, 1], [0, 1], { port: first.port });
    await untilReadiness(again, "ready");
    await Client.join(again, "ann", "alpha");
    const ms = performance.now() - begin;
    assert.ok(ms < 4500, `within ${ms.toFixed()} ms, which is less than a lease`);
    assert.doesNotMatch(hand.log("roomd-0") + hand.log("historyd-0"), /same id/);
  });

  it("of two roomds with one id the first is served", async () => {
    const gateway = await two();
    hand.roomd(1, 2, [0, 1], { name: "twin" });
    const other = await hand.gateway(1, [0, "twin"], [0, 1]);
    await hand.program("historyd-1").says(/what=topology .*them="roomd-1 .*/);
    await until("the other gateway's roomd is not ready", async () => missing_(await readiness(other)).includes("roomd-1"));
    assert.equal((await readiness(gateway)).state, "ready");
  });

  it("data is made on purpose only, and for one cluster", async () => {
    hand = new Hand();
    const args = (place, ...more) => ["--bind", hand.address("historyd-0"), "--data", path.join(hand.dir, place), ...more];
    for (const place of ["nothing", "empty", "lost"]) {
      if (place !== "nothing") mkdirSync(path.join(hand.dir, place), { mode: 0o700 });
      if (place === "lost") mkdirSync(path.join(hand.dir, place, "lost+found"), { mode: 0o700 });
      const refused = await run("parlor-historyd", args(place));
      assert.equal(refused.status, 1);
      assert.match(refused.stderr, /does not exist|holds nothing/);
      assert.match(refused.stderr, /create/);
      if (place !== "nothing") assert.deepEqual(readdirSync(path.join(hand.dir, place)).filter((f) => f !== "lost+found"), []);
    }
    for (const wrong of ["two words", "ü", "x".repeat(65)]) {
      assert.equal((await run("parlor-historyd", args("empty", "--create", wrong))).status, 2, wrong);
    }
    hand.historyd(0, 1, { data: "lost", create: "mine" });
    await hand.program("historyd-0").says(/what=listening .*cluster=mine/);
    await hand.stop("historyd-0");
    hand.historyd(0, 1, { data: "lost", create: "" });
    await hand.program("historyd-0").says(/what=listening .*cluster=mine/);
    await hand.stop("historyd-0");
    const other = await run("parlor-historyd", args("lost", "--create", "yours"));
    assert.equal(other.status, 1);
    assert.match(other.stderr, /belongs to cluster mine, not to yours/);
  });
});

const missing_ = ({ missing }) => missing.join(", ");
