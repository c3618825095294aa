// SPDX-License-Identifier: MIT
// errors.test.mjs - every error code of the protocol, and bad input of every kind: it gets its answer, the
// connection stays open, and the other clients notice nothing.

import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Raw } from "./lib/http.mjs";
import { Stack } from "./lib/stack.mjs";
import { until, within } from "./lib/wait.mjs";

const KEY = "k".repeat(32);
const frame = (event, data, id) => JSON.stringify({ event, data, id });
const nested = (depth) => "[".repeat(depth) + "]".repeat(depth);
const join = (fields) => frame("userJoin", { username: "eve", room: "main", ...fields });
const say = (fields) => frame("updateChat", { room: "main", body: "x", ...fields });

// What is sent, and the code that it gets. Sent by someone who is in "main" as "eve".
const CASES = {
  bad_json: {
    "no JSON": "hello", "an empty frame": "", "only spaces": "  ", "an array": "[]", "a string": '"userJoin"',
    "a number": "7", "null": "null", "an unfinished object": '{"event":"updateChat"', "two objects": "{}{}",
    "two objects on two lines, without parlor.v1": `${say()}\n${say()}`,
    "a trailing comma": '{"event":"updateChat",}', "single quotes": "{'event':'updateChat'}",
    "a duplicate name": '{"event":"updateChat","event":"userJoin","data":{}}',
    "nesting of 9": `{"event":"updateChat","data":{"room":"main","body":${nested(7)}}}`,
    "nesting of 20000": nested(20000), "NaN": '{"event":"updateChat","data":NaN}',
  },
  bad_event: {
    "no event": '{"data":{}}', "an unknown event": frame("shout", {}), "an event that is a number": '{"event":7,"data":{}}',
    "an event of the server": frame("msgHistory", {}), "another case": frame("UPDATECHAT", { room: "main", body: "x" }),
    "an empty event": frame("", {}), "a prototype's name": frame("__proto__", {}),
  },
  bad_field: {
    "a huge number": '{"event":"updateChat","data":1e999}', "a huge limit": '{"event":"history","data":{"room":"main","limit":1e999}}',
    "U+0000 in a body": say({ body: "a\u0000b" }), "U+0000 in a room": say({ room: "main\u0000" }),
    "no data": '{"event":"updateChat"}', "data that is an array": frame("updateChat", []), "data that is null": frame("updateChat", null),
    "no room": frame("updateChat", { body: "x" }), "no body": frame("updateChat", { room: "main" }),
    "a body that is a number": say({ body: 7 }), "a body that is an object": say({ body: {} }), "an empty body": say({ body: "" }),
    "a room that is a number": say({ room: 7 }), "an empty room": say({ room: "" }), "a room that is null": say({ room: null }),
    "a cid that is a number": say({ cid: 7 }), "a cid of 65 bytes": say({ cid: "c".repeat(65) }),
    "a room of 129 bytes": join({ room: "r".repeat(129) }), "a room of 65 two-byte characters": join({ room: "é".repeat(65) }),
    "a room with a line end": join({ room: "a\nb" }), "a room with a space before": join({ room: " a" }),
    "a room with a space behind": join({ room: "a " }), "a room with a C1 control": join({ room: "a\u0085b" }),
    "no username": frame("userJoin", { room: "main" }), "an empty username": join({ username: "" }),
    "a username of 65 bytes": join({ username: "u".repeat(65) }), "a username with a tab": join({ username: "a\tb" }),
    "a username that is a list": join({ username: ["eve"] }), "a username of spaces": join({ username: "  " }),
    "a key of 15 bytes": join({ key: "k".repeat(15) }), "a key of 65 bytes": join({ key: "k".repeat(65) }), "a key that is a number": join({ key: 7 }),
    "a since below zero": join({ since: -1 }), "a since with a fraction": join({ since: 1.5 }), "a since that is text": join({ since: "1" }),
    "a limit of 0": frame("history", { room: "main", limit: 0 }), "a limit of 201": frame("history", { room: "main", limit: 201 }),
    "a limit below zero": frame("history", { room: "main", limit: -1 }), "a before that is text": frame("history", { room: "main", before: "1" }),
    "no username2": frame("newRoom", { room: "p" }), "an invitation to oneself": frame("newRoom", { room: "p", username2: "eve" }),
    "an id that is text": '{"event":"updateChat","data":{"room":"main","body":"x"},"id":"1"}',
    "an id below zero": frame("updateChat", { room: "main", body: "x" }, -1),
    "an id with a fraction": frame("updateChat", { room: "main", body: "x" }, 1.5),
    "an id of 2^53": '{"event":"updateChat","data":{"room":"main","body":"x"},"id":9007199254740992}',
  },
  too_large: { "a body of 4001 bytes": say({ body: "x".repeat(4001) }), "2001 two-byte characters": say({ body: "é".repeat(2001) }) },
  not_joined: {
    "a message": say({ room: "elsewhere" }), "typing": frame("userTyping", { room: "elsewhere" }),
    "leaving": frame("userLeave", { room: "elsewhere" }), "history": frame("history", { room: "elsewhere" }),
  },
  username_mismatch: { "a second name": join({ username: "adam" }) },
  forbidden: { "a private room of others": join({ room: "private to ann and bob" }) },
  room_taken: { "a room that others use": frame("newRoom", { room: "public", username2: "bob" }) },
};

describe("errors", () => {
  let stack, ann, bob, eve;

  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0"] });
    ann = await Client.join(stack, "ann", "main");
    bob = await Client.join(stack, "bob", "main");
    await ann.join("ann", "public");
    await ann.say("public", "this is a public room");
    await ann.request("newRoom", { room: "private to ann and bob", username2: "bob" });
    eve = await Client.join(stack, "eve", "main");
    await Promise.all([ann, bob].map((client) => client.sees("main", ["ann", "bob", "eve"])));
  });
  after(async () => {
    await Promise.all([ann, bob, eve].map((client) => client?.close()));
    await stack?.stop();
  });

  const noticed = (client) => client.frames.filter(({ event }) => event !== "activeUsers").length;

  for (const [code, cases] of Object.entries(CASES)) {
    it(`${code}: ${Object.keys(cases).length} kinds of bad input`, async () => {
      const before = noticed(bob);
      for (const [name, text] of Object.entries(cases)) {
        const error = await eve.errorFor(text);
        assert.equal(error?.code, code, `${name}: ${JSON.stringify(error)} ${JSON.stringify(eve.close_)}`);
        assert.ok(error.message?.length > 3, `${name}: a message for people`);
      }
      await eve.request("history", { room: "main", limit: 1 });
      await bob.roundTrip();
      assert.equal(noticed(bob), before + 1, "another client notices nothing but its own round trip");
      assert.equal(eve.close_, null, "the connection stays open");
    });
  }

  it("names the field in a bad_field message", async () => {
    const fields = { room: { body: "x" }, body: { room: "main" }, cid: { room: "main", body: "x", cid: 7 } };
    for (const [field, data] of Object.entries(fields)) {
      const error = await eve.errorFor(frame("updateChat", data, 77), 77);
      assert.equal(error.code, "bad_field");
      assert.match(error.message, new RegExp(`\\b${field}\\b`));
    }
  });

  it("answers with the id when there is one, once", async () => {
    const error = await eve.errorFor(frame("updateChat", { room: "nowhere", body: "x" }, 9007199254740991), 9007199254740991);
    assert.equal(error.code, "not_joined");
    await eve.roundTrip();
    assert.equal(eve.frames.filter(({ id }) => id === 9007199254740991).length, 1);
    assert.equal((await eve.errorFor(frame("shout", {}, 0), 0)).code, "bad_event");
  });

  it("finds the id of what it cannot read", async () => {
    for (const text of ['{"event":"updateChat","data":{"room":"main","body":"\\x"},"id":31}',
      `{"event":"updateChat","data":${nested(20)},"id":31}`, '{"id":31,"event":"updateChat","data":{"body":"cut of'])
      assert.equal((await eve.errorFor(text, 31)).code, "bad_json");
  });

  it("takes what is JSON as other clients write it: half an emoji, 5e0, numbers nobody can hold, where nobody reads them", async () => {
    const answer = async (text, id) => {
      eve.raw(text);
      return (await until("an answer", () => eve.frames.find((frame) => frame.id === id))).data;
    };
    const ack = await answer(
      '{"event":"updateChat","data":{"room":"main","body":"half \\ud83d","time":1e999,"x":{"a":1,"a":12345678901234567890}},"id":4100}',
      4100,
    );
    const page = await answer(`{"event":"history","data":{"room":"main","after":${ack.seq - 1}.0,"limit":1e0},"id":4.2e3}`, 4200);
    assert.deepEqual(page.messages.map(({ body }) => body), ["half \ufffd"]);
  });

  it("answers a frame that is not UTF-8 with bad_json or closes with 1007, and a binary frame likewise", async () => {
    const hostile = await Client.join(stack, "hostile", "main");
    hostile.socket._socket.write(clientFrame(0x81, Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])));
    await until("an error or a close", () => hostile.all("error").length || hostile.close_);
    if (hostile.close_) assert.equal(hostile.close_.code, 1007);
    else assert.equal(hostile.all("error")[0].data.code, "bad_json");
    hostile.cut();
    const binary = await Client.join(stack, "binary", "main");
    binary.socket.send(Buffer.from(say()), { binary: true });
    await until("an error or a close", () => binary.all("error").length || binary.close_);
    if (binary.close_) assert.equal(binary.close_.code, 1003);
    else assert.equal(binary.all("error")[0]?.data.code, "bad_json");
    binary.cut();
  });

  it("closes a frame over 64 KiB with 1009, in one piece or in many", async () => {
    for (const options of [{}, { fragments: true }]) {
      const big = await Client.join(stack, "big", "main");
      const text = say({ body: "x".repeat(70_000) });
      if (options.fragments) {
        for (let at = 0; at < text.length; at += 7_000) {
          big.socket.send(text.slice(at, at + 7_000), { fin: at + 7_000 >= text.length });
        }
      } else {
        big.raw(text);
      }
      const { code } = await big.closed();
      assert.equal(code, 1009);
      if (big.all("error").length) assert.equal(big.all("error")[0].data.code, "too_large");
    }
    const fits = await eve.errorFor(say({ body: "x".repeat(65_000) }));
    assert.equal(fits.code, "too_large", "a body over its limit in a frame within its own");
  });

  it("survives bytes that are no WebSocket and no HTTP", async () => {
    const upgrade = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const hostile = [
      Buffer.from("\r\n\r\n"), Buffer.from("\x00".repeat(1000)), Buffer.from(`GET /${"a".repeat(100_000)}`),
      Buffer.from("POST /ws HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), Buffer.from("GET / HTTP/9.9\r\n\r\n"),
      Buffer.from(upgrade.replace("13", "99")),
      Buffer.concat([Buffer.from(upgrade), Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])]),
      Buffer.concat([Buffer.from(upgrade), Buffer.from([0x81, 0x05]), Buffer.from("hello")]), // without a mask
      Buffer.concat([Buffer.from(upgrade), clientFrame(0x80, Buffer.from("continues nothing"))]),
      Buffer.concat([Buffer.from(upgrade), clientFrame(0x89, Buffer.alloc(125)), clientFrame(0x8a, Buffer.alloc(125))]),
      Buffer.concat([Buffer.from(upgrade), clientFrame(0x88, Buffer.from([0x03]))]),
    ];
    for (const bytes of hostile) {
      await within(new Promise((resolve) => {
        const socket = net.connect(stack.port, "127.0.0.1", () => socket.end(bytes));
        socket.resume().on("error", resolve).on("close", resolve);
      }), `an end of the connection that sent ${bytes.subarray(0, 40)}`, 30_000);
    }
    await ann.say("main", "we are still here");
    assert.equal((await bob.take("updateChat", ({ data }) => data.body === "we are still here")).data.username, "ann");
  });

  it("name_taken and bad names leave the room as it was", async () => {
    const keyed = await Client.join(stack, "keyed", "names", { join: { key: KEY } });
    const other = await Client.connect(stack);
    assert.equal((await other.errorFor(frame("userJoin", { username: "keyed", room: "names" }))).code, "name_taken");
    await keyed.roundTrip();
    assert.deepEqual(keyed.people("names"), ["keyed"]);
    assert.equal(keyed.all("userJoin").length, 0);
    await Promise.all([keyed.close(), other.close()]);
  });

  it("unavailable, after 5 s at the latest, when history is out of reach", async () => {
    const pid = stack.pid("historyd-0");
    process.kill(pid, "SIGSTOP");
    try {
      const started = Date.now();
      await assert.rejects(ann.say("main", "lost?", { cid: "again" }), ({ code }) => code === "unavailable");
      assert.ok(Date.now() - started < 7_000, `after ${Date.now() - started} ms`);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const ack = await until("it is stored now", () => ann.say("main", "lost?", { cid: "again" }));
    const { data } = await bob.take("updateChat", ({ data: { body } }) => body === "lost?");
    assert.equal(data.seq, ack.seq);
    await bob.roundTrip();
    assert.equal(bob.all("updateChat").filter(({ data: { body } }) => body === "lost?").length, 1, "stored once");
  });

  it("counts errors and closes by their codes, and says so in one line now and then", async () => {
    const counts = async () => {
      const metrics = await stack.metrics();
      const by = (name, code) => metrics[`parlor_${name}{service="gateway",id="0",code="${code}"}`];
      const total = metrics['parlor_errors_total{service="gateway",id="0"}'];
      return { total, bad: by("errors_by_code_total", "bad_event"), silent: by("closed_by_code_total", "4002"), by };
    };
    const before = await counts();
    assert.ok(before.bad > 0 && before.silent >= 0, JSON.stringify(before));
    const eve = await Client.join(stack, "eve", "counted");
    assert.equal((await eve.errorFor(frame("shout", {}))).code, "bad_event");
    await eve.close();
    const then = await counts();
    assert.deepEqual([then.bad, then.total], [before.bad + 1, before.total + 1]);
    const { body } = await stack.get("/metrics", { url: stack.metricsAt["gateway-0"] });
    assert.equal(body.match(/^# TYPE parlor_errors_by_code_total counter$/gm).length, 1);
    const lines = () => stack.log("gateway-0").split("\n").filter((text) => text.includes("what=refused"));
    const told = () => lines().reduce((sum, line) => sum + Number(/bad_event:(\d+)/.exec(line)?.[1] ?? 0), 0);
    await until("all are told of", () => told() === then.bad, 15_000);
    const times = lines().map((line) => Date.parse(/^time=(\S+)/.exec(line)[1]));
    for (let i = 1; i < times.length; i++) assert.ok(times[i] - times[i - 1] >= 9_900, lines().join("\n"));
  });

  it("counts the closes that no session decides: too large, not masked, going away", async () => {
    const by = async (code) => (await stack.metrics())[`parlor_closed_by_code_total{service="gateway",id="0",code="${code}"}`];
    const large = await by(1009);
    const unmasked = await by(1002);
    const eve = await Client.connect(stack);
    eve.raw("x".repeat(70_000));
    assert.equal((await eve.closed()).code, 1009);
    const raw = await (await Raw.connect(stack)).say(Buffer.from("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\x81\x02{}", "latin1"));
    await raw.closed;
    assert.deepEqual([await by(1009), await by(1002)], [large + 1, unmasked + 1]);
    const [one, two] = await Promise.all([Client.connect(stack), Client.connect(stack)]);
    await stack.restart("gateway-0", "SIGTERM");
    assert.deepEqual([(await one.closed()).code, (await two.closed()).code], [1001, 1001]);
    await until("the log says so", () => /what=refused .*closed="[^"]*1001:/.test(stack.log("gateway-0")));
  });
});

/** A masked frame as a client sends it, whatever is in it. */
function clientFrame(first, payload) {
  assert.ok(payload.length < 126);
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
