// SPDX-License-Identifier: MIT
// relay.test.mjs - polls that reach the gateway which has not their session: each gateway has a port of its own here, so
// every request of these tests goes where it is meant to go.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import path from "node:path";
import { Raw } from "./lib/http.mjs";
import { Program } from "./lib/program.mjs";
import { bin, freePort, REPO, Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

describe("polls at the wrong gateway", () => {
  let stack;
  let port; // of the other gateway, number 1
  let other;
  const startOther = () => new Program(bin("parlor-gateway"), ["--host", "127.0.0.1", "--port", port, "--id", 1, "--rate", 0,
    "--roomd", stack.address("roomd-0"), "--historyd", stack.address("historyd-0"), "--bind", stack.address("gateway-1"),
    "--web", path.join(REPO, "gateway/web")]);
  const handshake = async (at) => JSON.parse((await get(at, "")).body.slice(1));
  const meet = () => until("the gateways know each other", async () => {
    for (const at of [stack.port, port]) if ((await handshake(at)).upgrades.length > 0) return false;
    return true;
  });
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0"] });
    port = await freePort();
    other = startOther();
    await meet();
  });
  after(async () => {
    await other?.stop();
    await stack?.stop();
  });

  const target = (sid) => `/socket.io/?EIO=4&transport=polling${sid ? `&sid=${sid}` : ""}`;
  const head = (sid, method = "GET", more = "") => `${method} ${target(sid)} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
  const posting = (sid, body) => head(sid, "POST", `Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`);
  /** Says the parts in packets of their own; the answer. */
  const ask = async (at, parts, pauseMs) => (await (await (await Raw.connect({ port: at })).say(parts, pauseMs)).answers())[0];
  const get = (at, sid) => ask(at, head(sid));
  const post = (at, sid, body) => ask(at, posting(sid, body) + body);
  /** A session of the gateway at this port that has joined a room, each request of it at `at`. */
  const texts = new Map(); // what each was greeted with
  async function join(home, at, username, room, more = {}) {
    const { sid } = await handshake(home);
    assert.equal((await post(at, sid, "40")).body, "ok");
    await get(at, sid);
    assert.equal((await post(at, sid, `420${JSON.stringify(["userJoin", { username, room, ...more }])}`)).body, "ok");
    let text = "";
    while (!text.includes("430[") || !text.includes("msgHistory")) text += (await get(at, sid)).body;
    texts.set(sid, text);
    return sid;
  }
  const say = async (at, sid, id, room, body) => {
    assert.equal((await post(at, sid, `42${id}${JSON.stringify(["updateChat", { room, body }])}`)).body, "ok");
    for (let text = ""; ;) {
      const answer = await get(at, sid);
      assert.equal(answer.status, 200, answer.body);
      text += answer.body;
      if (text.includes(`43${id}[`)) return text;
    }
  };

  it("are answered, whatever way their bytes come in", async () => {
    const sid = await join(stack.port, port, "ann", "pieces");
    const hello = `421${JSON.stringify(["updateChat", { room: "pieces", body: "hello" }])}`;
    const long = head(sid).replace("EIO=4", `token=${"x".repeat(3000)}&EIO=4`);
    assert.equal((await ask(port, [posting(sid, hello), hello.slice(0, 9), hello.slice(9)], 500)).body, "ok");
    assert.match((await ask(port, [head(sid).slice(0, 9), head(sid).slice(9)], 1500)).body, /431\[/);
    const waiting = ask(port, long);
    await post(stack.port, sid, hello.replace("421", "422"));
    assert.match((await waiting).body, /432\[/);
  });

  it("wait as long as at their own gateway, in both directions", async () => {
    for (const [home, at] of [[stack.port, port], [port, stack.port]]) {
      const room = `waiting ${at}`;
      const sid = await join(home, at, "bob", room);
      const waiting = get(at, sid);
      await new Promise((resolve) => { setTimeout(resolve, 9000); }); // longer than an owner may be silent
      assert.equal((await post(at, sid, `427${JSON.stringify(["updateChat", { room, body: "late" }])}`)).body, "ok");
      assert.match((await waiting).body, /437\[/);
    }
  });

  it("end their session when the client hangs up, as at their own gateway", async () => {
    const sid = await join(stack.port, port, "cid", "gone");
    const raw = await (await Raw.connect({ port })).say(head(sid));
    await new Promise((resolve) => { setTimeout(resolve, 500); });
    raw.end();
    await until("the session is gone", async () => (await post(stack.port, sid, "3")).status === 400);
  });

  it("are refused for sids that nobody gave, and others never notice", async () => {
    const sid = await join(stack.port, port, "dan", "invented");
    const lies = Array.from({ length: 200 }, (_, i) => get(port, `${i.toString(16)}-${"0".repeat(32)}`));
    assert.match(await say(port, sid, 1, "invented", "meanwhile"), /431\[/);
    for (const { status, body } of await Promise.all(lies)) {
      assert.deepEqual([status, JSON.parse(body).code], [400, 1]);
    }
    assert.match(await say(port, sid, 2, "invented", "afterwards"), /432\[/);
  });

  it("come back clean as upgrades", async () => {
    const { sid } = await handshake(stack.port);
    const upgrade = `GET /socket.io/?EIO=4&transport=websocket&sid=${sid} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    assert.equal((await ask(port, upgrade)).status, 400);
    assert.equal((await post(port, sid, "40")).body, "ok");
  });

  it("go elsewhere when the gateway between is killed, and end when the owner is", async () => {
    for (let round = 0; round < 3; round++) { // it comes back at the same address each time
      const sid = await join(stack.port, port, `eve ${round}`, "kills");
      const cut = Raw.connect({ port }).then((raw) => raw.say(posting(sid, "3").slice(0, 20)));
      await cut;
      await say(stack.port, sid, 4, "kills", "so the owner knows that all has arrived");
      other.child.kill("SIGKILL");
      await other.ended;
      assert.match(await say(stack.port, sid, 5, "kills", "by way of the owner"), /435\[/);
      other = startOther();
      await until("it serves", async () => (await handshake(port)).upgrades.length === 0);
      assert.match(await say(port, sid, 6, "kills", "by way of the other again"), /436\[/);

      const foreign = await join(port, stack.port, `fay ${round}`, "kills");
      const waiting = get(stack.port, foreign);
      await new Promise((resolve) => { setTimeout(resolve, 200); });
      other.child.kill("SIGKILL");
      await other.ended;
      other = startOther();
      const answer = await waiting;
      assert.deepEqual([answer.status, JSON.parse(answer.body).code], [400, 1]);
      await meet();
    }
  });

  it("never lose what the gateway between takes with it when it is killed", async () => {
    const writer = await join(stack.port, stack.port, "hal", "taken");
    const sid = await join(stack.port, port, "gus", "taken");
    const raw = await (await Raw.connect({ port })).say(head(sid));
    await say(stack.port, writer, 1, "taken", "first");
    await until("the answer is out", () => raw.received.includes("first")); // and not acknowledged: we are still there
    other.child.kill("SIGKILL");
    await other.ended;
    await say(stack.port, writer, 2, "taken", "second");
    // Whoever did not get it, as a proxy that asks again, must not go on with what is newer.
    const next = (await (await (await Raw.connect(stack)).say(head(sid))).answers(20_000))[0];
    assert.deepEqual([next.status, next.body], [200, "1"]);
    raw.end();
    other = startOther();
    await meet();
    const again = await join(port, port, "gus", "taken", { since: 0 });
    assert.match(texts.get(again), /"first".*"second"/);
  });
});
