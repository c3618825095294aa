// SPDX-License-Identifier: MIT
// http_slow.test.mjs - requests that never end and answers that nobody reads: each has its end, and nobody else is locked out.

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { answerTo, Raw, readAnswers } from "./lib/http.mjs";
import { Stack, tempDir } from "./lib/stack.mjs";
import { until, within } from "./lib/wait.mjs";

const SOCKETS_MAX = 60;
const LARGE_BYTES = 16 * 1024 * 1024; // far more than the sockets of both sides hold
const HANDSHAKE = "/socket.io/?EIO=4&transport=polling";
const BYTES_MAX = 64 * 1024 * 1024; // of requests that are not whole yet, all together
const get = (target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
const post = (sid, field) => `POST ${HANDSHAKE}&sid=${sid} HTTP/1.1\r\nHost: x\r\n${field}\r\n\r\n`;

describe("requests that never end", () => {
  let stack, web;
  before(async () => {
    web = tempDir();
    writeFileSync(path.join(web, "index.html"), "");
    writeFileSync(path.join(web, "large.txt"), "x".repeat(LARGE_BYTES));
    stack = await Stack.start({
      gatewayOptions: ["--max-connections", SOCKETS_MAX, "--stall-timeout", "3000", "--rate", "0", "--web", web],
    });
  });
  after(async () => {
    await stack?.stop();
    rmSync(web, { recursive: true, force: true });
  });

  const open = async () => JSON.parse((await answerTo(stack, get(HANDSHAKE))).body.slice(1)).sid;
  const sockets = async () => Object.entries(await stack.metrics()).find(([name]) => /^parlor_sockets\b/.test(name))[1];

  /** Everybody else is served: plain requests, polls, WebSockets. */
  async function othersAreServed(what) {
    await until(`a request beside ${what}`, async () => (await stack.get("/healthz")).status === 200, 5000);
    await until(`a poll beside ${what}`, open, 5000);
    const ann = await until(`a chat beside ${what}`, () => Client.join(stack, `ann-${Math.random()}`, "main"), 5000);
    await ann.say("main", "hello");
    await ann.close();
  }

  for (const [what, kinds] of [
    ["heads that are never whole", [
      [() => "", undefined],
      [() => "GET / HTTP/1.1\r\nHost: x\r\n", undefined],
      [() => "GET / HTTP/1.1\r\nX: ", "x"],
    ]],
    ["bodies that are never whole", [
      [(sid) => post(sid, "Content-Length: 5"), undefined],
      [(sid) => post(sid, "Content-Length: 5000"), "x"],
      [(sid) => `${post(sid, "Transfer-Encoding: chunked")}5000\r\n`, "x"],
      [(sid) => post(sid, "Content-Length: 5\r\nExpect: 100-continue"), undefined],
    ]],
  ]) {
    it(`ends ${what}, and locks nobody out meanwhile`, async () => {
      const sid = await open();
      const slow = await Promise.all(Array.from({ length: SOCKETS_MAX + 20 }, () => Raw.connect(stack)));
      const kindOf = (i) => kinds[i % kinds.length];
      slow.forEach((raw, i) => raw.say(kindOf(i)[0](sid)));
      const drip = setInterval(() => slow.forEach((raw, i) => {
        if (kindOf(i)[1] && !raw.isClosed) raw.socket.write(kindOf(i)[1]);
      }), 200);
      const begin = Date.now();
      await othersAreServed(what);
      await within(Promise.all(slow.map((raw) => raw.closed)), "all of them end");
      clearInterval(drip);
      assert.ok(Date.now() - begin < 18_000, "within 10 s, or 5 more for who said nothing");
      const told = slow.filter((raw) => raw.received.length > 0).map((raw) => readAnswers(raw.received).at(-1).status);
      assert.ok(told.every((status) => status === 408 || status === 100), `${told}`);
      slow.forEach((raw) => raw.end());
    });
  }

  it("ends answers that nobody reads, and waits for whoever reads slowly", async () => {
    const patient = await Raw.connect(stack);
    patient.socket.pause();
    patient.socket.write(get("/large.txt"));
    const deaf = await Promise.all(Array.from({ length: SOCKETS_MAX }, () => Raw.connect(stack)));
    deaf.forEach((raw) => { raw.socket.pause(); raw.socket.write(get("/large.txt")); });
    // A read every 500 ms is progress, whatever the time that it takes in all.
    const sip = setInterval(() => patient.socket.read(256 * 1024), 500);
    await othersAreServed("unread answers");
    await until("the deaf are gone", async () => await sockets() <= 3);
    assert.equal(patient.isClosed, false);
    clearInterval(sip);
    patient.socket.resume();
    assert.equal((await patient.answers())[0].body.length, LARGE_BYTES);
    deaf.forEach((raw) => raw.end());
  });

  it("lets sids go that were opened and never used, and keeps those that are used", async () => {
    const kept = await open();
    const poll = () => answerTo(stack, get(`${HANDSHAKE}&sid=${kept}`));
    await answerTo(stack, `${post(kept, "Content-Length: 2")}40`);
    assert.match((await poll()).body, /^40/);
    for (let n = 0; n < 3 * SOCKETS_MAX; n++) assert.ok(await open(), `sid ${n}`);
    await answerTo(stack, `${post(kept, "Content-Length: 15")}420["nonsense"]`);
    assert.match((await poll()).body, /^430\[/, "the one in use lives");
    await othersAreServed("unused sids");
    const unused = await open();
    await new Promise((resolve) => setTimeout(resolve, 16_000));
    assert.equal((await answerTo(stack, get(`${HANDSHAKE}&sid=${unused}`))).status, 400, "it was not used in time");
  });
});

describe("requests that are large, and many, and never whole", () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  it("are kept within a bound, the newest ones", async () => {
    const size = 60_000;
    const bytes = `${post("0-a", "Content-Length: 65000")}${"x".repeat(size)}`;
    const slow = [];
    for (let sent = 0; sent < BYTES_MAX + 200 * size; sent += size) {
      const raw = await Raw.connect(stack);
      raw.socket.write(bytes);
      slow.push(raw);
    }
    await until("the oldest go", () => slow.slice(0, 50).every((raw) => raw.isClosed), 8000);
    assert.equal((await stack.get("/healthz")).status, 200);
    const kept = Object.entries(await stack.metrics()).find(([name]) => /^parlor_request_bytes\b/.test(name))[1];
    assert.ok(kept <= BYTES_MAX, `${kept} bytes`);
    slow.forEach((raw) => raw.end());
  });
});
