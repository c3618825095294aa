// SPDX-License-Identifier: MIT
// sio.test.mjs - the events of the protocol with the Socket.IO clients of three generations, over each transport, and all
// of them with native clients in one room.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";
import { Client, Refused } from "./lib/client.mjs";
import { assertGapFree, messagesSeen } from "./lib/room.mjs";
import { KINDS, SioClient } from "./lib/sio.mjs";
import { Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const refusedWith = (code) => (error) => error instanceof Refused && error.code === code && error.message.length > 0;

describe("Socket.IO", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gatewayOptions: ["--rate", "0"] }); });
  after(() => stack?.stop());

  for (const { name, ...kind } of KINDS) {
    describe(name, () => {
      const at = (room) => `${room} ${name}`;
      const who = (user) => `${user} ${name}`;

      it("joins: the ack, the list, the history", async () => {
        const ann = await SioClient.connect(stack, kind);
        const ack = await ann.join(who("ann"), at("hall"));
        assert.deepEqual(ack, { room: at("hall"), username: who("ann") });
        assert.deepEqual((await ann.take("activeUsers")).data, [who("ann")]);
        const history = await ann.take("msgHistory");
        assert.deepEqual(history, { event: "msgHistory", room: at("hall"), data: [], more: false });
        assert.equal(ann.frames[0].event, "activeUsers");
        if (kind.transports.length === 2) await until("it is upgraded", () => ann.transport === "websocket");
        else assert.equal(ann.transport, kind.transports[0]);
        ann.close();
      });

      it("writes, reads, types, leaves", async () => {
        const ann = await SioClient.join(stack, who("ann"), at("talk"), kind);
        const bob = await SioClient.join(stack, who("bob"), at("talk"), kind);
        assert.deepEqual((await ann.take("userJoin")).data, { username: who("bob"), room: at("talk") });
        bob.socket.emit("userTyping", { username: who("bob"), room: at("talk") });
        assert.deepEqual((await ann.take("userTyping")).data, { username: who("bob"), room: at("talk") });
        const body = "grüß dich 😀 \u001e \\ \" \n 日本";
        // Over polling a 1.x client encodes text beyond ASCII twice, with the reference server as well.
        const sent = kind.version === 1 && kind.transports[0] === "polling" ? "plain text" : body;
        const ack = await bob.say(at("talk"), sent, { cid: "mine" });
        assert.equal(ack.seq, 1);
        const { data } = await ann.take("updateChat");
        assert.deepEqual(data, { username: who("bob"), body: sent, time: ack.time, room: at("talk"), seq: 1, cid: "mine" });
        assert.equal(bob.all("updateChat").length, 0, "the author has the ack");
        assert.deepEqual(await bob.say(at("talk"), sent, { cid: "mine" }), ack, "a repetition is stored once");
        await bob.request("userLeave", { room: at("talk") });
        assert.deepEqual((await ann.take("userLeave")).data, { username: who("bob"), room: at("talk") });
        await ann.sees(at("talk"), [who("ann")]);
        for (const client of [ann, bob]) client.close();
      });

      it("pages through history, and resumes with since", async () => {
        const ann = await SioClient.join(stack, who("ann"), at("past"), kind);
        for (let i = 1; i <= 7; i++) await ann.say(at("past"), `message ${i}`);
        const page = await ann.request("history", { room: at("past"), before: 5, limit: 2 });
        assert.deepEqual(page.messages.map(({ seq }) => seq), [3, 4]);
        assert.equal(page.more, true);
        const back = await SioClient.join(stack, who("bob"), at("past"), { ...kind, join: { since: 4 } });
        const history = await back.take("msgHistory");
        assert.deepEqual(history.data.map(({ seq }) => seq), [5, 6, 7]);
        for (const client of [ann, back]) client.close();
      });

      it("invites into a private room", async () => {
        const ann = await SioClient.join(stack, who("ann"), at("lobby"), kind);
        const bob = await SioClient.join(stack, who("bob"), at("lobby"), kind);
        const eve = await SioClient.join(stack, who("eve"), at("lobby"), kind);
        const ack = await ann.request("newRoom", { username: who("ann"), username2: who("bob"), room: at("secret") });
        assert.deepEqual(ack, { status: "invited" });
        const { data } = await bob.take("newRoom");
        assert.deepEqual({ ...data, url: "" }, { username: who("ann"), username2: who("bob"), room: at("secret"), url: "" });
        await bob.join(who("bob"), at("secret"));
        await assert.rejects(eve.join(who("eve"), at("secret")), refusedWith("forbidden"));
        for (const client of [ann, bob, eve]) client.close();
      });

      it("says clearly what is wrong, and stays", async () => {
        const ann = await SioClient.connect(stack, kind);
        await assert.rejects(ann.say(at("hall"), "too early"), refusedWith("not_joined"));
        await ann.join(who("ann"), at("hall"));
        await assert.rejects(ann.request("noSuchEvent", {}), refusedWith("bad_event"));
        await assert.rejects(ann.request("updateChat", "no object"), refusedWith("bad_field"));
        await assert.rejects(ann.request("updateChat", { room: at("hall") }), refusedWith("bad_field"));
        await assert.rejects(ann.say(at("hall"), Buffer.from("bytes")), refusedWith("bad_field"));
        await assert.rejects(ann.say(at("hall"), "x".repeat(4001)), refusedWith("too_large"));
        ann.socket.emit("noSuchEvent", {});
        const { data } = await ann.take("error");
        assert.equal(data.code, "bad_event");
        await assert.rejects(ann.say(at("hall"), "a\u0000b"), refusedWith("bad_field"));
        await assert.rejects(ann.request("updateChat", { room: at("hall"), body: [[[[[[[["deep"]]]]]]]] }), refusedWith("bad_json"));
        assert.equal((await ann.say(at("hall"), "still here")).room, at("hall"));
        ann.close();
      });
    });
  }

  it("acks what other libraries send, and ends only what is no packet", async () => {
    const socket = new WebSocket(`${stack.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
    const packets = [];
    let closed = false;
    socket.on("message", (bytes) => packets.push(bytes.toString())).on("close", () => { closed = true; });
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    const answer = async (packet, id) => {
      socket.send(packet);
      const found = await until(`an ack for ${packet}`, () => closed || packets.find((text) => text.startsWith(`43${id}[`)));
      assert.equal(closed, false, packet);
      return JSON.parse(found.slice(`43${id}`.length))[0];
    };
    socket.send("40");
    await answer('421[ "userJoin" , {"username":"raw","room":"raw","since":0.0}]', 1);
    for (const [id, body] of [[2, "\\ud83d"], [3, "\\udc00 and \\ud83d\\ude00"]])
      assert.equal((await answer(`42${id}["updateChat",{"room":"raw","body":"${body}","x":1e999}]`, id)).room, "raw");
    const page = await answer('424 ["history",{"room":"raw","limit":2e0}]', 4);
    assert.deepEqual(page.messages.map(({ body }) => body), ["\ufffd", "\ufffd and 😀"]);
    for (const [text, code] of [
      ['["updateChat",{"room":"raw","body":"\\u0000"}]', "bad_field"], ['["history",{"room":"raw","limit":1.5}]', "bad_field"],
      ['["history",{"room":"raw","limit":1e999}]', "bad_field"], ['["history",{"room":"raw","room":"raw"}]', "bad_json"],
      [`["updateChat",${"[".repeat(2000)}${"]".repeat(2000)}]`, "bad_json"], ["[7]", "bad_event"], ['["updateChat"]', "bad_field"],
      ['["a\\u0000b",null]', "bad_event"],
    ]) {
      assert.equal((await answer(`425${text}`, 5)).error.code, code, text.slice(0, 60));
      packets.length = 0;
    }
    socket.send("3[]"); // an ack that nothing asked for
    assert.equal((await answer('426["nothing"]', 6)).error.code, "bad_event");
    assert.equal((await answer('427["updateChat",}', 7)).error.code, "bad_json");
    socket.send("42{}");
    await until("it is ended", () => closed);
  });

  it("has all kinds and native clients in one room, in one order", async () => {
    const clients = await Promise.all([
      ...KINDS.map(({ name, ...kind }) => SioClient.join(stack, name, "mixed", kind)),
      Client.join(stack, "native", "mixed"),
      Client.join(stack, "native batched", "mixed", { protocols: ["parlor.v1"] }),
    ]);
    const COUNT = 20;
    const acks = await Promise.all(clients.map(async (client) => {
      const own = [];
      for (let i = 0; i < COUNT; i++) own.push((await client.say("mixed", `${client.username} says ${i}`)).seq);
      return own;
    }));
    const total = clients.length * COUNT;
    const reader = await Client.join(stack, "reader", "mixed");
    const whole = (await reader.request("history", { room: "mixed", limit: 200 })).messages;
    await until("all have read all", () =>
      clients.every((client, i) => messagesSeen(client, "mixed").length + acks[i].length === total));
    clients.forEach((client, i) => {
      const seen = messagesSeen(client, "mixed");
      const everything = [...seen.map(({ seq }) => seq), ...acks[i]].sort((a, b) => a - b);
      assert.deepEqual(everything, Array.from({ length: total }, (_, n) => n + 1), client.username);
      assert.deepEqual(seen.map(({ seq }) => seq), seen.map(({ seq }) => seq).sort((a, b) => a - b), client.username);
      for (const message of seen) {
        const stored = whole.find(({ seq }) => seq === message.seq);
        if (stored) assert.deepEqual(message, stored);
      }
    });
    assertGapFree(whole, total - whole.length + 1);
    for (const client of [...clients, reader]) client.close();
  });
});
