// SPDX-License-Identifier: MIT
// metrics.test.mjs - what Prometheus gets: each service by itself, on a port that no client reaches.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Program, run } from "./lib/program.mjs";
import { bin, freePort, Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

describe("metrics", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gateways: 2, roomds: 2, historyds: 2 }); });
  after(() => stack?.stop());

  it("are each service's own, all listed where Prometheus looks", async () => {
    const [{ targets }] = JSON.parse(readFileSync(path.join(stack.data, "run/prometheus.json"), "utf8"));
    assert.deepEqual(targets.map((target) => `http://${target}`), Object.values(stack.metricsAt));
    for (const name of stack.services) {
      const [service, id] = name.split("-");
      const names = Object.keys(await stack.metrics(name));
      assert.ok(names.length > 5, name);
      for (const sample of names) assert.ok(sample.includes(`{service="${service}",id="${id}"`), `${sample} of ${name}`);
    }
  });

  it("are not on the clients' port", async () => {
    for (const target of ["/metrics", "/metrics/", "/%6detrics"]) assert.equal((await stack.get(target)).status, 404, target);
  });

  for (const name of ["gateway-0", "roomd-0", "historyd-0"]) {
    it(`of ${name} are nothing else, come to many at once, and are back after a kill`, async () => {
      const url = stack.metricsAt[name];
      for (const target of ["/", "/healthz", "/readyz"]) assert.equal((await stack.get(target, { url })).status, 404, target);
      const many = await Promise.all(Array.from({ length: 40 }, () => stack.get("/metrics", { url })));
      for (const { status } of many) assert.ok([200, 503].includes(status), String(status));
      assert.ok(many.filter(({ status }) => status === 200).length >= 16);
      await stack.restart(name);
      await until("they are served again", async () => (await stack.get("/metrics", { url })).status === 200);
      await stack.ready();
    });
  }

  it("of a service that stands still are none, rather than old ones", async () => {
    const pid = stack.pid("roomd-1");
    const url = `${stack.metricsAt["roomd-1"]}/metrics`;
    process.kill(pid, "SIGSTOP");
    try {
      await assert.rejects(fetch(url, { signal: AbortSignal.timeout(3000) }), { name: "TimeoutError" });
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await until("it answers again", async () => (await fetch(url)).status === 200);
    await stack.ready();
  });

  it("refuse an address that is none or in use, with one line", async () => {
    const taken = stack.metricsAt["roomd-0"].slice("http://".length);
    for (const [address, status] of [[taken, 1], ["nonsense:port", 1]]) {
      const result = await run("parlor-roomd", ["--bind", `ipc://${stack.data}/other`, "--historyd", stack.address("historyd-0"), "--metrics", address]);
      assert.equal(result.status, status, result.stderr);
      assert.equal(result.stderr.trim().split("\n").length, 1, result.stderr);
      assert.ok(result.stderr.includes(address), result.stderr);
    }
  });

  it("are served by a gateway that reaches nothing", async () => {
    const port = await freePort();
    const gateway = new Program(bin("parlor-gateway"), ["--port", 0, "--metrics", `127.0.0.1:${port}`,
      "--roomd", `ipc://${stack.data}/none`, "--historyd", `ipc://${stack.data}/none-either`]);
    await until("they are there", async () => (await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).includes("parlor_sessions"));
    assert.equal(await gateway.stop(), 0, gateway.stderr);
  });
});

describe("metrics of one gateway", () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  it("counts what happens, in Prometheus' format", async () => {
    const find = (metrics, name) => Object.entries(metrics).find(([key]) => key.startsWith(`parlor_${name}`))?.[1];
    const before = await stack.metrics();
    const ann = await Client.join(stack, "ann", "main");
    await ann.say("main", "count me");
    await ann.errorFor("not JSON");
    const now = await stack.metrics();
    for (const [name, more] of [["joins_total", 1], ["posts_total", 1], ["acks_total", 1], ["errors_total", 1], ["sessions", 1]]) {
      assert.equal(find(now, name), find(before, name) + more, name);
    }
    await ann.close();
    await until("the session is gone", async () => find(await stack.metrics(), "sessions") === find(before, "sessions"));
    const { headers, body } = await stack.get("/metrics", { url: stack.metricsAt["gateway-0"] });
    assert.match(headers["content-type"], /^text\/plain; version=0\.0\.4/);
    for (const line of body.split("\n").filter((text) => text !== "")) {
      assert.match(line, /^(# (HELP|TYPE) parlor_\w+ .+|parlor_\w+(\{[^}]*\})? [\d.e+-]+)$/);
    }
    const names = body.match(/^# TYPE (\w+)/gm);
    assert.equal(new Set(names).size, names.length, "each metric has one type line");
  });
});
