// SPDX-License-Identifier: MIT
// large.test.mjs - the largest answers that were seen to end connections: eight rooms of 200 long messages rejoined at once by
// who reads late, and a hundred rooms by polling. All of it arrives, at the reader's pace, and the connection stays.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { assertGapFree } from "./lib/room.mjs";
import { SioClient } from "./lib/sio.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until } from "./lib/wait.mjs";

const PATIENCE_MS = 60_000;
const names = (kind, count) => Array.from({ length: count }, (_, i) => `${kind} ${i}`);
const LONG = { rooms: names("long", 8), count: 200, body: "x".repeat(4000) };
const MANY = { rooms: names("many", 100), count: 50, body: "y".repeat(250) };

describe("large", () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0"] });
    for (const { rooms, count, body } of [LONG, MANY]) {
      const writer = await Client.connect(stack);
      for (const room of rooms) {
        await writer.join("writer", room);
        for (let at = 0; at < count; at += 25) await Promise.all(Array.from({ length: 25 }, () => writer.say(room, body)));
        await writer.request("userLeave", { room }).catch(() => {});
      }
      await writer.close();
    }
  });
  after(() => stack?.stop());

  /** Has all of these rooms: what came with msgHistory, what followed it, and what is older (`more`). */
  async function hasAll(client, { rooms, count }) {
    const seen = (wanted) => client.frames.flatMap(({ event, room, data }) =>
      ((data?.room ?? room) !== wanted ? [] : event === "msgHistory" ? data : event === "updateChat" ? [data] : []));
    for (const room of rooms) {
      await until(`the newest of ${room}`, () => seen(room).at(-1)?.seq === count, PATIENCE_MS);
      const messages = seen(room);
      while (messages[0].seq > 1) {
        const older = await client.request("history", { room, before: messages[0].seq, limit: 200 }, PATIENCE_MS);
        messages.unshift(...older.messages);
      }
      assert.equal(messages.length, count);
      assertGapFree(messages);
    }
  }

  for (const pauseMs of [200, 1000, 3000]) {
    it(`gives eight rooms of 200 x 4,000 bytes to who reads ${pauseMs} ms later`, async (t) => {
      const reader = await Client.connect(stack);
      reader.username = "reader";
      const joins = LONG.rooms.map((room) => reader.request("userJoin", { username: "reader", room, since: 0 }, PATIENCE_MS));
      await sleep(5);
      reader.socket.pause();
      await sleep(pauseMs);
      const from = performance.now();
      reader.socket.resume();
      await Promise.all(joins);
      await hasAll(reader, LONG);
      t.diagnostic(`6.4 MB in ${(performance.now() - from).toFixed(0)} ms`);
      assert.equal(reader.close_, null);
      await reader.close();
    });
  }

  it("gives a hundred rooms of 50 x 250 bytes to a client that polls, and again when it comes back", async (t) => {
    for (let visit = 1; visit <= 3; visit++) {
      const from = performance.now();
      const reader = await SioClient.connect(stack, { transports: ["polling"] });
      let ended = null;
      reader.socket.on("disconnect", (why) => { ended = why; });
      await Promise.all(MANY.rooms.map((room) => reader.request("userJoin", { username: "poller", room }, PATIENCE_MS)));
      await hasAll(reader, MANY);
      t.diagnostic(`visit ${visit}: 1.25 MB in ${(performance.now() - from).toFixed(0)} ms`);
      assert.equal(ended, null);
      await reader.close();
    }
  });
});
