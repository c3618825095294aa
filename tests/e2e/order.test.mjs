// SPDX-License-Identifier: MIT
// order.test.mjs - a sender's own order: many messages are under way at once while historyd is killed again and
// again, and each connection's messages stand in the order in which it sent them.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, Refused } from "./lib/client.mjs";
import { assertStoredOnce, wholeRoom } from "./lib/room.mjs";
import { Stack } from "./lib/stack.mjs";

const WRITERS = 8;
const INTERVAL_MS = 100; // of one writer: 80 messages a second in all
const KILLS = 8;
const ROOM = "pipelined";

describe("a sender's own order", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gateways: 2, gatewayOptions: ["--rate", "0"] }); });
  after(() => stack?.stop());

  /** Writes at its pace, waiting for nothing. */
  async function write(username, isOver) {
    const client = await Client.join(stack, username, ROOM);
    const replies = [];
    for (let i = 0; !isOver(); i++) {
      const body = `${username} ${i}`;
      replies.push(client.say(ROOM, body).then((ack) => ({ body, ...ack }), (error) => {
        if (!(error instanceof Refused && error.code === "unavailable")) throw error;
        return null;
      }));
      await sleep(INTERVAL_MS);
    }
    const acked = (await Promise.all(replies)).filter((ack) => ack);
    await client.close();
    return acked;
  }

  it("holds while historyd is killed under pipelined messages", async () => {
    let isOver = false;
    const writers = Array.from({ length: WRITERS }, (_, i) => write(`writer-${i}`, () => isOver));
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(500 + 250 * kill);
      await stack.restart("historyd-0");
    }
    await sleep(1000);
    isOver = true;
    const acked = (await Promise.all(writers)).flat();
    const reader = await Client.join(stack, "reader", ROOM);
    const messages = await wholeRoom(reader, ROOM);
    await reader.close();
    assertStoredOnce(messages, acked);
    assert.ok(acked.length > 400, `${acked.length} acked`);
    for (let i = 0; i < WRITERS; i++) {
      const own = messages.filter(({ username }) => username === `writer-${i}`);
      const sent = own.map(({ body }) => Number(body.split(" ")[1]));
      assert.deepEqual(sent, [...sent].sort((a, b) => a - b), `writer-${i}'s messages`);
    }
  });
});
