// SPDX-License-Identifier: MIT
// sio_http.test.mjs - Engine.IO as it stands on the wire: handshakes, error codes, CORS, and what ends a session.
// The protocol authors' own suites run against tests/conformance; this is what a browser or a proxy would see of the gateway.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";
import { Stack } from "./lib/stack.mjs";
import { within } from "./lib/wait.mjs";

describe("Engine.IO on the wire", () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--allow-origin", "https://chat.example", "--ping-interval", "1000", "--ping-timeout", "1500"] });
  });
  after(() => stack?.stop());

  /** One request: { status, headers, body }. */
  const ask = (query, { method = "GET", headers = {}, body } = {}) => within(new Promise((resolve, reject) => {
    const request = http.request(`${stack.url}/socket.io/?${query}`, { method, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (more) => { text += more; });
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: text }));
    });
    request.on("error", reject).end(body);
  }), `${method} ${query}`);
  const open = async () => JSON.parse((await ask("EIO=4&transport=polling")).body.slice(1)).sid;
  const post = (sid, body, headers = {}) => ask(`EIO=4&transport=polling&sid=${sid}`, { method: "POST", body, headers });
  const poll = (sid) => ask(`EIO=4&transport=polling&sid=${sid}`);

  it("shakes hands with exactly five members", async () => {
    const { status, headers, body } = await ask("EIO=4&transport=polling&t=abc");
    assert.equal(status, 200);
    assert.match(headers["content-type"], /^text\/plain; charset=UTF-8$/i);
    assert.equal(headers["cache-control"], "no-store");
    const open = JSON.parse(body.slice(1));
    assert.equal(body[0], "0");
    assert.deepEqual(Object.keys(open), ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]);
    assert.deepEqual(open.upgrades, ["websocket"]);
    assert.equal(open.pingInterval, 1000);
    assert.equal(open.pingTimeout, 1500);
  });

  it("answers revision 3 with lengths, and connects it at once", async () => {
    const { body } = await ask("EIO=3&transport=polling&b64=1");
    const [, length] = /^(\d+):/.exec(body);
    const first = body.slice(length.length + 1, length.length + 1 + Number(length));
    assert.equal(first[0], "0");
    assert.equal(body.slice(length.length + 1 + Number(length)), "2:40");
  });

  for (const [what, query, options, status, code] of [
    ["an unknown transport", "EIO=4&transport=abc", {}, 400, 0],
    ["no transport", "EIO=4", {}, 400, 0],
    ["an unknown sid", "EIO=4&transport=polling&sid=0-nobody", {}, 400, 1],
    ["a sid that is none", "EIO=4&transport=polling&sid=g0+~!", {}, 400, 1],
    ["a POST without a sid", "EIO=4&transport=polling", { method: "POST", body: "40" }, 400, 2],
    ["a PUT", "EIO=4&transport=polling", { method: "PUT" }, 400, 2],
    ["a WebSocket that is none", "EIO=4&transport=websocket", {}, 400, 3],
    ["a foreign origin", "EIO=4&transport=polling", { headers: { origin: "https://evil.example" } }, 403, 4],
    ["a revision that never was", "EIO=5&transport=polling", {}, 400, 5],
  ]) {
    it(`refuses ${what} with ${status} and code ${code}`, async () => {
      const answer = await ask(query, options);
      assert.equal(answer.status, status, answer.body);
      assert.equal(JSON.parse(answer.body).code, code);
      assert.match(answer.headers["content-type"], /^application\/json/);
    });
  }

  it("lets listed origins read answers and errors, with their cookies", async () => {
    const headers = { origin: "https://chat.example" };
    for (const query of ["EIO=4&transport=polling", "EIO=4&transport=abc"]) {
      const answer = await ask(query, { headers });
      assert.equal(answer.headers["access-control-allow-origin"], "https://chat.example");
      assert.equal(answer.headers["access-control-allow-credentials"], "true");
      assert.equal(answer.headers.vary, "Origin");
    }
    const preflight = await ask("EIO=4&transport=polling", {
      method: "OPTIONS", headers: { ...headers, "access-control-request-method": "POST", "access-control-request-headers": "x-token" },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers["access-control-allow-methods"], "GET, POST");
    assert.equal(preflight.headers["access-control-allow-headers"], "x-token");
    const none = await ask("EIO=4&transport=polling");
    assert.equal(none.headers["access-control-allow-origin"], undefined);
  });

  it("connects, and refuses other namespaces", async () => {
    const sid = await open();
    assert.equal((await post(sid, "40\u001e40/other,")).body, "ok");
    const packets = (await poll(sid)).body.split("\u001e");
    assert.match(packets[0], /^40\{"sid":"[^"]+"\}$/);
    assert.notEqual(JSON.parse(packets[0].slice(2)).sid, sid, "the session's own sid is a secret");
    assert.equal(packets[1], '44/other,{"message":"Invalid namespace"}');
  });

  for (const [what, bodies] of [
    ["a packet that is none", ["abc"]],
    ["an event before CONNECT", ['42["userJoin",{}]']],
    ["an event that is no array", ["40", "42{}"]],
    ["a reserved event", ["40", '42["disconnect"]']],
    ["an ack id that is none", ["40", '42x["userJoin",{}]']],
    ["a second CONNECT", ["40", "40"]],
    ["a CONNECT_ERROR", ["40", "44"]],
    ["bytes that were not announced", ["40", "bAQID"]],
    ["text among attachments", ["40", '451-["updateChat",{"_placeholder":true,"num":0}]\u001e42["x"]']],
    ["too many attachments", ["40", '4511-["updateChat"]']],
  ]) {
    it(`ends a session after ${what}`, async () => {
      const sid = await open();
      for (const body of bodies) await post(sid, body);
      const end = await poll(sid);
      const isOver = end.status === 400 || end.body.split("\u001e").at(-1) === "1";
      assert.ok(isOver, `${end.status} ${end.body}`);
      assert.equal((await poll(sid)).status, 400);
    });
  }

  it("says what is wrong with an event that is no JSON, and goes on", async () => {
    const sid = await open();
    await post(sid, "40");
    await post(sid, '427["userJoin",{]');
    const { body } = await poll(sid);
    assert.match(body, /437\[\{"error":\{"code":"bad_json"/);
    await post(sid, '428["history",{"room":"nowhere"}]');
    assert.match((await poll(sid)).body, /438\[\{"error":\{"code":"not_joined"/);
  });

  it("answers a poll that two ask for at once with the end", async () => {
    const sid = await open();
    const first = poll(sid);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal((await poll(sid)).status, 400);
    assert.deepEqual([(await first).status, (await first).body], [200, "1"]);
    assert.equal((await poll(sid)).status, 400);
  });

  it("refuses a body that is too large", async () => {
    const sid = await open();
    const answer = await post(sid, "x".repeat(70_000)).catch((error) => ({ status: 413, code: error.code }));
    assert.equal(answer.status, 413);
    assert.equal((await poll(sid)).status, 400);
  });

  it("refuses bytes of revision 4, and survives a body in pieces", async () => {
    const sid = await open();
    assert.equal((await post(sid, "40", { "content-type": "application/octet-stream" })).status, 400);
    const other = await open();
    const whole = Buffer.from('40\u001e420["userJoin",{"username":"grüß","room":"cut"}]');
    await within(new Promise((resolve, reject) => {
      const request = http.request(`${stack.url}/socket.io/?EIO=4&transport=polling&sid=${other}`, {
        method: "POST", agent: false, headers: { "content-length": whole.length },
      }, (answer) => answer.resume().on("end", resolve));
      request.on("error", reject);
      for (const byte of whole) request.write(Buffer.from([byte]));
      request.end();
    }), "the body is taken");
    let text = "";
    while (!text.includes("430[")) text += (await poll(other)).body;
    assert.match(text, /430\[\{"room":"cut","username":"grüß"\}\]/);
  });

  it("ends who does not answer pings", async () => {
    const sid = await open();
    assert.equal((await poll(sid)).body, "2");
    await new Promise((resolve) => setTimeout(resolve, 1800));
    assert.equal((await poll(sid)).status, 400);
    const socket = new WebSocket(`${stack.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
    await within(new Promise((resolve) => { socket.on("close", resolve); }), "the silent socket is closed");
  });
});
