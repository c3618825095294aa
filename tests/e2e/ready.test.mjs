// SPDX-License-Identifier: MIT
// ready.test.mjs - what the gateway serves over HTTP: health, readiness, the web client.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";
import { REPO, Stack } from "./lib/stack.mjs";
import { until, within } from "./lib/wait.mjs";

describe("ready", () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  it("is healthy and ready", async () => {
    for (const target of ["/healthz", "/readyz"]) {
      const { status, headers, body } = await stack.get(target);
      assert.equal(status, 200);
      assert.match(headers["content-type"], /^application\/json/);
      assert.equal(typeof JSON.parse(body), "object");
      assert.equal(headers["x-parlor-gateway"], "0");
    }
  });

  for (const name of ["historyd-0", "roomd-0"]) {
    it(`says what is missing while ${name} stands still, and is ready again after it`, async () => {
      const pid = stack.pid(name);
      process.kill(pid, "SIGSTOP");
      try {
        const { body } = await until("/readyz says 503", async () => {
          const answer = await stack.get("/readyz");
          return answer.status === 503 && answer;
        });
        assert.ok(JSON.stringify(JSON.parse(body)).includes(name), body);
        assert.equal((await stack.get("/healthz")).status, 200, "alive all the same");
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await stack.ready();
    });
  }

  it("serves every file of the web client, with a policy against what is not ours", async () => {
    const files = readdirSync(path.join(REPO, "gateway/web")).filter((file) => /\.(html|js|css|svg)$/.test(file));
    for (const target of ["/", ...files.map((file) => `/${file}`)]) {
      const { status, headers, body } = await stack.get(target);
      assert.equal(status, 200, target);
      assert.ok(body.length > 0);
      const policy = headers["content-security-policy"];
      assert.match(policy, /default-src '(none|self)'/);
      assert.doesNotMatch(policy, /unsafe|https?:|\*/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      const again = await stack.get(target, { headers: { "If-None-Match": headers.etag } });
      assert.equal(again.status, 304, `${target} again`);
      assert.equal(again.body, "");
      assert.equal((await stack.get(target, { headers: { "If-None-Match": '"another"' } })).status, 200);
      const head = await stack.get(target, { method: "HEAD" });
      assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", headers["content-length"]]);
      for (const [, origin] of body.matchAll(/(?:src|href|import|from|url)\s*[=(]?\s*["'(]((?:https?:)?\/\/[^"')]+)/g)) {
        assert.fail(`${target} refers to ${origin}`);
      }
    }
    assert.match((await stack.get("/?room=main")).headers["content-type"], /^text\/html/);
  });

  it("gives 404 for what is not there, and nothing outside of the web client", async () => {
    const outside = [
      "/nothing", "/metrics", "/../CMakeLists.txt", "/..%2f..%2fCMakeLists.txt", "/../../README.md", "/%2e%2e/%2e%2e/etc/passwd", "/.%2e/.%2e/CMakeLists.txt",
      "/..%5c..%5cCMakeLists.txt", "//etc/passwd", "/app.js/..", "/app.js%00.html", "/%", "/%zz", "/./../shell_http.c",
      `/${"a".repeat(3000)}`,
    ];
    const webDir = path.join(REPO, "gateway/web");
    const webFiles = readdirSync(webDir).map((file) => readFileSync(path.join(webDir, file), "utf8"));
    for (const target of outside) {
      const { status, body } = await rawGet(target);
      const isOurs = status === 200 && webFiles.includes(body);
      assert.ok([400, 403, 404, 414, 0].includes(status) || isOurs, `${target}: ${status} ${body.slice(0, 80)}`);
      assert.doesNotMatch(body, /root:|project\(|shell_http/, target);
    }
    assert.equal((await rawGet("/nothing")).status, 404);
  });

  it("refuses other methods", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const { status } = await rawGet("/", method);
      assert.ok([400, 403, 404, 405, 501, 0].includes(status), `${method}: ${status}`);
    }
    assert.equal((await stack.get("/healthz")).status, 200);
  });

  it("is no WebSocket without an upgrade, and refuses origins of others", async () => {
    assert.equal((await stack.get("/ws")).status, 426);
    const url = `${stack.url.replace("http", "ws")}/ws`;
    const answer = (headers, target = url) => within(new Promise((resolve) => {
      const socket = new WebSocket(target, { headers });
      socket.on("open", () => { resolve(101); socket.terminate(); });
      socket.on("unexpected-response", (_, response) => { resolve(response.statusCode); response.resume(); });
      socket.on("error", () => resolve(0));
    }), "an answer to the upgrade");
    assert.equal(await answer({}), 101, "a client that is no browser has no origin");
    assert.equal(await answer({ Origin: stack.url }), 101);
    for (const origin of ["http://evil.example", "null", `${stack.url}.evil.example`, "http://127.0.0.1:1"]) {
      assert.equal(await answer({ Origin: origin }), 403, origin);
    }
    assert.notEqual(await answer({}, url.replace("/ws", "/other")), 101);
  });

  /** A request whose path nobody tidies up on the way; status 0 when the connection is just closed. */
  function rawGet(target, method = "GET") {
    return within(new Promise((resolve) => {
      let text = "";
      const socket = net.connect(stack.port, "127.0.0.1");
      const done = () => resolve({
        status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), body: text.split("\r\n\r\n").slice(1).join(""),
      });
      socket.setEncoding("utf8").on("data", (chunk) => { text += chunk; }).on("close", done).on("error", done);
      socket.write(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    }), `${method} ${target}`);
  }
});
