// SPDX-License-Identifier: MIT
// pause.test.mjs - a WebSocket that is not read from while something is unsent to it: by the core, whose answers wait, and
// below it, where pings of Engine.IO are answered without its knowing. Both at once, and then all of it arrives.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until } from "./lib/wait.mjs";

const SESSION = 64 * 1024;
const PAGES = 200; // 64 KiB each: more than the sockets' buffers take
const PINGS = 200_000; // of 100 bytes, likewise

describe("pause", () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0"] });
    const writer = await Client.join(stack, "writer", "long");
    for (let i = 0; i < 20; i++) await writer.say("long", "x".repeat(4000));
    await writer.close();
  });
  after(() => stack?.stop());

  /** A Socket.IO client of revision 3 as bytes, since it is the client there that pings. */
  async function connect() {
    const socket = new WebSocket(`${stack.url.replace("http", "ws")}/socket.io/?EIO=3&transport=websocket`, { perMessageDeflate: false });
    const heard = { pongs: [], acks: [], closed: false };
    socket.on("message", (bytes) => {
      const text = bytes.toString();
      if (text.startsWith("3")) heard.pongs.push(Number(text.slice(1, 9)));
      else if (text.startsWith("43")) heard.acks.push(Number(/^43(\d+)/.exec(text)[1]));
    });
    socket.on("close", (code) => { heard.closed = code; }).on("error", () => {});
    await until("it is open", () => socket.readyState === WebSocket.OPEN);
    socket.send(`420${JSON.stringify(["userJoin", { username: "reader", room: "long" }])}`);
    await until("it has joined", () => heard.acks.length === 1);
    return { socket, heard };
  }

  const ask = (socket, id) => socket.send(`42${id}${JSON.stringify(["history", { room: "long", limit: 200 }])}`);
  const ping = (socket, n) => socket.send(`2${String(n).padStart(8, "0")}${"p".repeat(91)}`);
  const owed = async () => Object.entries(await stack.metrics()).find(([key]) => key.startsWith("parlor_owed_bytes"))[1];

  for (const [what, pages, pings] of [["what the core answers", PAGES, 0], ["what is answered below it", 0, PINGS], ["both", PAGES, PINGS]]) {
    it(`holds back ${what}, and goes on`, async (t) => {
      const { socket, heard } = await connect();
      socket.pause();
      for (let i = 0; i < Math.max(pages, pings); i++) {
        if (i < pages) ask(socket, i + 1);
        if (i < pings) ping(socket, i);
      }
      if (pings) { // the gateway has stopped reading it, for what has been sent does not leave us
        let last;
        await until("nothing moves", async () => {
          const before = last;
          last = socket.bufferedAmount;
          await sleep(500);
          return last > 0 && last === before;
        });
      } else {
        await until("it is blocked", async () => (await owed()) > 0);
      }
      const kept = await owed();
      t.diagnostic(`${socket.bufferedAmount >> 10} KiB not taken, ${kept >> 10} KiB owed`);
      assert.ok(kept < 4 * SESSION, `${kept} bytes`);
      socket.resume();
      await until("all is answered", () => heard.closed || (heard.acks.length === pages + 1 && heard.pongs.length === pings), 120_000);
      assert.equal(heard.closed, false);
      assert.deepEqual(heard.acks, Array.from({ length: pages + 1 }, (_, i) => i));
      assert.ok(heard.pongs.every((n, i) => n === i), "pongs in order");
      socket.terminate();
    });
  }
});
