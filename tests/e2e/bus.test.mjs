// SPDX-License-Identifier: MIT
// bus.test.mjs - bad bytes on the bus: they are counted and dropped, and no service stops.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { framed, hello, PROTOCOL, randomBytes, sendTo, speakAt } from "./lib/bus.mjs";
import { Client } from "./lib/client.mjs";
import { Program, run } from "./lib/program.mjs";
import { bin, freePort, REPO, Stack, tempDir } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const ENDPOINTS = { "historyd-0": ["up", "down", "ask", "read", "tap"], "roomd-0": ["up", "down", "tap"], "gateway-0": ["tap"] };
const COUNT = 2000;

describe("bus", () => {
  let stack, ann, bob, pids;
  before(async () => {
    stack = await Stack.start();
    ann = await Client.join(stack, "ann", "main");
    bob = await Client.join(stack, "bob", "main");
    pids = stack.services.map((name) => stack.pid(name));
  });
  after(async () => {
    await Promise.all([ann, bob].map((client) => client?.close()));
    await stack?.stop();
  });

  async function assertUnharmed() {
    const body = `all is well ${Math.random()}`;
    await ann.say("main", body);
    await bob.take("updateChat", ({ data }) => data.body === body);
    assert.deepEqual(bob.people("main"), ["ann", "bob"]);
    assert.deepEqual(stack.services.map((name) => stack.pid(name)), pids, "no service was started again");
  }

  // bus-garbage sends messages that are random, truncated, oversized, of a wrong version, or mutated valid ones.
  for (const [name, endpoint, seed] of [
    ["historyd-0", "up", 1], ["historyd-0", "ask", 2], ["historyd-0", "read", 3], ["roomd-0", "up", 4],
  ]) {
    it(`${name} survives bad messages at its ${endpoint}, and says so`, async () => {
      const { status, stderr } = await run("bus-garbage", [stack.address(name), endpoint, seed, COUNT]);
      assert.equal(status, 0, stderr);
      await assertUnharmed();
      await until("the log tells of it", () => /what=\S*(bad|not_ours|garbage|malformed)/.test(stack.log(name)), 30_000);
    });
  }

  it("survives connections that do not speak nng's protocol", async () => {
    const shapes = [
      randomBytes(7, 4000), Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.alloc(0), Buffer.from([0]),
      hello(0xffff), hello(PROTOCOL.rep), Buffer.from([0, 0x53, 0x50, 1, 0, 0x20, 0, 0]),
    ];
    for (const protocol of Object.values(PROTOCOL)) {
      shapes.push(
        Buffer.concat([hello(protocol), randomBytes(protocol, 3000)]),
        Buffer.concat([hello(protocol), framed(randomBytes(9, 100), 2 ** 52)]),
        Buffer.concat([hello(protocol), framed(Buffer.from("cut off"), 1000)]),
        Buffer.concat([hello(protocol), framed(Buffer.alloc(0)), framed(randomBytes(3, 64)), framed(randomBytes(4, 200_000))]),
      );
    }
    for (const [name, endpoints] of Object.entries(ENDPOINTS)) {
      for (const endpoint of endpoints) {
        const socket = `${path.join(stack.bus, name)}.${endpoint}`;
        await Promise.all(shapes.map((bytes) => sendTo(socket, bytes)));
      }
    }
    await assertUnharmed();
  });

  it("a gateway survives bad messages from what it takes for roomd and historyd", async () => {
    const dir = tempDir();
    const messages = [
      framed(Buffer.alloc(0)), framed(Buffer.from([0xc1])), framed(Buffer.from([0x91])),
      framed(Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])), // a list of 2^32 - 1
      framed(Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff, 0x61])), // a text of 2^32 - 1 bytes
      framed(Buffer.alloc(5000, 0x91)), framed(Buffer.alloc(5000, 0x81)), // deep
      ...Array.from({ length: 500 }, (_, seed) => framed(randomBytes(seed + 1, 1 + seed * 3))),
    ];
    const servers = await Promise.all([
      speakAt(`${dir}/roomd-0.down`, PROTOCOL.pub, messages), speakAt(`${dir}/historyd-0.down`, PROTOCOL.pub, messages),
      speakAt(`${dir}/roomd-0.up`, PROTOCOL.sub, []), speakAt(`${dir}/historyd-0.up`, PROTOCOL.sub, []),
      speakAt(`${dir}/historyd-0.read`, PROTOCOL.rep, messages),
    ]);
    const port = await freePort();
    const metricsPort = await freePort();
    const gateway = new Program(bin("parlor-gateway"), ["--port", port, "--metrics", `127.0.0.1:${metricsPort}`, "--id", 0, "--bind", `ipc://${dir}/gateway-0`,
      "--roomd", `ipc://${dir}/roomd-0`, "--historyd", `ipc://${dir}/historyd-0`, "--web", path.join(REPO, "gateway/web")]);
    try {
      const web = Object.assign(new Stack(), {
        url: `http://127.0.0.1:${port}`, metricsAt: { "gateway-0": `http://127.0.0.1:${metricsPort}` },
      });
      await until("they are counted", async () => {
        const count = Object.entries(await web.metrics()).find(([key]) => key.startsWith("parlor_bus_bad_total"))?.[1];
        return count >= messages.length;
      });
      assert.equal((await web.get("/healthz")).status, 200);
      const { status, body } = await web.get("/readyz");
      assert.equal(status, 503, "garbage is no sign of life");
      assert.match(body, /roomd-0.*historyd-0/);
      assert.equal(await gateway.stop(), 0);
      assert.doesNotMatch(gateway.stderr, /Sanitizer|runtime error|failed=/);
    } finally {
      gateway.child.kill("SIGKILL");
      for (const server of servers) server.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
