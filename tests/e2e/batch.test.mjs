// SPDX-License-Identifier: MIT
// batch.test.mjs - the subprotocol parlor.v1: several objects in one frame, either way; without it always one.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { messagesSeen } from "./lib/room.mjs";
import { Stack } from "./lib/stack.mjs";

describe("batch", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gatewayOptions: ["--rate", "0"] }); });
  after(() => stack?.stop());

  const line = (event, data, id) => JSON.stringify({ event, data, id });
  const lines = (count, room) => Array.from({ length: count }, (_, i) =>
    line("updateChat", { room, body: `${i}` }, 1000 + i)).join("\n");

  it("is agreed on in the handshake", async () => {
    const batched = await Client.connect(stack, { protocols: ["parlor.v1"] });
    assert.equal(batched.socket.protocol, "parlor.v1");
    const plain = await Client.connect(stack);
    assert.equal(plain.socket.protocol, "");
    const chosen = await Client.connect(stack, { protocols: ["parlor.v9", "parlor.v1"] });
    assert.equal(chosen.socket.protocol, "parlor.v1");
    await Promise.all([batched, plain, chosen].map((client) => client.close()));
  });

  it("takes many objects in one frame, each with its own reply", async () => {
    const ann = await Client.join(stack, "ann", "main", { protocols: ["parlor.v1"] });
    const bob = await Client.join(stack, "bob", "main");
    ann.raw(lines(100, "main"));
    await ann.take("ack", ({ id }) => id === 1099);
    const acks = ann.all("ack").filter(({ id }) => id >= 1000);
    assert.deepEqual(acks.map(({ data }) => data.seq), Array.from({ length: 100 }, (_, i) => i + 1));
    await bob.take("updateChat", ({ data }) => data.seq === 100);
    assert.ok(bob.batches.every((count) => count === 1), "one object a frame without parlor.v1");
    await Promise.all([ann.close(), bob.close()]);
  });

  it("gives many messages in order, in as many frames as the gateway likes", async () => {
    const ann = await Client.join(stack, "ann", "many", { protocols: ["parlor.v1"] });
    const bob = await Client.join(stack, "bob", "many", { protocols: ["parlor.v1"] });
    ann.raw(lines(300, "many"));
    await bob.take("updateChat", ({ data }) => data.seq === 300);
    assert.deepEqual(messagesSeen(bob, "many").map(({ body }) => body), Array.from({ length: 300 }, (_, i) => `${i}`));
    await Promise.all([ann.close(), bob.close()]);
  });

  it("takes empty lines and a line end at the end, and answers a bad line alone", async () => {
    const ann = await Client.join(stack, "ann", "mixed", { protocols: ["parlor.v1"] });
    ann.raw(`\n${line("updateChat", { room: "mixed", body: "a" }, 2001)}\nnot JSON\n\n${line("updateChat", { room: "mixed", body: "b" }, 2002)}\n`);
    await ann.take("ack", ({ id }) => id === 2002);
    await ann.roundTrip();
    assert.deepEqual(ann.all("ack").filter(({ id }) => id > 2000).map(({ data }) => data.seq), [1, 2]);
    assert.deepEqual(ann.all("error").filter(({ id }) => id === undefined).map(({ data }) => data.code), ["bad_json"]);
    await ann.close();
  });

  it("does not let one frame hold back the others", async () => {
    const ann = await Client.join(stack, "ann", "fair", { protocols: ["parlor.v1"] });
    const bob = await Client.join(stack, "bob", "fair");
    for (let i = 0; i < 20; i++) ann.raw(lines(200, "fair"));
    const { seq } = await bob.say("fair", "me too");
    assert.ok(seq > 0);
    await bob.take("updateChat", ({ data }) => data.seq === 4000 + (seq > 4000 ? 0 : 1), 60_000);
    await Promise.all([ann.close(), bob.close()]);
  });
});
