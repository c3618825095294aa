// SPDX-License-Identifier: MIT
// http_fuzz.test.mjs - whole conversations that nobody planned, with the real gateway: requests behind each other, cut anywhere, half-closed, reset,
// mutated. All the while others are served within a second, and at the end it is the same processes, without a sanitizer's report, and no socket is left.
//
//   PARLOR_FUZZ_SECONDS=600 PARLOR_FUZZ_SEED=7 PARLOR_BUILD=$PWD/build/debug node --test tests/e2e/http_fuzz.test.mjs

import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { upgradeHead } from "./lib/http.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until } from "./lib/wait.mjs";

const SECONDS = Number(process.env.PARLOR_FUZZ_SECONDS ?? 15);
const SEED = Number(process.env.PARLOR_FUZZ_SEED ?? 1);
const AT_ONCE = 24;
const SERVED_MS = 1000;

/** The same numbers for the same seed. */
function random(seed) {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  const next = (below) => {
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    return (state >>> 0) % below;
  };
  next.of = (list) => list[next(list.length)];
  return next;
}

const HANDSHAKE = "/socket.io/?EIO=4&transport=polling";
const request = (line, fields, body = "") => `${line} HTTP/1.1\r\nHost: x\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n${body}`;
const frame = (text) => Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 1, 2, 3, 4]),
  Buffer.from(text).map((byte, i) => byte ^ [1, 2, 3, 4][i % 4])]).toString("latin1");

/** What conversations are made of. The first two together were a hang, and a read of freed memory. */
const seeds = (sid) => [
  request("GET /healthz", []),
  request(`POST ${HANDSHAKE}&sid=0-a`, ["Content-Length: 5"], "hello"),
  request(`POST ${HANDSHAKE}&sid=0-a`, ["Content-Length: 3000"], "x".repeat(1500)),
  request("GET /", ["If-None-Match: \"x\"", "Accept-Encoding: gzip"]),
  request("HEAD /app.js", []),
  request(`GET ${HANDSHAKE}`, ["Origin: http://x"]),
  request(`GET ${HANDSHAKE}&sid=${sid}`, []),
  request(`POST ${HANDSHAKE}&sid=${sid}`, ["Content-Length: 2"], "40"),
  request(`POST ${HANDSHAKE}&sid=${sid}`, ["Transfer-Encoding: chunked", "Expect: 100-continue"], "2;a=b\r\n40\r\n0\r\nT: t\r\n\r\n"),
  request(`OPTIONS ${HANDSHAKE}`, ["Origin: https://a.example", "Access-Control-Request-Headers: x"]),
  request(`GET http://x${HANDSHAKE.replace("4", "3")}&b64=1`, ["Connection: Upgrade", "Upgrade: h2c"]),
  upgradeHead("/ws", { fields: ["Sec-WebSocket-Protocol: a, parlor.v1"] }) + frame('{"event":"userJoin","data":{"username":"z","room":"z"},"id":1}'),
  upgradeHead(`/socket.io/?EIO=4&transport=websocket&sid=${sid}`) + frame("2probe") + frame("5"),
  upgradeHead("/socket.io/?EIO=4&transport=websocket", { fields: ["Sec-WebSocket-Protocol: a"] }) + frame("40"),
  `GET / HTTP/1.1\r\nX: ${"x".repeat(17_000)}`,
];
const WORDS = ["\r\n", "\r", "\n", "\0", " ", ":", "%", "%00", "?", "&", "&sid=", "#", "HTTP/1.1", "HTTP/1.0", "Content-Length: 0\r\n",
  "Content-Length: 99999999999\r\n", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "Upgrade: websocket\r\n", "Connection: upgrade\r\n",
  "0\r\n\r\n", "fffffffff\r\n",
  "\x88\x80\0\0\0\0", "\x89\x00", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"];

function mutate(next, text) {
  const at = next(text.length + 1);
  const length = next.of([1, 1, 2, 8, 100, 1000]);
  switch (next(6)) {
    case 0: return text.slice(0, at) + String.fromCharCode(next(256)) + text.slice(at + 1);
    case 1: return text.slice(0, at) + text.slice(at + length);
    case 2: return text.slice(0, at) + next.of(WORDS) + text.slice(at);
    case 3: return text.slice(0, at) + text.slice(at, at + length).repeat(2) + text.slice(at + length);
    case 4: return text.slice(0, at);
    default: return text + text.slice(0, at);
  }
}

function conversation(next, sid) {
  let text = "";
  for (let n = 1 + next(3); n > 0; n--) text += next.of(seeds(sid));
  for (let n = next.of([0, 0, 1, 1, 2, 5]); n > 0; n--) text = mutate(next, text);
  const bytes = Buffer.from(text, "latin1");
  const cuts = next.of([0, 0, 1, 2, 5, Math.min(bytes.length, 400)]);
  const ends = [...new Set([...Array.from({ length: cuts }, () => next(bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return {
    pieces: ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end)),
    waits: next.of([false, false, true]),
    end: next.of(["wait", "wait", "half", "half", "reset", "close"]),
    patience: next.of([0, 5, 50, 300]),
  };
}

/** One connection from its beginning to its end. */
async function hold({ port }, { pieces, waits, end, patience }) {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const over = new Promise((resolve) => socket.on("error", resolve).on("close", resolve).on("end", resolve));
  socket.resume();
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    if (waits) await new Promise(setImmediate);
  }
  if (end === "half") socket.end();
  if (end === "reset") { await sleep(patience); socket.resetAndDestroy(); }
  if (end === "close") { await sleep(patience); socket.destroy(); }
  await Promise.race([over, sleep(300)]);
  socket.destroy();
}

describe("conversations that nobody planned", () => {
  let stack;
  // Two gateways: half of the sids are those of the other one, which is asked over the bus.
  before(async () => {
    stack = await Stack.start({ gateways: 2, gatewayOptions: ["--rate", "0"] });
    await stack.ready();
  });
  after(() => stack?.stop());

  it("hurt nobody else", async () => {
    const pids = () => stack.services.map((name) => stack.pid(name));
    const before = pids();
    const until_ms = Date.now() + SECONDS * 1000;
    const bystander = await Client.join(stack, "bystander", "main");
    const recent = [];
    let count = 0;
    let sid = "0-a";
    const talk = async (n) => {
      const next = random(SEED * 1000 + n);
      while (Date.now() < until_ms) {
        const said = conversation(next, sid);
        recent.push(JSON.stringify(Buffer.concat(said.pieces).toString("latin1")).slice(0, 4000));
        if (recent.length > 2 * AT_ONCE) recent.shift();
        await hold(stack, said);
        count++;
      }
    };
    let slowest = 0;
    const inTime = async (promise) => {
      const begin = performance.now();
      const result = await promise;
      const took = Math.round(performance.now() - begin);
      slowest = Math.max(slowest, took);
      assert.ok(took < SERVED_MS, `others waited for ${took} ms`);
      return result;
    };
    const watch = async () => {
      while (Date.now() < until_ms) {
        assert.equal((await inTime(stack.get("/healthz"))).status, 200);
        await inTime(bystander.say("main", "still here"));
        const opened = await inTime(stack.get(HANDSHAKE));
        sid = JSON.parse(opened.body.slice(1)).sid;
        await sleep(50);
      }
    };
    await Promise.all([watch(), ...Array.from({ length: AT_ONCE }, (_, n) => talk(n))]).catch((error) => {
      throw new Error(`${error.message}; seed ${SEED}, just said:\n${recent.join("\n")}`, { cause: error });
    });
    console.log(`${count} conversations, seed ${SEED}; others waited ${slowest} ms at most`);
    await bystander.say("main", "and well");
    await bystander.close();
    assert.deepEqual(pids(), before, "the same processes");
    const left = new Set();
    await until("no socket is left in either", async () => {
      const sockets = Object.entries(await stack.metrics()).filter(([key]) => /^parlor_sockets\b/.test(key));
      for (const [name, count] of sockets) if (count <= 2) left.add(name);
      return left.size === 2;
    }, 60_000);
  });
});
