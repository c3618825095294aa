// SPDX-License-Identifier: MIT
// deploy.test.mjs - the proxies' configurations in deploy/, as they stand but for addresses: each passes its proxy's own
// check, and serves pages, WebSockets and polls over two gateways while a third host is off (it answers no SYN).
//
// Not here: many visits through proxies as their manuals set them up (main.mjs).

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";
import { Program } from "../e2e/lib/program.mjs";
import { SioClient } from "../e2e/lib/sio.mjs";
import { bin, freePort, REPO, Stack } from "../e2e/lib/stack.mjs";
import { sleep, until, within } from "../e2e/lib/wait.mjs";
import { deploy, DEPLOYED } from "./deployed.mjs";
import { PROGRAMS } from "./proxies.mjs";

const LONGEST_MS = 4000; // one connect that times out, and a slow machine

/** A host that is off: its listener's queue is full and never emptied, so Linux drops each SYN. */
async function hostThatIsOff() {
  const port = await freePort();
  const child = spawn(process.execPath, ["-e",
    `require("net").createServer().listen({ port: ${port}, host: "127.0.0.1", backlog: 1 }, () => console.log("listens"))`]);
  await within(new Promise((resolve) => child.stdout.once("data", resolve)), "it listens");
  child.kill("SIGSTOP");
  const sockets = [];
  for (let isFull = false; !isFull;) {
    const socket = net.connect(port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    isFull = !(await Promise.race([new Promise((resolve) => socket.once("connect", () => resolve(true))), sleep(500)]));
    assert.ok(sockets.length < 20, "the queue gets full");
  }
  return { port, stop: () => { sockets.forEach((socket) => socket.destroy()); child.kill("SIGKILL"); } };
}

describe("proxies as deploy/ sets them up", () => {
  let stack, off;
  const ports = [];
  const gateways = [];
  before(async () => {
    stack = await Stack.start();
    off = await hostThatIsOff();
    for (const id of [1, 2]) {
      const port = await freePort();
      ports.push(port);
      gateways.push(new Program(bin("parlor-gateway"), ["--host", "127.0.0.1", "--port", port, "--id", id, "--roomd", stack.address("roomd-0"),
        "--historyd", stack.address("historyd-0"), "--bind", stack.address(`gateway-${id}`), "--web", path.join(REPO, "gateway/web")]));
      await until("it is ready", () => fetch(`http://127.0.0.1:${port}/readyz`).then((answer) => answer.ok, () => false));
    }
  });
  after(async () => {
    off?.stop();
    for (const gateway of gateways) await gateway.stop();
    await stack?.stop();
  });

  for (const name of DEPLOYED) {
    it(name, { skip: !existsSync(PROGRAMS[name]) && "not installed" }, async () => {
      const dir = mkdtempSync(path.join(tmpdir(), "parlor-proxy-"));
      const port = await freePort();
      const gateways = [off.port, ...ports].map((to) => `127.0.0.1:${to}`);
      const options = deploy(name, { dir, listen: `127.0.0.1:${port}`, gateways });
      const env = { ...process.env, HOME: dir };
      const check = spawnSync(PROGRAMS[name], options.check, { encoding: "utf8", env });
      assert.equal(check.status, 0, check.stderr);
      const proxy = new Program(PROGRAMS[name], options.run, { env: { HOME: dir } });
      try {
        const url = `http://127.0.0.1:${port}`;
        await until("it listens", () => new Promise((resolve) => { // no request: the first one may meet the host that is off
          const socket = net.connect(port, "127.0.0.1", () => { socket.destroy(); resolve(true); }).on("error", () => resolve(false));
        }));
        for (let i = 0; i < 6; i++) { // some meet the host that is off first, which is no fault of the others
          const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=no`, { method: "POST", body: "4anything" });
          await answer.text();
          assert.ok(answer.status === 400 || (answer.status === 502 && name === "caddy"), `a POST: ${answer.status}`);
        }
        const seen = new Set();
        for (let i = 0; i < 8; i++) {
          const start = Date.now();
          const answer = await fetch(`${url}/readyz`);
          await answer.text();
          assert.equal(answer.status, 200);
          assert.ok(Date.now() - start < LONGEST_MS, `${Date.now() - start} ms`);
          seen.add(answer.headers.get("x-parlor-gateway"));
        }
        assert.deepEqual([...seen].sort(), ["1", "2"], "both gateways");
        for (let i = 0; i < 3; i++) { // from the page's own origin: refused if Host were lost
          const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, { origin: url });
          await within(new Promise((resolve, reject) => { ws.on("open", resolve).on("error", reject); }), "a WebSocket", LONGEST_MS);
          ws.terminate();
        }
        const client = await SioClient.connect({ url }, { version: 4, transports: ["polling"] });
        try {
          let losses = 0;
          client.socket.on("disconnect", () => { losses++; });
          await client.join(`by ${name}`, name);
          await client.say(name, "first");
          await sleep(30_000); // longer than a poll waits
          await client.say(name, "second");
          assert.deepEqual([client.connects, losses], [1, 0], "one session, sticky to nothing");
        } finally {
          client.close();
        }
      } finally {
        await proxy.stop("SIGKILL");
        rmSync(dir, { recursive: true, force: true });
      }
    });
  }
});
