// SPDX-License-Identifier: MIT
// scale.test.mjs - two of each service: it must not matter on which gateway a client lands, nor which shards own
// a room.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { assertStoredOnce, wholeRoom } from "./lib/room.mjs";
import { Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const ROOMS = Array.from({ length: 12 }, (_, i) => `room ${i}`);

describe("scale", () => {
  let stack;
  const acked = new Map(ROOMS.map((room) => [room, []]));
  before(async () => {
    stack = await Stack.start({ gateways: 2, roomds: 2, historyds: 2, gatewayOptions: ["--rate", "0"] });
  });
  after(() => stack?.stop());

  const pair = async (room) => [
    await Client.join(stack, "ann", room, { gateway: 0 }),
    await Client.join(stack, "bob", room, { gateway: 1 }),
  ];

  it("shares one port among the gateways", async () => {
    const ids = new Set();
    await until("both gateways answer", async () => {
      ids.add((await stack.get("/healthz")).headers["x-parlor-gateway"]);
      return ids.size === 2;
    });
    assert.deepEqual([...ids].sort(), ["0", "1"]);
  });

  it("lets clients of different gateways chat, in every room", async () => {
    const [ann, bob] = await pair(ROOMS[0]);
    for (const room of ROOMS) {
      if (room !== ROOMS[0]) await Promise.all([ann.join("ann", room), bob.join("bob", room)]);
      await Promise.all([ann.sees(room, ["ann", "bob"]), bob.sees(room, ["ann", "bob"])]);
      ann.send("userTyping", { room });
      assert.equal((await bob.take("userTyping", (frame) => frame.room === room)).data.username, "ann");
      for (const [writer, reader] of [[ann, bob], [bob, ann]]) {
        const body = `${writer.username} in ${room}`;
        const ack = await writer.say(room, body);
        acked.get(room).push({ body, ...ack });
        const { data } = await reader.take("updateChat", (frame) => frame.room === room);
        assert.deepEqual([data.body, data.seq], [body, ack.seq]);
      }
    }
    await bob.close();
    await ann.take("userLeave", ({ room }) => room === ROOMS[3]);
    await ann.sees(ROOMS[3], ["ann"]);
    await ann.close();
  });

  it("spreads rooms over both historyds", async () => {
    for (const n of [0, 1]) assert.ok(existsSync(path.join(stack.data, `historyd-${n}`)));
    // With one historyd stopped, its rooms can't be written and the others can.
    const ann = await Client.join(stack, "ann", ROOMS[0]);
    for (const room of ROOMS.slice(1)) await ann.join("ann", room);
    const owners = [];
    for (const n of [0, 1]) {
      process.kill(stack.pid(`historyd-${n}`), "SIGSTOP");
      try {
        const results = await Promise.all(ROOMS.map(async (room) => {
          const body = `while historyd-${n} stands still`;
          return ann.say(room, body, { cid: `still-${n}` }).then(() => true, ({ code }) => {
            assert.equal(code, "unavailable");
            return false;
          });
        }));
        owners.push(ROOMS.filter((_, i) => !results[i]));
      } finally {
        process.kill(stack.pid(`historyd-${n}`), "SIGCONT");
      }
      for (const room of ROOMS) {
        const body = `while historyd-${n} stands still`;
        acked.get(room).push({ body, ...(await until("it is stored", () => ann.say(room, body, { cid: `still-${n}` }))) });
      }
    }
    assert.ok(owners.every((rooms) => rooms.length > 0), `rooms of each: ${JSON.stringify(owners)}`);
    assert.deepEqual(owners.flat().sort(), [...ROOMS].sort(), "each room belongs to one");
    await ann.close();
  });

  it("tells private rooms and names over both gateways", async () => {
    const key = "s".repeat(20);
    const ann = await Client.join(stack, "ann", "main", { gateway: 0 });
    const kim = await Client.join(stack, "kim", "main", { gateway: 1, join: { key } });
    await ann.request("newRoom", { username2: "kim", room: "aside" });
    await kim.take("newRoom");
    await kim.join("kim", "aside", { key });
    await ann.sees("aside", ["ann", "kim"]);
    for (const gateway of [0, 1]) {
      const eve = await Client.join(stack, "eve", "main", { gateway });
      await assert.rejects(eve.join("eve", "aside"), ({ code }) => code === "forbidden");
      await eve.close();
      const thief = await Client.connect(stack, { gateway });
      await assert.rejects(thief.join("kim", "main", { key: "t".repeat(20) }), ({ code }) => code === "name_taken");
      await thief.close();
    }
    await Promise.all([ann.close(), kim.close()]);
  });

  it("has every room after each service was killed", async () => {
    const [ann, bob] = await pair(ROOMS[0]);
    await Promise.all(ROOMS.slice(1).flatMap((room) => [ann.join("ann", room), bob.join("bob", room)]));
    for (const name of ["historyd-0", "historyd-1", "roomd-0", "roomd-1"]) await stack.restart(name);
    await stack.ready();
    for (const room of ROOMS) {
      const body = "after the restarts";
      const ack = await until("it is acked", () => ann.say(room, body, { cid: "restarts" }));
      acked.get(room).push({ body, ...ack });
      await bob.take("updateChat", (frame) => frame.room === room && frame.data.body === body);
      await ann.sees(room, ["ann", "bob"]);
    }
    for (const name of ["gateway-0", "gateway-1"]) await stack.restart(name);
    await stack.ready();
    const back = await Client.join(stack, "ann", ROOMS[0]);
    for (const room of ROOMS) {
      if (room !== ROOMS[0]) await back.join("ann", room);
      assertStoredOnce(await wholeRoom(back, room), acked.get(room));
      await back.sees(room, ["ann"]); // no ghosts of the connections that the gateways took along
    }
    await Promise.all([ann, bob].map((client) => client.closed()));
    await back.close();
  });

  it("tells clients to go elsewhere when a gateway is stopped, and the room goes on", async () => {
    const ann = await Client.join(stack, "ann", "elsewhere", { gateway: 0 });
    const bob = await Client.join(stack, "ben", "elsewhere", { gateway: 1 });
    process.kill(stack.pid("gateway-0"), "SIGTERM");
    const { data } = await ann.take("goingAway");
    assert.ok(Number.isInteger(data.reconnectAfterMs) && data.reconnectAfterMs >= 0);
    await ann.closed(30_000);
    const back = await Client.join(stack, "ann", "elsewhere");
    await back.say("elsewhere", "here again");
    await bob.take("updateChat", (frame) => frame.data.body === "here again");
    await bob.sees("elsewhere", ["ann", "ben"]);
    await Promise.all([back.close(), bob.close()]);
  });
});
