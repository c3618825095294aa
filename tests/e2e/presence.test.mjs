// SPDX-License-Identifier: MIT
// presence.test.mjs - who is here: refreshed at once, coalesced under load, true again after any crash.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const TRUE_AGAIN_MS = 10_000 + 5_000; // what is promised, and what a busy machine may add

describe("presence", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gateways: 2, gatewayOptions: ["--rate", "0"] }); });
  after(() => stack?.stop());

  const names = (count, prefix = "guest") => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

  it("tells the others within moments", async () => {
    const ann = await Client.join(stack, "ann", "quiet");
    for (const gateway of [0, 1]) {
      const bob = await Client.join(stack, "bob", "quiet", { gateway });
      await ann.sees("quiet", ["ann", "bob"], 3_000);
      await bob.close();
      await ann.sees("quiet", ["ann"], 3_000);
    }
    await ann.close();
  });

  it("coalesces lists: at most one in 250 ms", async () => {
    const ann = await Client.join(stack, "ann", "crowd");
    const before = ann.all("activeUsers").length;
    const started = Date.now();
    const guests = await Promise.all(names(60).map((name) => Client.join(stack, name, "crowd")));
    await ann.sees("crowd", ["ann", ...names(60)]);
    const took = Date.now() - started;
    const lists = ann.all("activeUsers").length - before;
    assert.ok(lists <= took / 250 + 2, `${lists} lists in ${took} ms`);
    assert.equal(ann.all("userJoin").length, 60, "each is told once");
    await Promise.all(guests.map((guest) => guest.close()));
    await ann.sees("crowd", ["ann"]);
    assert.equal(ann.all("userLeave").length, 60);
    await ann.close();
  });

  it("cuts lists above 500 names and gives the total", async () => {
    const guests = [];
    for (let at = 0; at < 510; at += 51) {
      guests.push(...await Promise.all(names(51, `many${at}-`).map((name) => Client.join(stack, name, "hall"))));
    }
    const ann = await Client.join(stack, "ann", "hall");
    const list = await ann.take("activeUsers");
    assert.equal(list.data.length, 500);
    assert.equal(new Set(list.data).size, 500);
    assert.equal(list.total, 511);
    await Promise.all(guests.slice(0, 20).map((guest) => guest.close()));
    await ann.take("activeUsers", ({ data, total }) => data.length === 491 && (total === undefined || total === 491));
    await Promise.all([ann, ...guests.slice(20)].map((client) => client.close()));
  });

  it("is right again after roomd was killed, with nobody lost and no ghosts", async () => {
    const ann = await Client.join(stack, "ann", "after roomd", { gateway: 0 });
    const bob = await Client.join(stack, "bob", "after roomd", { gateway: 1 });
    const eve = await Client.join(stack, "eve", "after roomd", { gateway: 1 });
    await Promise.all([ann, bob, eve].map((client) => client.sees("after roomd", ["ann", "bob", "eve"])));
    const pid = stack.pid("roomd-0");
    process.kill(pid, "SIGKILL");
    await eve.close(); // while roomd is away
    await Promise.all([ann, bob].map((client) => client.sees("after roomd", ["ann", "bob"], TRUE_AGAIN_MS)));
    await until("roomd runs again", () => stack.pid("roomd-0") !== pid);
    const dan = await Client.join(stack, "dan", "after roomd");
    assert.deepEqual(dan.people("after roomd"), ["ann", "bob", "dan"]);
    await Promise.all([ann, bob].map((client) => client.sees("after roomd", ["ann", "bob", "dan"])));
    await Promise.all([ann, bob, dan].map((client) => client.close()));
  });

  it("drops those of a gateway that was killed", async () => {
    const ann = await Client.join(stack, "ann", "after gateway", { gateway: 0 });
    const bob = await Client.join(stack, "bob", "after gateway", { gateway: 1 });
    await ann.sees("after gateway", ["ann", "bob"]);
    await stack.restart("gateway-1");
    await bob.closed();
    await ann.sees("after gateway", ["ann"], TRUE_AGAIN_MS);
    await stack.ready();
    const back = await Client.join(stack, "bob", "after gateway", { gateway: 1 });
    await ann.sees("after gateway", ["ann", "bob"]);
    assert.deepEqual(back.people("after gateway"), ["ann", "bob"]);
    await Promise.all([ann, back].map((client) => client.close()));
  });

  it("drops those of a gateway that stands still, and takes them back", async () => {
    const ann = await Client.join(stack, "ann", "frozen", { gateway: 0 });
    const bob = await Client.join(stack, "bob", "frozen", { gateway: 1 });
    await ann.sees("frozen", ["ann", "bob"]);
    const pid = stack.pid("gateway-1");
    process.kill(pid, "SIGSTOP");
    try {
      await ann.sees("frozen", ["ann"], TRUE_AGAIN_MS);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await ann.sees("frozen", ["ann", "bob"], TRUE_AGAIN_MS);
    await Promise.all([ann, bob].map((client) => client.close()));
  });
});
