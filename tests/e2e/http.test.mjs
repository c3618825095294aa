// SPDX-License-Identifier: MIT
// http.test.mjs - HTTP as strangers, proxies and browsers write it: behind each other, in pieces, in odd forms, from elsewhere.
// http_slow.test.mjs has what comes too late, http_fuzz.test.mjs whatever nobody thought of.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { answerTo, Raw, talk, upgradeHead } from "./lib/http.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until, within } from "./lib/wait.mjs";

const HANDSHAKE = "/socket.io/?EIO=4&transport=polling";
const CHAT = "/socket.io/?EIO=4&transport=websocket";

/** A request's bytes; `fields` are lines, `host` null for none. */
const request = (method, target, { fields = [], body = "", host = "x", version = "1.1" } = {}) =>
  [`${method} ${target} HTTP/${version}`, ...(host === null ? [] : [`Host: ${host}`]), ...fields, "", body].join("\r\n");
const get = (target, options) => request("GET", target, options);
const sidOf = (answer) => JSON.parse(answer.body.slice(1)).sid;

describe("HTTP as bytes", () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  const post = (length, sid = "0-a") => request("POST", `${HANDSHAKE}&sid=${sid}`, { fields: [`Content-Length: ${length}`] });
  const PLAIN = ["/healthz", "/readyz", "/", "/nowhere", HANDSHAKE, "/socket.io/?EIO=9"];

  for (const path of PLAIN) {
    it(`answers ${path} once and closes, whatever comes behind it in the same packet`, async () => {
      for (const behind of [
        get(path),
        `${post(5)}hello`,
        post(3000) + "x".repeat(1500),
        post(0),
        "\r\n\r\n",
        "x".repeat(40_000),
      ]) {
        const answers = await talk(stack, get(path) + behind);
        assert.equal(answers.length, 1, `${answers.length} answers`);
        assert.equal(answers[0].headers.connection, "close");
        assert.equal((await stack.get("/healthz")).status, 200, "others are served");
      }
    });
  }

  it("answers a POST once, whatever comes behind its body", async () => {
    for (const behind of [`${post(5)}hello`, post(3000) + "x".repeat(1500), "hello".repeat(1000)]) {
      const answers = await talk(stack, `${post(5)}hello${behind}`);
      assert.deepEqual(answers.map((answer) => answer.status), [400]);
      assert.equal((await stack.get("/healthz")).status, 200, "others are served");
    }
  });

  it("takes a request in pieces, wherever they are cut", async () => {
    const whole = get("/healthz");
    for (let at = 1; at < whole.length; at += 3) {
      assert.equal((await answerTo(stack, [whole.slice(0, at), whole.slice(at)], undefined)).status, 200, `cut at ${at}`);
    }
    const bytes = [...`${post(5)}hello`];
    assert.equal((await answerTo(await Raw.connect(stack), bytes.map(String), { pauseMs: 1 })).status, 400);
  });

  it("answers whoever has closed their own side", async () => {
    for (const path of ["/healthz", "/app.js", HANDSHAKE]) {
      const raw = await Raw.connect(stack);
      raw.socket.end(get(path));
      assert.equal((await raw.answers())[0]?.status, 200, path);
    }
  });

  it("sends a large answer whole to who asked for more than one", async () => {
    const { body } = await stack.get("/app.js");
    const [answer] = await talk(stack, get("/app.js") + get("/app.js").repeat(500));
    assert.equal(Buffer.from(answer.body, "latin1").toString(), body);
  });

  for (const [what, bytes, status] of [
    ["two lengths", request("POST", HANDSHAKE, { fields: ["Content-Length: 1", "Content-Length: 2"] }), 400],
    ["a length and chunks", request("POST", HANDSHAKE, { fields: ["Content-Length: 1", "Transfer-Encoding: chunked"] }), 400],
    ["a coding that is not known", request("POST", HANDSHAKE, { fields: ["Transfer-Encoding: gzip"] }), 501],
    ["no host", get("/", { host: null }), 400],
    ["two hosts", get("/", { fields: ["Host: y"] }), 400],
    ["a folded line", get("/", { fields: ["X: a", " b"] }), 400],
    ["a space before the colon", get("/", { fields: ["X : a"] }), 400],
    ["a bare line feed", "GET / HTTP/1.1\nHost: x\n\n", 400],
    ["a bare carriage return", get("/", { fields: ["X: a\rb"] }), 400],
    ["another version", get("/", { version: "2.0" }), 505],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["a bare %", get("/%"), 400],
    ["%00", get("/app.js%00.html"), 400],
    ["an expectation that is not known", get("/", { fields: ["Expect: more"] }), 417],
    ["POST to a file", request("POST", "/app.js", { fields: ["Content-Length: 3"], body: "abc" }), 405],
    ["another method", request("DELETE", "/"), 405],
    ["CONNECT", request("CONNECT", "x:80"), 400],
    ["an upgrade of no path of ours", upgradeHead("/nowhere"), 404],
    ["an upgrade of another version", upgradeHead("/ws", { version: 8 }), 426],
    ["an upgrade without a key", upgradeHead("/ws", { key: "short" }), 400],
    ["an upgrade with subprotocols that are not ours", upgradeHead("/ws", { fields: ["Sec-WebSocket-Protocol: a, b"] }), 400],
    ["a subprotocol that is none", upgradeHead(CHAT, { fields: ["Sec-WebSocket-Protocol: a b"] }), 400],
    ["no WebSocket", get("/ws"), 426],
    ["bad chunks", request("POST", HANDSHAKE, { fields: ["Transfer-Encoding: chunked"], body: "x\r\n" }), 400],
    ["a body over the limit", request("POST", `${HANDSHAKE}&sid=0-a`, { fields: ["Content-Length: 70000"] }), 400],
    ["a head over the limit", get("/", { fields: [`X: ${"x".repeat(17_000)}`] }), 431],
    ["a query over the limit", get(`/?${"x".repeat(17_000)}`), 431],
  ]) {
    it(`refuses ${what} with ${status}`, async () => {
      const answer = await answerTo(stack, bytes);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.connection, "close");
    });
  }

  it("takes large heads up to their limit, with cookies and all", async () => {
    const fields = [`Cookie: a=${"x".repeat(7000)}`, `Authorization: Bearer ${"y".repeat(7000)}`];
    assert.equal((await answerTo(stack, get("/healthz", { fields }))).status, 200);
    assert.equal((await answerTo(stack, upgradeHead("/ws", { fields }), { isUpgrade: true })).status, 101);
  });

  it("reads the query as it stands in the target, however long", async () => {
    for (const before of [500, 520, 1300, 8000].map((size) => `token=${"A".repeat(size)}&`).concat("&", "&&", "=x&", "a%26sid%3Dabc=%26sid%3Dabc&")) {
      const opened = await answerTo(stack, get(`/socket.io/?${before}EIO=4&transport=polling&`));
      assert.equal(opened.status, 200, before.slice(0, 30));
      const target = `/socket.io/?${before}EIO=4&transport=polling&sid=${sidOf(opened)}`;
      assert.equal((await answerTo(stack, request("POST", target, { fields: ["Content-Length: 2"], body: "40" }))).body, "ok");
      assert.match((await answerTo(stack, get(target))).body, /^40\{/);
      assert.equal((await answerTo(stack, upgradeHead(`/socket.io/?${before}EIO=4&transport=websocket`), { isUpgrade: true })).status, 101);
    }
    assert.match((await answerTo(stack, get("/socket.io/?EIO=4&transport=polling&sid="))).body, /^0\{/, "sid= is no sid");
    assert.match((await answerTo(stack, get("/socket.io/?transport=polling"))).body, /^\d+:0\{/, "no EIO is revision 3");
  });

  it("ignores upgrades other than WebSocket", async () => {
    const fields = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"];
    for (const target of ["/healthz", "/readyz", "/", HANDSHAKE]) {
      assert.equal((await answerTo(stack, get(target, { fields }))).status, 200, target);
    }
    const sid = sidOf(await answerTo(stack, get(HANDSHAKE)));
    const answer = await answerTo(stack, request("POST", `${HANDSHAKE}&sid=${sid}`, { fields: [...fields, "Content-Length: 2"], body: "40" }));
    assert.equal(answer.body, "ok");
  });

  it("takes chunked bodies, and says 100 to who waits for it", async () => {
    const sid = sidOf(await answerTo(stack, get(HANDSHAKE)));
    const target = `${HANDSHAKE}&sid=${sid}`;
    const chunked = request("POST", target, { fields: ["Transfer-Encoding: chunked"] });
    assert.equal((await answerTo(stack, [chunked, "1;x=y\r\n4\r\n", "1\r\n0\r\n0\r\nT: t\r\n\r\n"])).body, "ok");
    assert.match((await answerTo(stack, get(target))).body, /^40\{/);
    const raw = await Raw.connect(stack);
    await raw.say(request("POST", target, { fields: ["Content-Length: 3", "Expect: 100-continue"] }));
    await until("100 Continue", () => raw.received.toString().startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
    await raw.say("421");
    assert.deepEqual((await raw.answers()).map(({ status }) => status), [100, 200]);
    const large = await answerTo(stack, [request("POST", `${HANDSHAKE}&sid=${sidOf(await answerTo(stack, get(HANDSHAKE)))}`,
      { fields: ["Transfer-Encoding: chunked"] }), `${(80_000).toString(16)}\r\n${"x".repeat(80_000)}\r\n`]);
    assert.equal(large.status, 413);
  });

  it("takes targets in absolute form", async () => {
    assert.equal((await answerTo(stack, get("http://chat.example/healthz"))).status, 200);
    assert.match((await answerTo(stack, get(`HTTP://chat.example:80${HANDSHAKE}`))).body, /^0\{/);
    assert.equal((await answerTo(stack, upgradeHead("ws://chat.example/ws"), { isUpgrade: true })).status, 101);
  });

  it("answers HEAD without a body, with the length that it would have", async () => {
    for (const target of ["/", "/healthz", "/nowhere", HANDSHAKE]) {
      const { status, headers } = await answerTo(stack, get(target));
      const [head] = await talk(stack, request("HEAD", target), { isHead: true });
      assert.equal(head.body, "", target);
      if (target !== HANDSHAKE) assert.deepEqual([head.status, head.headers["content-length"]], [status, headers["content-length"]]);
    }
  });

  for (const [target, offered, chosen] of [
    [CHAT, "my-proto", "my-proto"],
    [CHAT, "first, second", "first"],
    [CHAT, undefined, undefined],
    ["/ws", "parlor.v1", "parlor.v1"],
    ["/ws", `bearer.${"A".repeat(900)},parlor.v1`, "parlor.v1"],
    ["/ws", undefined, undefined],
  ]) {
    it(`chooses ${chosen ?? "no subprotocol"} when ${target.slice(0, 12)} is offered ${offered?.slice(0, 30) ?? "none"}`, async () => {
      const fields = offered ? [`Sec-WebSocket-Protocol: ${offered}`] : [];
      const answer = await answerTo(stack, upgradeHead(target, { fields }), { isUpgrade: true });
      assert.equal(answer.status, 101);
      assert.equal(answer.headers["sec-websocket-protocol"], chosen);
      assert.equal(answer.headers["x-parlor-gateway"], "0");
    });
  }

  /** A client's text frame. */
  const frame = (text, { isMasked = true, length = Buffer.byteLength(text) } = {}) => {
    const size = length < 126 ? [length] : [127, ...new Uint8Array(new BigUint64Array([BigInt(length)]).buffer).reverse()];
    size[0] |= isMasked ? 0x80 : 0;
    return Buffer.concat([Buffer.from([0x81, ...size, ...(isMasked ? [0, 0, 0, 0] : [])]), Buffer.from(text)]);
  };
  const joining = (user) => JSON.stringify({ event: "userJoin", data: { username: user, room: "behind" }, id: 1 });

  it("reads frames that came with the upgrade, in whatever pieces", async () => {
    const whole = Buffer.concat([Buffer.from(upgradeHead("/ws")), frame(joining("eve"))]);
    for (const cuts of [[], [whole.length - 1], [whole.length - 40], [10, 60], [whole.length - 110, whole.length - 50]]) {
      const ends = [0, ...cuts, whole.length];
      const raw = await Raw.connect(stack);
      await raw.say(ends.slice(1).map((end, i) => whole.subarray(ends[i], end)));
      await until(`the ack after cuts at ${cuts}`, () => raw.received.includes('"event":"ack","id":1'));
      raw.end();
    }
    const raw = await Raw.connect(stack);
    const many = Array.from({ length: 50 }, (_, i) => frame(JSON.stringify({ event: "nonsense", data: { x: "x".repeat(1000) }, id: i })));
    await raw.say(Buffer.concat([Buffer.from(upgradeHead("/ws")), ...many]));
    await until("fifty answers", () => raw.received.toString("latin1").match(/"id":\d+/g)?.length === 50);
    raw.end();
  });

  it("closes with 1002 when the first frame is not masked, as far as it came with the upgrade", async () => {
    const raw = await Raw.connect(stack);
    await raw.say(Buffer.concat([Buffer.from(upgradeHead("/ws")), frame(joining("mallory"), { isMasked: false })]));
    await within(raw.closed, "the end");
    assert.ok(raw.received.includes(Buffer.from([0x88, 2, 1002 >> 8, 1002 & 255])), raw.received.toString("latin1"));
  });

  it("closes with 1009 at the beginning of a frame that will be too long", async () => {
    for (const length of [70_000, 2 ** 40]) {
      const raw = await Raw.connect(stack);
      await raw.say([upgradeHead("/ws"), frame("x".repeat(300), { length })]);
      await within(raw.closed, "the end");
      assert.ok(raw.received.includes(Buffer.from([1009 >> 8, 1009 & 255])), raw.received.toString("latin1"));
    }
  });

  for (const [host, origin, isSame] of [
    ["chat.example", "https://chat.example", true],
    ["chat.example:443", "https://chat.example", true],
    ["chat.example:80", "http://chat.example", true],
    ["chat.example", "https://chat.example:443", true],
    ["chat.example", "https://chat.example/", true],
    ["chat.example:8080", "http://chat.example:8080/", true],
    ["CHAT.example", "https://chat.example", true],
    ["chat.example", "https://evil.example", false],
    ["chat.example", "https://chat.example.evil.example", false],
    ["chat.example:8080", "http://chat.example", false],
    ["chat.example", "null", false],
  ]) {
    it(`takes ${origin} at ${host} for ${isSame ? "the same" : "another"} origin`, async () => {
      const fields = [`Origin: ${origin}`];
      for (const target of ["/ws", CHAT]) {
        const answer = await answerTo(stack, upgradeHead(target, { host, fields }), { isUpgrade: isSame });
        assert.equal(answer.status, isSame ? 101 : 403, target);
      }
      assert.equal((await answerTo(stack, get(HANDSHAKE, { host, fields }))).status, isSame ? 200 : 403);
    });
  }
});

describe("listed origins and hosts", () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--allow-origin", "https://chat.example, http://a.example:8080  capacitor://localhost",
      "--hosts", "chat.example,127.0.0.1 [::1]"] });
  });
  after(() => stack?.stop());

  it("lets exactly the listed origins in, however they are written", async () => {
    for (const [origin, status] of [
      ["https://chat.example", 200], ["https://CHAT.example:443/", 200], ["http://a.example:8080", 200], ["capacitor://localhost", 200],
      ["http://chat.example", 403], ["https://a.example:8080", 403], ["http://127.0.0.1", 403], ["null", 403],
    ]) {
      const answer = await answerTo(stack, get(HANDSHAKE, { host: "127.0.0.1", fields: [`Origin: ${origin}`] }));
      assert.equal(answer.status, status, origin);
      assert.equal(answer.headers["access-control-allow-origin"], status === 200 ? origin : undefined);
    }
  });

  it("counts who is refused for their origin, by whatever request", async () => {
    const refused = async () => Object.entries(await stack.metrics()).find(([name]) => name.startsWith("parlor_origins_refused_total"))[1];
    const before = await refused();
    const options = { host: "127.0.0.1", fields: ["Origin: https://evil.example"] };
    await answerTo(stack, get(HANDSHAKE, options));
    await answerTo(stack, request("POST", `${HANDSHAKE}&sid=0-a`, { ...options, fields: [...options.fields, "Content-Length: 2"], body: "40" }));
    await answerTo(stack, upgradeHead("/ws", options));
    assert.equal(await refused(), before + 3);
  });

  it("serves the listed hosts only, and probes of its health by any", async () => {
    for (const [host, status] of [
      ["chat.example", 200], ["Chat.Example.:8080", 200], ["[::1]:80", 200],
      ["evil.example", 421], ["", 421], ["chat.example.evil.example", 421],
    ]) {
      assert.equal((await answerTo(stack, get("/", { host }))).status, status, host);
      assert.equal((await answerTo(stack, get(HANDSHAKE, { host }))).status, status, host);
      const answer = await answerTo(stack, upgradeHead("/ws", { host }), { isUpgrade: status === 200 });
      assert.equal(answer.status, status === 200 ? 101 : 421, host);
      assert.equal((await answerTo(stack, get("/healthz", { host }))).status, 200, host);
      assert.equal((await answerTo(stack, get("/readyz", { host }))).status, 200, host);
    }
    assert.equal((await answerTo(stack, get("/", { host: null, version: "1.0" }))).status, 421);
    assert.equal((await answerTo(stack, get("http://evil.example/", { host: "chat.example" }))).status, 421, "the target's host counts");
  });

  it("logs what a stranger wrote as one harmless value", async () => {
    await answerTo(stack, upgradeHead("/ws", { host: "127.0.0.1", fields: ['Origin: x" total=0 what="y\\'] }));
    await sleep(50);
    const line = await until("the line", () => stack.log("gateway-0").split("\n").find((text) => text.includes("origin_refused")));
    assert.match(line, /origin="[^" ]*" total=\d+$/);
    const ann = await Client.join(stack, "ann", "main");
    await ann.close();
  });
});
