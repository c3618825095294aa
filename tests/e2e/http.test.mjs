// SPDX-License-Identifier: MIT
// http.test.mjs - bytes that arrive as no client library would send them: requests behind each other, in pieces, too late.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { talk } from "./lib/http.mjs";
import { Stack } from "./lib/stack.mjs";

describe("HTTP as bytes", () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  const post = (length) =>
    `POST /socket.io/?EIO=4&transport=polling&sid=0-a HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
  const PLAIN = ["/healthz", "/readyz", "/metrics", "/", "/nowhere", "/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=9"];

  for (const path of PLAIN) {
    it(`answers ${path} once and closes, whatever comes behind it in the same packet`, async () => {
      const get = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
      for (const behind of [
        get,
        `${post(5)}hello`,
        post(3000) + "x".repeat(1500),
        post(0),
        "\r\n\r\n",
        "x".repeat(40_000),
      ]) {
        const answers = await talk(stack, get + behind);
        assert.equal(answers.length, 1, `${answers.length} answers`);
        assert.equal(answers[0].headers.connection, "close");
        assert.equal((await stack.get("/healthz")).status, 200, "others are served");
      }
    });
  }

  it("answers a POST at most once, whatever comes behind its body", async () => {
    for (const behind of [`${post(5)}hello`, post(3000) + "x".repeat(1500), "hello".repeat(1000)]) {
      const answers = await talk(stack, `${post(5)}hello${behind}`);
      assert.ok(answers.length <= 1, `${answers.length} answers`);
      assert.equal((await stack.get("/healthz")).status, 200, "others are served");
    }
  });
});
