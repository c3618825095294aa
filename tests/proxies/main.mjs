// SPDX-License-Identifier: MIT
// main.mjs - visits by polling over several gateways: directly on one port, and through each proxy with the gateways
// behind it. A visit is good when nothing of it fails: plain files, /healthz and a 404 first, so that connections are kept
// alive; then one Socket.IO session that joins, writes and reads without ever having to connect again.
//
// Not here: the proxies' own settings (proxies.mjs).

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { parseArgs } from "node:util";
import { launch } from "../e2e/lib/browser.mjs";
import { Program } from "../e2e/lib/program.mjs";
import { SioClient } from "../e2e/lib/sio.mjs";
import { bin, freePort, REPO, Stack } from "../e2e/lib/stack.mjs";
import { until } from "../e2e/lib/wait.mjs";
import { PROGRAMS, PROXIES } from "./proxies.mjs";

const { values: wish, positionals } = parseArgs({
  allowPositionals: true,
  options: { visits: { type: "string", default: "20" }, gateways: { type: "string", default: "2" } },
});
const [VISITS, GATEWAYS] = [Number(wish.visits), Number(wish.gateways)];
const WAYS = positionals.length ? positionals : ["direct", ...Object.keys(PROXIES)];
const MESSAGES = 5;
const LIBRARY = readFileSync(path.join(path.dirname(createRequire(import.meta.url).resolve("socket.io-client/package.json")),
  "dist/socket.io.min.js"), "utf8");
const VERSIONS = [4, 2, 1];
for (const way of WAYS) assert.ok(way === "direct" || PROXIES[way], `${way} is none of direct, ${Object.keys(PROXIES).join(", ")}`);

const fetchAll = (agent, url) => new Promise((resolve, reject) => {
  http.get(url, { agent }, (answer) => answer.resume().on("end", () => resolve(answer.statusCode))).on("error", reject);
});

/** One visit of a program with a client from npm. */
async function visitFromProgram(url, n, room) {
  const agent = new http.Agent({ keepAlive: true });
  let client;
  try {
    for (const [target, status] of [["/", 200], ["/healthz", 200], ["/nothing", 404]]) {
      assert.equal(await fetchAll(agent, url + target), status, target);
    }
    client = await SioClient.connect({ url }, { version: VERSIONS[n % VERSIONS.length], transports: ["polling"], agent });
    let losses = 0;
    client.socket.on("disconnect", () => { losses++; });
    await client.join(`program ${n}`, room);
    for (let i = 0; i < MESSAGES; i++) await client.say(room, `${n}: ${i}`);
    await client.sees(room, [`program ${n}`]);
    assert.deepEqual([client.connects, losses], [1, 0], "one session");
  } finally {
    client?.close();
    agent.destroy();
  }
}

/** One visit of a person with Chromium, on Parlor's own page. */
async function visitFromBrowser(browser, url, n, room) {
  const context = await browser.newContext({ bypassCSP: true });
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.addScriptTag({ content: LIBRARY });
    await page.evaluate(async ([username, room, MESSAGES]) => {
      const target = new URL(location.href);
      for (const [file, status] of [["/healthz", 200], ["/nothing", 404], ["/style.css", 200]]) {
        const answer = await fetch(new URL(file, target));
        await answer.text();
        if (answer.status !== status) throw new Error(`${file}: ${answer.status}`);
      }
      const socket = window.io({ transports: ["polling"], reconnection: false });
      const ended = new Promise((_, reject) => {
        for (const event of ["connect_error", "disconnect"]) socket.on(event, (why) => reject(new Error(`${event}: ${why}`)));
      });
      const ask = (event, data) => Promise.race([ended, new Promise((resolve, reject) => {
        socket.emit(event, data, (answer) => (answer.error ? reject(new Error(answer.error.message)) : resolve(answer)));
      })]);
      await Promise.race([ended, new Promise((resolve) => { socket.on("connect", resolve); })]);
      await ask("userJoin", { username, room });
      for (let i = 0; i < MESSAGES; i++) await ask("updateChat", { room, body: String(i) });
      ended.catch(() => {});
      socket.disconnect();
    }, [`person ${n}`, room, MESSAGES]);
  } finally {
    await context.close();
  }
}

async function visits(kind, visit) {
  let good = 0;
  const complaints = new Set();
  for (let n = 0; n < VISITS; n++) {
    try {
      await visit(n, `${kind} ${n}`);
      good++;
    } catch (error) {
      complaints.add(String(error.message).split("\n")[0]);
    }
  }
  return { good, complaints };
}

async function metric(name) {
  let sum = 0;
  for (const port of metricsPorts) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    sum += Number(new RegExp(`^parlor_${name}(?:{[^}]*})? (\\d+)$`, "m").exec(text)[1]);
  }
  return sum;
}

const missing = WAYS.filter((way) => PROXIES[way] && !existsSync(PROGRAMS[way]));
if (missing.length) {
  console.log(`not installed: ${missing.join(", ")}`);
  process.exit(77);
}
const stack = await Stack.start({ gateways: GATEWAYS, gatewayOptions: ["--rate", "0"] }); // these share a port
const ports = [];
const metricsPorts = [];
const gateways = [];
for (let i = 0; i < GATEWAYS; i++) { // and these have one each
  ports.push(await freePort());
  metricsPorts.push(await freePort());
  const name = `gateway-${GATEWAYS + i}`;
  gateways.push(new Program(bin("parlor-gateway"), ["--host", "127.0.0.1", "--port", ports[i], "--id", GATEWAYS + i, "--rate", 0,
    "--metrics", `127.0.0.1:${metricsPorts[i]}`,
    "--roomd", stack.address("roomd-0"), "--historyd", stack.address("historyd-0"), "--bind", stack.address(name),
    "--web", path.join(REPO, "gateway/web")]));
}
const browser = await launch();
let isGood = true;
try {
  for (const port of [stack.port, ...ports]) {
    await until("the gateways know each other", async () => {
      const open = await (await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`)).text();
      return JSON.parse(open.slice(1)).upgrades.length === 0;
    });
  }
  console.log(`| way | gateways | good visits of ${VISITS} from programs | from Chromium | requests relayed |\n| --- | --- | --- | --- | --- |`);
  for (const way of WAYS) {
    const port = way === "direct" ? stack.port : await freePort();
    const url = `http://127.0.0.1:${port}`;
    let proxy;
    if (way !== "direct") {
      const dir = path.join(stack.data, way);
      mkdirSync(dir);
      proxy = new Program(PROGRAMS[way], PROXIES[way](dir, port, ports), { env: { HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir } });
    }
    try {
      await until(`${way} serves: ${proxy?.stderr}`, async () => (await fetch(`${url}/healthz`)).ok);
      const asked = way === "direct" ? null : await metric("relay_asked_total");
      const programs = await visits(`${way} program`, (n, room) => visitFromProgram(url, n, room));
      const people = await visits(`${way} person`, (n, room) => visitFromBrowser(browser, url, n, room));
      const relayed = asked === null ? "" : (await metric("relay_asked_total")) - asked;
      console.log(`| ${way} | ${GATEWAYS} | ${programs.good} | ${people.good} | ${relayed} |`);
      for (const words of [...programs.complaints, ...people.complaints]) console.log(`  ${words}`);
      if (programs.good < VISITS || people.good < VISITS) {
        isGood = false;
        if (proxy) console.log(proxy.stderr.split("\n").slice(-10).join("\n"));
      }
    } finally {
      await proxy?.stop();
    }
  }
} finally {
  await browser.close();
  for (const gateway of gateways) await gateway.stop();
  await stack.stop();
  rmSync(stack.data, { recursive: true, force: true });
}
process.exit(isGood ? 0 : 1);
