// SPDX-License-Identifier: MIT
// sio_transport.test.mjs - what becomes of Socket.IO clients when transports change, gateways die, polls reach the wrong
// gateway, and pollers are slow: nothing is lost and nothing comes twice.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { assertGapFree, assertStoredOnce, messagesSeen, wholeRoom } from "./lib/room.mjs";
import { KINDS, SioClient } from "./lib/sio.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until } from "./lib/wait.mjs";

describe("Socket.IO over changing transports", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gatewayOptions: ["--rate", "0", "--log-bytes", "65536"] }); });
  after(() => stack?.stop());

  for (const version of [4, 2, 1]) {
    it(`upgrades ${version}.x under traffic`, async () => {
      const room = `upgrade ${version}`;
      const writer = await Client.join(stack, "writer", room);
      let isOver = false;
      let written = 0;
      const writing = (async () => {
        while (!isOver) {
          await writer.say(room, `message ${++written}`);
          if (written % 5 === 0) await sleep(1);
        }
      })();
      const readers = [];
      for (let i = 0; i < 10; i++) {
        readers.push(await SioClient.join(stack, `reader ${i}`, room, { version, transports: ["polling", "websocket"], join: { since: written } }));
      }
      await until("all are upgraded", () => readers.every(({ transport }) => transport === "websocket"));
      await sleep(300);
      isOver = true;
      await writing;
      for (const reader of readers) {
        await until("the last one has come", () => messagesSeen(reader, room).at(-1)?.seq === written);
        const seen = messagesSeen(reader, room);
        assertGapFree(seen, seen[0].seq);
        reader.close();
      }
      await writer.close();
    });
  }

  it("feeds a slow poller from history, at its own pace", async () => {
    const COUNT = 1500;
    const writer = await Client.join(stack, "writer", "slow");
    const ask = (target, options = {}, body) => new Promise((resolve, reject) => {
      const request = http.request(`${stack.url}/socket.io/?EIO=4&transport=polling${target}`, { agent: false, ...options }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (more) => { text += more; }).on("end", () => resolve(text));
      });
      request.on("error", reject).end(body);
    });
    const { sid } = JSON.parse((await ask("")).slice(1));
    const post = (body) => ask(`&sid=${sid}`, { method: "POST", headers: { "content-type": "text/plain;charset=UTF-8" } }, body);
    const packets = [];
    const poll = async () => {
      for (const packet of (await ask(`&sid=${sid}`)).split("\u001e")) {
        if (packet === "2") await post("3");
        packets.push(packet);
      }
    };
    await post("40");
    await poll();
    await post(`420${JSON.stringify(["userJoin", { username: "poller", room: "slow" }])}`);
    while (!packets.some((packet) => packet.startsWith("430"))) await poll();
    for (let at = 0; at < COUNT; at += 100) { // nobody polls meanwhile
      await Promise.all(Array.from({ length: 100 }, (_, i) => writer.say("slow", `${at + i} ${"x".repeat(500)}`)));
    }
    const seqs = () => packets.filter((packet) => packet.startsWith('42["updateChat"')).map((packet) => JSON.parse(packet.slice(2))[1].seq);
    while (seqs().at(-1) !== COUNT) {
      const before = packets.length;
      await poll();
      const bytes = packets.slice(before).reduce((sum, { length }) => sum + length, 0);
      assert.ok(bytes < 300_000, `one poll brought ${bytes} bytes: it was queued, not fed`);
    }
    assert.deepEqual(seqs(), Array.from({ length: COUNT }, (_, i) => i + 1));
    await writer.close();
  });

  it("stores a message once that the client's own retries send again", async () => {
    const ann = await SioClient.connect(stack, { retries: 3, ackTimeout: 150 });
    await ann.join("ann", "retries");
    process.kill(stack.pid("historyd-0"), "SIGSTOP"); // no ack before the client's patience is over
    const sent = new Promise((resolve, reject) => {
      ann.socket.emit("updateChat", { room: "retries", body: "once", cid: "the only one" }, (error, answer) =>
        (error ? reject(error) : resolve(answer)));
    });
    await sleep(250);
    process.kill(stack.pid("historyd-0"), "SIGCONT");
    await sent.catch(() => {}); // its patience may have been over for good; the message is there all the same
    const reader = await Client.join(stack, "reader", "retries");
    await until("it is stored", async () => (await wholeRoom(reader, "retries")).length > 0);
    await sleep(500);
    assert.equal((await wholeRoom(reader, "retries")).length, 1);
    ann.close();
    await reader.close();
  });

  it("comes back by itself when the gateway was killed, and resumes", async () => {
    const clients = await Promise.all(KINDS.map(({ name, ...kind }) =>
      SioClient.join(stack, name, "killed", { ...kind, reconnection: true, reconnectionDelay: 200, reconnectionDelayMax: 500 })));
    const acked = [];
    for (const client of clients) acked.push({ body: client.username, ...(await client.say("killed", client.username)) });
    await stack.restart("gateway-0");
    await stack.ready();
    await until("all are back", () => clients.every(({ connects, socket }) => connects >= 2 && socket.connected), 40_000);
    for (const client of clients) {
      await client.join(client.username, "killed", { since: acked.length });
      acked.push({ body: `${client.username} again`, ...(await client.say("killed", `${client.username} again`)) });
    }
    const reader = await Client.join(stack, "reader", "killed");
    assertStoredOnce(await wholeRoom(reader, "killed"), acked);
    for (const client of [...clients, reader]) client.close();
  });
});

describe("Socket.IO when the gateway drains", () => {
  it("is told to go elsewhere, by each transport", async () => {
    const stack = await Stack.start({ gatewayOptions: ["--rate", "0", "--drain-ms", "2000"] });
    const clients = await Promise.all(KINDS.map(({ name, ...kind }) => SioClient.join(stack, name, "last", kind)));
    await sleep(1000); // who polls is told by the poll that waits; between two polls it only finds nobody there
    process.kill(stack.pid("gateway-0"), "SIGTERM");
    for (const client of clients) {
      assert.equal((await client.take("goingAway")).data.reconnectAfterMs, 1000);
      await until(`${client.username} is let go`, () => !client.socket.connected);
    }
    await stack.stop();
  });
});

const handshake = async (stack) =>
  JSON.parse((await (await fetch(`${stack.url}/socket.io/?EIO=4&transport=polling`)).text()).slice(1));

describe("Socket.IO over two gateways on one port, without sticky sessions", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gateways: 2, gatewayOptions: ["--rate", "0"] }); });
  after(() => stack?.stop());

  const total = async (name) => {
    const metrics = Object.entries(await stack.metrics()).filter(([key]) => key.startsWith(`parlor_${name}`));
    assert.equal(metrics.length, 2, "of both gateways");
    return metrics.reduce((sum, [, value]) => sum + value, 0);
  };

  it("relays polls to the gateway that they are for, and offers no upgrade that might miss it", async () => {
    await until("the gateways know each other", async () => (await handshake(stack)).upgrades.length === 0);
    const kinds = [4, 2, 1].flatMap((version) => [["polling"], ["polling", "websocket"]].map((transports) => ({ version, transports })));
    const clients = await Promise.all(Array.from({ length: 36 }, (_, i) =>
      SioClient.join(stack, `person ${i}`, "spread", kinds[i % kinds.length])));
    const ROUNDS = 5;
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(clients.map((client) => client.say("spread", `${client.username} in round ${round}`)));
    }
    const count = clients.length * ROUNDS;
    await until("everybody has everything", () => clients.every((client) => messagesSeen(client, "spread").length === count - ROUNDS));
    for (const client of clients) {
      const seqs = messagesSeen(client, "spread").map(({ seq }) => seq);
      assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b));
    }
    assert.ok((await total("relay_asked_total")) > 36, "polls did reach the wrong gateway");
    assert.equal(await total("relay_unreachable_total"), 0);
    for (const client of clients) client.close();
  });

  it("answers for a gateway that is gone", async () => {
    const client = await SioClient.join(stack, "ann", "orphans", { transports: ["polling"], reconnection: true, reconnectionDelay: 100 });
    await stack.restart("gateway-0");
    await stack.restart("gateway-1");
    await stack.ready();
    await until("the client is back", () => client.connects >= 2 && client.socket.connected, 40_000);
    await client.join("ann", "orphans");
    assert.equal((await client.say("orphans", "here again")).seq, 1);
    client.close();
  });
});
