// SPDX-License-Identifier: MIT
// tls.test.mjs - a gateway that ends TLS itself: who is served, who is refused, a new certificate under traffic, and
// what strangers may do to it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import tls from "node:tls";
import { promisify } from "node:util";
import { launch, Person } from "./lib/browser.mjs";
import { makeCertificates } from "./lib/certificates.mjs";
import { Client } from "./lib/client.mjs";
import { Raw, readAnswers, upgradeHead } from "./lib/http.mjs";
import { run } from "./lib/program.mjs";
import { KINDS, SioClient } from "./lib/sio.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until, within } from "./lib/wait.mjs";

const HSTS_S = 2_592_000;
const HALF = 1000; // handshakes that are never whole
const plain = ({ port }) => ({ port }); // the same port, without TLS

/** The metric, of the only gateway. */
const metric = async (stack, name) =>
  Object.entries(await stack.metrics()).find(([key]) => key.startsWith(`parlor_${name}{`))?.[1];

/** A TLS connection of node's own: { protocol, alpn, serial }. */
const shake = (stack, options = {}) => within(new Promise((resolve, reject) => {
  const socket = tls.connect({ port: stack.port, host: "127.0.0.1", ca: stack.ca, ...options }, () => {
    resolve({ protocol: socket.getProtocol(), alpn: socket.alpnProtocol, serial: socket.getPeerCertificate().serialNumber });
    socket.destroy();
  });
  socket.on("error", reject);
}), "a handshake");

describe("TLS", () => {
  let stack;
  before(async () => { stack = await Stack.start({ tls: true, gatewayOptions: ["--rate", "0"] }); });
  after(() => stack?.stop());

  it("serves the web client's files with HSTS, and says so in the log", async () => {
    const { status, headers, body } = await stack.get("/");
    assert.equal(status, 200);
    assert.equal(headers["strict-transport-security"], `max-age=${HSTS_S}`);
    assert.match(body, /<!doctype html>/i);
    for (const target of ["/nowhere", "/healthz", "/socket.io/?EIO=4&transport=polling"]) {
      assert.ok((await stack.get(target)).headers["strict-transport-security"], target);
    }
    assert.match(stack.output, /Parlor is ready: https:/);
    assert.match(stack.log("gateway-0"), /what=listening .*tls=yes/);
    assert.match(stack.log("gateway-0"), /what=tls_certificate file="\S+" days_left=(29|30)\b/);
  });

  it("speaks TLS 1.2 and 1.3, and nothing older", async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"]) {
      const { protocol, alpn } = await shake(stack, { minVersion: version, maxVersion: version, ALPNProtocols: ["h2", "http/1.1"] });
      assert.deepEqual([protocol, alpn], [version, "http/1.1"]);
    }
    for (const version of ["TLSv1", "TLSv1.1"]) {
      const old = { minVersion: version, maxVersion: version, ciphers: "DEFAULT:@SECLEVEL=0" };
      await assert.rejects(shake(stack, old), /alert protocol version|ECONNRESET/);
    }
    assert.equal((await shake(stack, { ALPNProtocols: ["h2"] })).alpn, false, "whoever only offers what is not spoken gets no answer");
  });

  for (const { name, ...kind } of KINDS) {
    it(`serves Socket.IO ${name}`, async () => {
      const ann = await SioClient.join(stack, `ann ${name}`, name, kind);
      const bob = await SioClient.join(stack, `bob ${name}`, name, kind);
      await ann.say(name, "over TLS");
      await bob.take("updateChat", ({ data }) => data.body === "over TLS");
      ann.close();
      bob.close();
    });
  }

  it("serves people in a browser", async () => {
    const browser = await launch();
    try {
      const context = { ignoreHTTPSErrors: true };
      const ann = await Person.arrive(browser, stack.url, { name: "ann", room: "web", context });
      const bob = await Person.arrive(browser, stack.url, { name: "bob", room: "web", context });
      await ann.say("by wss");
      await bob.reads("by wss");
      assert.deepEqual([...ann.complaints, ...bob.complaints], []);
    } finally {
      await browser.close();
    }
  });

  it("takes pages of its own https origin, and of no http one", async () => {
    const origin = async (text) => {
      const raw = await (await Raw.connect(stack)).say(upgradeHead("/ws", { host: `127.0.0.1:${stack.port}`, fields: [`Origin: ${text}`] }));
      await until("an answer", () => raw.received.includes("\r\n\r\n"));
      raw.end();
      return readAnswers(raw.received.subarray(0, raw.received.indexOf("\r\n\r\n") + 4))[0].status;
    };
    assert.equal(await origin(`https://127.0.0.1:${stack.port}`), 101);
    assert.equal(await origin(`http://127.0.0.1:${stack.port}`), 403);
  });

  it("gives close codes, large messages and hang-ups on, both ways", async () => {
    const ann = await Client.join(stack, "carl", "ends");
    const bob = await Client.join(stack, "dora", "ends");
    const body = "x".repeat(4000);
    await Promise.all(Array.from({ length: 200 }, () => ann.say("ends", body)));
    await until("all of it", () => bob.all("updateChat", "ends").length === 200);
    bob.cut();
    await ann.sees("ends", ["carl"]);
    ann.raw("x".repeat(100_000));
    assert.equal((await ann.closed()).code, 1009);
    const eve = await Client.join(stack, "eve", "ends");
    eve.socket.close(4321, "mine");
    assert.equal((await eve.closed()).code, 4321);
    await until("nothing is left behind", async () => await metric(stack, "tls_connections") === 0);
  });

  it("tells whoever speaks plain HTTP, and ends whoever speaks neither", async () => {
    const raw = await (await Raw.connect(plain(stack))).say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const [answer] = await raw.answers();
    assert.equal(answer.status, 400);
    assert.match(answer.body, /TLS/);
    const failed = await metric(stack, "tls_handshakes_failed_total");
    for (const nonsense of ["\0".repeat(50), "nonsense\r\n\r\n", Buffer.from("1603010200010001fc0303", "hex"), "\x16\x03\x01\xff\xff"]) {
      const other = await (await Raw.connect(plain(stack))).say(nonsense);
      other.socket.end();
      await within(other.closed, `the end after ${JSON.stringify(nonsense)}`);
      other.end();
    }
    await until("they are counted", async () => await metric(stack, "tls_handshakes_failed_total") >= failed + 4);
  });

  it(`ends ${HALF} handshakes that are never whole within their time, and locks nobody out meanwhile`, async () => {
    const hello = Buffer.from("160301020001", "hex"); // the beginning of a ClientHello
    const ann = await Client.join(stack, "fred", "crowd");
    const half = await Promise.all(Array.from({ length: HALF }, () => Raw.connect(plain(stack))));
    const begin = Date.now();
    half.forEach((raw) => raw.say(hello));
    for (let n = 0; n < 5; n++) {
      const from = Date.now();
      const guest = await Client.join(stack, `guest ${n}`, "crowd");
      await ann.say("crowd", `hello ${n}`);
      await guest.take("updateChat", ({ data }) => data.body === `hello ${n}`);
      assert.ok(Date.now() - from < 3000, "somebody new comes in");
      await guest.close();
    }
    await within(Promise.all(half.map((raw) => raw.closed)), "all of them end", 20_000);
    assert.ok(Date.now() - begin < 15_000);
    half.forEach((raw) => raw.end());
    await until("none is under way", async () => await metric(stack, "tls_handshakes") === 0);
  });

  it("takes a new certificate on HUP: who is there stays, who comes gets it; a bad one changes nothing", async () => {
    const { certificates } = stack;
    const ann = await Client.join(stack, "gina", "renewal");
    const bob = await Client.join(stack, "hugo", "renewal");
    const hangUp = () => process.kill(stack.pid("gateway-0"), "SIGHUP");
    let isOver = false;
    const traffic = (async () => {
      for (let n = 0; !isOver; n++) await ann.say("renewal", `number ${n}`);
    })();
    const next = await certificates.renew({ days: 3 });
    hangUp();
    await until("a newcomer sees it", async () => (await shake(stack)).serial === next);
    assert.match(stack.log("gateway-0"), /level=warn .*what=tls_certificate_ends .*days_left=[23]\b/);
    const [good, end] = [readFileSync(certificates.cert), await metric(stack, "tls_certificate_end_seconds")];
    assert.ok(Math.abs(end - Date.now() / 1000 - 3 * 86_400) < 600, `${end}`);
    for (const [bad, why] of [["nonsense", /what=tls_certificate_refused why="--tls-cert/], [readFileSync(certificates.caFile), /why="--tls-key/]]) {
      writeFileSync(certificates.cert, bad);
      hangUp();
      await until("it is refused", () => why.test(stack.log("gateway-0")));
      assert.equal((await shake(stack)).serial, next);
    }
    writeFileSync(certificates.cert, good);
    isOver = true;
    await traffic;
    await ann.say("renewal", "last");
    await bob.take("updateChat", ({ data }) => data.body === "last");
    assert.deepEqual([ann.close_, bob.close_], [null, null]);
    const seen = bob.all("updateChat", "renewal").map(({ data }) => data.seq);
    assert.deepEqual(seen, seen.map((_, i) => seen[0] + i), "nothing is lost");
    await Promise.all([ann.close(), bob.close()]);
  });

  it("gives an answer whole to a client that has ended its own half, and one that is cut off is noticed", async () => {
    const { stdout } = await promisify(execFile)("openssl", ["s_client", "-quiet", "-connect", `127.0.0.1:${stack.port}`, "-CAfile", stack.certificates.caFile],
      { timeout: 10_000 }).catch((error) => error); // its input ends at once, so it says nothing
    assert.equal(stdout, "");
    const raw = await Raw.connect(stack);
    raw.socket.write("GET /app.js HTTP/1.1\r\nHost: x\r\n\r\n");
    const [answer] = await raw.answers();
    assert.equal(Number(answer.headers["content-length"]), answer.body.length);
  });
});

describe("TLS options", () => {
  let made;
  before(async () => { made = await makeCertificates(); });
  after(() => made.remove());

  const args = (...more) => ["--port", 0, "--roomd", "ipc:///tmp/none-r", "--historyd", "ipc:///tmp/none-h", ...more];

  it("are refused with one line when something is wrong", async () => {
    const other = `${made.dir}/other.pem`;
    copyFileSync(made.caFile, other);
    for (const [options, status, pattern] of [
      [["--tls-cert", made.cert], 2, /--tls-cert and --tls-key/],
      [["--tls-key", made.key], 2, /--tls-cert and --tls-key/],
      [["--tls-cert", made.cert, "--tls-key", made.key, "--tls-threads", 0], 2, /--tls-threads/],
      [["--tls-cert", "/nowhere", "--tls-key", made.key], 1, /--tls-cert: .*\/nowhere/],
      [["--tls-cert", made.key, "--tls-key", made.key], 1, /--tls-cert/],
      [["--tls-cert", made.cert, "--tls-key", made.cert], 1, /--tls-key/],
      [["--tls-cert", other, "--tls-key", made.key], 1, /--tls-key: .*mismatch/],
    ]) {
      const result = await run("parlor-gateway", args(...options));
      assert.equal(result.status, status, result.stderr);
      const lines = result.stderr.split("\n").filter((line) => line.startsWith("parlor-gateway: "));
      assert.equal(lines.length, 1, result.stderr);
      assert.match(lines[0], pattern);
    }
  });
});

describe("TLS by several threads", () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ tls: true, gatewayOptions: ["--rate", "0", "--tls-threads", "3", "--hsts", "0", "--stall-timeout", "3000"] });
  });
  after(() => stack?.stop());

  it("serves a room of many, and says nothing of HSTS when told so", async () => {
    assert.equal((await stack.get("/")).headers["strict-transport-security"], undefined);
    const people = await Promise.all(Array.from({ length: 60 }, (_, n) => Client.join(stack, `person ${n}`, "hall")));
    await people[0].say("hall", "to all");
    await Promise.all(people.slice(1).map((person) => person.take("updateChat", ({ data }) => data.body === "to all")));
    await Promise.all(people.map((person) => person.close()));
  });

  it("waits for whoever reads slowly, and closes whoever reads nothing", async () => {
    const writer = await Client.join(stack, "writer", "busy");
    const [deaf, slow] = [await Client.join(stack, "deaf", "busy"), await Client.join(stack, "slow", "busy")];
    deaf.socket.pause();
    slow.socket.pause();
    // A little now and then is progress, whatever the time that it takes in all.
    let isSlow = true;
    const sipping = (async () => {
      while (isSlow) {
        slow.socket.resume();
        await sleep(5);
        slow.socket.pause();
        await sleep(400);
      }
      slow.socket.resume();
    })();
    for (let at = 0; at < 3000; at += 100) await Promise.all(Array.from({ length: 100 }, () => writer.say("busy", "x".repeat(3500))));
    await writer.sees("busy", ["slow", "writer"], 20_000);
    assert.equal(slow.close_, null);
    isSlow = false;
    await sipping;
    await until("the slow one has all", () => slow.all("updateChat", "busy").at(-1)?.data.seq === 3000, 60_000);
    deaf.cut();
  });

  it("ends without a word only what nobody waits for: a stop tells everybody", async () => {
    const ann = await Client.join(stack, "ann", "end");
    process.kill(stack.pid("gateway-0"), "SIGTERM");
    assert.equal((await ann.closed(15_000)).code, 1001);
    await until("it is back", async () => (await stack.get("/healthz").catch(() => ({}))).status === 200, 20_000);
  });

  it("has no room for ends that are never read, and frees what it held", async () => {
    const open = () => new Promise((resolve) => {
      const socket = net.connect({ port: stack.port, host: "127.0.0.1" }, () => resolve(socket));
      socket.on("error", () => {});
    });
    const sockets = await Promise.all(Array.from({ length: 50 }, open));
    sockets.forEach((socket) => socket.resetAndDestroy());
    await until("all are gone", async () => await metric(stack, "tls_handshakes") === 0 && await metric(stack, "tls_connections") === 0);
  });
});
