// SPDX-License-Identifier: MIT
// tap.test.mjs - parlor-tap shows each step of what passes between the services, with times, in order.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Program, run } from "./lib/program.mjs";
import { bin, Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

describe("tap", () => {
  let stack, ann, bob;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0"] });
    ann = await Client.join(stack, "ann", "main");
    bob = await Client.join(stack, "bob", "main");
  });
  after(async () => {
    await Promise.all([ann, bob].map((client) => client?.close()));
    await stack?.stop();
  });

  const lines = (tap) => tap.stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line));

  /** A running tap that is connected to all three services. */
  async function tapped(...options) {
    const tap = new Program(bin("parlor-tap"), ["--bus", stack.bus, ...options]);
    return tap;
  }

  /** A tap hears nothing before it is connected; this makes events until it has heard all of `services`. */
  async function connected(tap, services = ["gateway-0", "roomd-0", "historyd-0"]) {
    await until("the tap is connected", async () => {
      await ann.request("userTyping", { room: "main" });
      await ann.say("main", "is anybody listening?");
      const heard = new Set(lines(tap).map(({ service }) => service));
      return services.every((service) => heard.has(service));
    });
  }

  it("shows a message on its way from gateway to historyd and back", async () => {
    const tap = await tapped();
    await connected(tap);
    const { seq } = await ann.say("main", "follow me");
    const isStep = ({ room, ...event }) => room === "main" && (event.body === "follow me");
    const steps = await until("all steps are shown", () => {
      const shown = lines(tap).filter((line) => isStep(line.data ?? line));
      return shown.length >= 4 && shown;
    });
    const name = (line) => line.event;
    assert.deepEqual(steps.map((line) => `${line.service} ${line.direction} ${name(line)}`).sort(), [
      "gateway-0 in chat_stored", "gateway-0 out chat_post", "historyd-0 in chat_post", "historyd-0 out chat_stored",
    ]);
    steps.sort((a, b) => (a.at < b.at ? -1 : 1));
    assert.deepEqual(steps.map(({ service, direction }) => `${service} ${direction}`),
      ["gateway-0 out", "historyd-0 in", "historyd-0 out", "gateway-0 in"]);
    for (const step of steps) assert.match(step.at, TIME);
    assert.equal((steps[3].data ?? steps[3]).seq, seq);
    assert.equal(await tap.stop(), 0);
  });

  it("shows typing on its way through roomd, and how a message ends it", async () => {
    const tap = await tapped("--room", "typing");
    await Promise.all([ann.join("ann", "typing"), bob.join("bob", "typing")]);
    await until("the typing has come through", async () => {
      await ann.request("userTyping", { room: "typing" });
      await ann.say("typing", "there");
      const shown = lines(tap).map((line) => `${line.service} ${line.direction} ${line.event}`);
      const steps = ["gateway-0 out typing", "roomd-0 in typing", "roomd-0 out typing_on", "gateway-0 in typing_on",
        "gateway-0 out wrote", "roomd-0 in wrote", "roomd-0 out typing_off", "gateway-0 in typing_off"];
      let at = -1; // each step behind the one before
      return steps.every((step) => (at = shown.indexOf(step, at + 1)) >= 0) ||
        steps.every((step) => shown.includes(step));
    });
    assert.equal(await tap.stop(), 0);
  });

  it("filters by service, direction, event, room and user", async () => {
    const filters = [
      [["--service", "roomd"], ({ service }) => service === "roomd-0", ["roomd-0"]],
      [["--service", "historyd-0", "--direction", "in"], ({ service, direction }) => service === "historyd-0" && direction === "in", ["historyd-0"]],
      [["--event", "chat_stored"], ({ event }) => event === "chat_stored", ["gateway-0", "historyd-0"]],
      [["--room", "main"], (line) => (line.data ?? line).room === "main", undefined],
      [["--user", "ann"], (line) => [(line.data ?? line).user, (line.data ?? line).user2].includes("ann"), undefined],
    ];
    await Promise.all(filters.map(async ([options, isWanted, services]) => {
      const tap = await tapped(...options);
      await connected(tap, services);
      assert.equal(await tap.stop(), 0);
      for (const line of lines(tap)) assert.ok(isWanted(line), `${options.join(" ")}: ${JSON.stringify(line)}`);
    }));
  });

  it("counts with --stats, and ends after --count lines", async () => {
    const stats = await tapped("--stats");
    await until("a message is counted", async () => {
      await ann.say("main", "count me");
      return stats.stdout.includes('"chat_stored"');
    });
    assert.equal(await stats.stop(), 0);
    for (const line of lines(stats)) assert.match(line.at, TIME);
    const some = await tapped("--count", 3);
    await until("it ends", async () => {
      await ann.say("main", "three lines");
      return some.status !== undefined;
    });
    assert.equal(some.status, 0);
    assert.equal(lines(some).length, 3);
  });

  it("may come and go, or stand still, without harm to the services", async () => {
    const still = await tapped();
    await connected(still);
    process.kill(still.pid, "SIGSTOP");
    try {
      for (let i = 0; i < 20; i++) {
        await Promise.all(Array.from({ length: 100 }, () => ann.say("main", "x".repeat(1000))));
      }
      await bob.roundTrip();
    } finally {
      process.kill(still.pid, "SIGCONT");
    }
    await still.stop("SIGKILL");
    await ann.say("main", "still alive");
    await bob.take("updateChat", ({ data }) => data.body === "still alive");
  });

  it("wants a bus", async () => {
    assert.equal((await run("parlor-tap", [])).status, 2);
    const { status, stderr } = await run("parlor-tap", ["--bus", "/nowhere"]);
    assert.ok([1, 2].includes(status));
    assert.match(stderr, /^parlor-tap: .*\/nowhere\n$/);
  });
});
