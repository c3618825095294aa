// SPDX-License-Identifier: MIT
// durability.test.mjs - an ack means stored: services are killed at the worst moments, and no acked message is
// lost or stored twice.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client, Gone, Refused } from "./lib/client.mjs";
import { assertStoredOnce, wholeRoom } from "./lib/room.mjs";
import { Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

describe("durability", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gatewayOptions: ["--rate", "0"] }); });
  after(() => stack?.stop());

  async function connected(username, room) {
    return until(`${username} joins`, async () => {
      const client = await Client.connect(stack);
      return client.join(username, room).then(() => client, (error) => { client.cut(); throw error; });
    }, 30_000);
  }

  it("loses nothing when historyd is killed right after acks", async () => {
    const room = "killed";
    const acked = [];
    const ann = await connected("ann", room);
    for (let round = 0; round < 5; round++) {
      const burst = Array.from({ length: 20 }, (_, i) => `round ${round} message ${i}`);
      await Promise.all(burst.map(async (body) => acked.push({ body, ...(await ann.say(room, body)) })));
      process.kill(stack.pid("historyd-0"), "SIGKILL"); // the last ack has just come
      const body = `after kill ${round}`;
      acked.push({ body, ...(await sayUntilStored(ann, room, body, `after-${round}`)) });
    }
    assertStoredOnce(await wholeRoom(ann, room), acked);
    await ann.close();
  });

  /** A message as a careful client sends it: again with its cid, until it is acked. */
  async function sayUntilStored(client, room, body, cid) {
    return until(`"${body}" is acked`, () => client.say(room, body, { cid }), 40_000);
  }

  /** Writes one message after another, whatever happens, until told to stop; returns what was acked. */
  async function writeSteadily(username, room, isOver) {
    const acked = [];
    let client = await connected(username, room);
    for (let i = 0; !isOver(); i++) {
      const body = `${username} ${i}`;
      const cid = `${username}-${i}`;
      for (let isAcked = false; !isAcked;) {
        try {
          acked.push({ body, ...(await client.say(room, body, { cid })) });
          isAcked = true;
        } catch (error) {
          if (error instanceof Gone) client = await connected(username, room);
          else if (!(error instanceof Refused && error.code === "unavailable")) throw error;
        }
      }
    }
    await client.close();
    return acked;
  }

  it("acks each message once, whichever service is killed under steady writers", async () => {
    const room = "storm";
    let isOver = false;
    let count = 0;
    const reader = await connected("reader", room);
    const writers = ["w1", "w2", "w3", "w4"].map((name) => writeSteadily(name, room, () => { count++; return isOver; }));
    const progress = async () => {
      const from = count;
      await until("the writers go on", () => count > from + 20, 40_000);
    };
    try {
      for (const name of ["historyd-0", "roomd-0", "historyd-0", "gateway-0", "roomd-0", "historyd-0"]) {
        await progress();
        await stack.restart(name);
      }
      await progress();
    } finally {
      isOver = true;
    }
    const acked = (await Promise.all(writers)).flat();
    const last = await connected("last", room);
    const messages = await wholeRoom(last, room);
    assertStoredOnce(messages, acked);
    assert.equal(messages.length, acked.length, "nothing but what was acked");
    assert.ok(acked.length > 100, `${acked.length} messages`);
    await Promise.all([last.close(), reader.close()]);
  });

  it("takes every message to a reader that stays, while historyd and roomd are killed", async () => {
    const room = "reader stays";
    const reader = await connected("reader", room);
    const writer = await connected("writer", room);
    const acked = [];
    const writing = (async () => {
      for (let i = 0; i < 200; i++) acked.push({ body: `${i}`, ...(await sayUntilStored(writer, room, `${i}`, `c${i}`)) });
    })();
    for (const name of ["historyd-0", "roomd-0", "historyd-0"]) {
      const from = acked.length;
      await until("the writer goes on", () => acked.length >= Math.min(from + 20, 200), 40_000);
      await stack.restart(name);
    }
    await writing;
    await until("the reader has all", () => reader.all("updateChat", room).length >= 200, 40_000);
    assert.deepEqual(reader.all("updateChat", room).map(({ data }) => data.seq), Array.from({ length: 200 }, (_, i) => i + 1));
    assertStoredOnce(reader.all("updateChat", room).map(({ data }) => data), acked);
    await Promise.all([reader.close(), writer.close()]);
  });

  it("has everything after all were stopped and started again", async () => {
    const ann = await connected("ann", "kept");
    const acked = [];
    for (let i = 0; i < 30; i++) acked.push({ body: `${i}`, ...(await ann.say("kept", `${i}`)) });
    await ann.close();
    const { data } = stack;
    await stack.stop({ keepData: true });
    stack = await Stack.start({ data, gatewayOptions: ["--rate", "0"] });
    const again = await connected("ann", "kept");
    assertStoredOnce(await wholeRoom(again, "kept"), acked);
    const { seq } = await again.say("kept", "goes on");
    assert.equal(seq, 31);
    await again.close();
  });
});
