// SPDX-License-Identifier: MIT
// hostile.test.mjs - eight connections that send what costs most to read, as fast as the socket takes it and coming back
// when they are closed, beside two people who talk. Figures are printed; the bound is for a machine that stands still.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import WebSocket from "ws";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep } from "./lib/wait.mjs";

const ATTACKERS = 8;
const TALK_MS = 6000;
const BOUND_MS = 3000; // the answer is given up after 5 s
const FRAME = `[${"[],".repeat(21_840)}[]]`; // just 64 KiB
const KINDS = {
  "one frame": { protocols: [], text: FRAME },
  "a batch of lines": { protocols: ["parlor.v1"], text: "[]\n".repeat(21_800) },
  "small frames": { protocols: [], text: "[]" },
};

/** One thread that does nothing else: all connections, until told to stop. */
function attack({ url, protocols, text }) {
  const done = { frames: 0, opened: 0, closed: {}, unopened: 0 };
  const WAITING = 1024 * 1024; // of ours, and no more, in each socket
  const open = () => {
    const socket = new WebSocket(url, protocols, { perMessageDeflate: false });
    const more = () => {
      for (let n = 0; n < 200 && socket.readyState === WebSocket.OPEN && socket.bufferedAmount < WAITING; n++, done.frames++) socket.send(text);
      if (socket.readyState === WebSocket.OPEN) setImmediate(more);
    };
    socket.on("open", () => { done.opened++; more(); });
    socket.on("error", () => { done.unopened++; });
    socket.on("close", (code) => {
      done.closed[code] = (done.closed[code] ?? 0) + 1;
      setTimeout(open, 1);
    });
  };
  for (let i = 0; i < ATTACKERS; i++) open();
  parentPort.on("message", () => { parentPort.postMessage(done); });
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))].toFixed(1);

/** They talk for so long; how long each message took, to its ack and to the other one, in ms. */
async function talk(ann, bob, ms) {
  const acks = [];
  const arrivals = [];
  for (const end = performance.now() + ms; performance.now() < end; await sleep(20)) {
    const from = performance.now();
    const body = `${from}`;
    await Promise.all([
      ann.say("main", body).then(() => acks.push(performance.now() - from)),
      bob.take("updateChat", ({ data }) => data.body === body).then(() => arrivals.push(performance.now() - from)),
    ]);
  }
  return { acks, arrivals };
}

function figures(times) {
  const sorted = times.toSorted((a, b) => a - b);
  return `${sorted.length} messages, p50 ${quantile(sorted, 0.5)}, p99 ${quantile(sorted, 0.99)}, at most ${sorted.at(-1).toFixed(1)} ms`;
}

if (isMainThread) {
  describe("hostile", () => {
    let stack;
    let ann;
    let bob;
    before(async () => {
      stack = await Stack.start(); // with the rates that it has by default
      ann = await Client.join(stack, "ann", "main");
      bob = await Client.join(stack, "bob", "main");
    });
    after(() => stack?.stop());

    const cpuMs = () => readFileSync(`/proc/${stack.pid("gateway-0")}/stat`, "utf8").split(" ").slice(13, 15)
      .reduce((sum, ticks) => sum + Number(ticks) * 10, 0);

    it("takes the messages of two who are alone", async (t) => {
      t.diagnostic(`to the ack: ${figures((await talk(ann, bob, 2000)).acks)}`);
    });

    for (const [kind, { protocols, text }] of Object.entries(KINDS)) {
      it(`takes them beside ${ATTACKERS} who send ${kind} of [],[] at full speed`, async (t) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: { url: `${stack.url.replace("http", "ws")}/ws`, protocols, text } });
        await sleep(300);
        const cpu = cpuMs();
        const { acks, arrivals } = await talk(ann, bob, TALK_MS);
        const used = cpuMs() - cpu;
        worker.postMessage("how much");
        const done = await new Promise((resolve) => { worker.on("message", resolve); });
        await worker.terminate();
        t.diagnostic(`to the ack: ${figures(acks)}; to the other: ${figures(arrivals)}`);
        t.diagnostic(`the gateway used ${(used / TALK_MS * 100).toFixed(0)} % of a core; ${JSON.stringify(done)}`);
        assert.ok(Math.max(...acks, ...arrivals) < BOUND_MS, `at most ${Math.max(...acks, ...arrivals)} ms`);
        assert.ok((done.closed[1008] ?? 0) > 0, "who is far over the rate is closed");
      });
    }
  });
} else {
  attack(workerData);
}
