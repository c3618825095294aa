// SPDX-License-Identifier: MIT
// sio_browser.test.mjs - the example page (deploy/examples) with the Socket.IO clients from npm, in a real browser, from
// another origin than Parlor's.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { launch } from "./lib/browser.mjs";
import { Client } from "./lib/client.mjs";
import { REPO, Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const require = createRequire(import.meta.url);
const inPackage = (name, file) => path.join(path.dirname(require.resolve(`${name}/package.json`)), file);
const LIBRARIES = {
  "4.x": inPackage("socket.io-client", "dist/socket.io.min.js"),
  "2.x": inPackage("socket.io-client-2", "dist/socket.io.js"),
  "1.x": inPackage("socket.io-client-1", "dist/socket.io.js"),
};

describe("the example page", () => {
  let stack;
  let browser;
  let site;
  let origin;
  let library;
  before(async () => {
    const page = readFileSync(path.join(REPO, "deploy/examples/chat.html"));
    site = http.createServer((request, answer) => {
      const isScript = request.url.endsWith("/socket.io.min.js");
      answer.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html; charset=utf-8" });
      answer.end(isScript ? readFileSync(library) : page);
    });
    await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${site.address().port}`;
    stack = await Stack.start({ gateways: 2, gatewayOptions: ["--allow-origin", origin] });
    await until("the gateways know each other", async () => {
      const open = await (await fetch(`${stack.url}/socket.io/?EIO=4&transport=polling`)).text();
      return JSON.parse(open.slice(1)).upgrades.length === 0;
    });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    site?.close();
    await stack?.stop();
  });

  async function arrive(name, room) {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.complaints = [];
    page.on("pageerror", (error) => page.complaints.push(String(error)));
    page.on("console", (message) => { if (message.type() === "error") page.complaints.push(message.text()); });
    page.on("dialog", (dialog) => dialog.accept());
    await page.goto(`${origin}/chat.html?${new URLSearchParams({ server: stack.url, name, room })}`);
    return page;
  }
  const lines = (page) => page.locator("#log li").allTextContents();
  const say = async (page, text) => {
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  };

  for (const [version, file] of Object.entries(LIBRARIES)) {
    it(`works with socket.io-client ${version}`, async () => {
      library = file;
      const room = `example ${version}`;
      const [ann, bob] = [`ann ${version}`, `bob ${version}`];
      const first = await arrive(ann, room);
      await until("ann is in", async () => (await first.locator("#users").textContent()) === ann);
      await say(first, "is anybody here?");
      await until("her message is there", async () => (await lines(first)).includes(`${ann}: is anybody here?`));
      const second = await arrive(bob, room);
      await until("bob has the history", async () => (await lines(second)).includes(`${ann}: is anybody here?`));
      await until("ann sees bob", async () => (await first.locator("#users").textContent()) === `${ann}, ${bob}`);
      await second.getByLabel("Message", { exact: true }).pressSequentially("yes");
      await until("ann sees him type", async () => (await first.locator("#typing").textContent()) === `${bob} is typing`);
      const words = version === "1.x" ? "yes" : "yes, grüß dich"; // 1.x encodes text twice when it polls
      await say(second, words);
      await until("ann reads it", async () => (await lines(first)).at(-1) === `${bob}: ${words}`);
      assert.equal((await lines(second)).length, 2, "the author sees it once");
      await first.getByLabel("Invite").fill(bob);
      await first.getByRole("button", { name: "Invite" }).click();
      for (const page of [first, second]) {
        await until("both are in the private room", async () => {
          const users = await page.locator("#users").textContent();
          return page.url().includes("+and+") && users.includes(ann) && users.includes(bob);
        });
      }
      await say(second, "just us");
      await until("she reads it", async () => (await lines(first)).includes(`${bob}: just us`));
      for (const page of [first, second]) {
        assert.deepEqual(page.complaints, []);
        await page.context().close();
      }
    });
  }

  it("says what is wrong, sends until it is stored, and scrolls", async () => {
    library = LIBRARIES["4.x"];
    const page = await arrive("cleo", "example");
    const error = page.locator("#error");
    await until("she is in", async () => (await page.locator("#users").textContent()) === "cleo");
    await say(page, "x".repeat(4001));
    await until("it is said", async () => /Not sent: body/.test(await error.textContent()));
    const pid = stack.pid("historyd-0");
    process.kill(pid, "SIGSTOP");
    try {
      await say(page, "patient");
      await say(page, "in order");
      await until("it is said", async () => /Not stored yet/.test(await error.textContent()));
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await until("both are there", async () => (await lines(page)).length === 2);
    const dan = await Client.join(stack, "dan", "example");
    const { data } = await dan.take("msgHistory");
    assert.deepEqual(data.map(({ body }) => body), ["patient", "in order"], "stored once each");
    assert.equal(await error.textContent(), "");
    for (let i = 0; i < 60; i++) await dan.say("example", `line ${i}`);
    await until("all are there", async () => (await lines(page)).length === 62);
    const fromEnd = await page.locator("#log").evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
    assert.ok(fromEnd < 5, `${fromEnd} pixels from the end`);
    const write = await page.getByRole("button", { name: "Send" }).boundingBox();
    assert.ok(write.y + write.height < page.viewportSize().height, "the form stays in sight");
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/example.png` });
    await dan.close();
    await page.context().close();
  });
});
