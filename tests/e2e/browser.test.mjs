// SPDX-License-Identifier: MIT
// browser.test.mjs - people in the web client, in a real browser.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, Person } from "./lib/browser.mjs";
import { Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const SLOW_MS = 40_000; // a service has to come back first

describe("browser", () => {
  let stack, browser, ann, bob;
  before(async () => {
    [stack, browser] = await Promise.all([Stack.start(), launch()]);
    ann = await Person.arrive(browser, stack.url, { name: "ann", room: "main" });
    bob = await Person.arrive(browser, stack.url, { name: "bob", room: "main" });
  });
  after(async () => {
    await browser?.close();
    await stack?.stop();
  });

  it("shows who is here", async () => {
    await Promise.all([ann.meets("bob"), bob.meets("ann")]);
    assert.equal(await ann.people.getByRole("button").count(), 1, "a button for each other person");
    await ann.people.getByText("ann", { exact: true }).waitFor();
  });

  it("carries messages both ways, as text", async () => {
    await ann.say("Hello, Bob!");
    await bob.reads("Hello, Bob!");
    await bob.say("<img src=x onerror=alert(1)> & <b>bold</b>");
    await ann.reads("<img src=x onerror=alert(1)> & <b>bold</b>");
    assert.equal(await ann.log.locator("b, img").count(), 0, "text is never markup");
    await until("Ann's message is shown as stored", async () =>
      (await ann.log.locator("article[data-state]").first().getAttribute("data-state")) === "stored");
    assert.deepEqual(await ann.texts(), await bob.texts());
  });

  it("sends with Enter", async () => {
    await bob.box.fill("by keyboard");
    await bob.box.press("Enter");
    await ann.reads("by keyboard");
  });

  it("shows who is typing, until the message comes", async () => {
    await ann.box.pressSequentially("I am wri", { delay: 20 });
    const line = bob.status(/ann/).filter({ hasText: /typing/i });
    await line.waitFor();
    await ann.say("I am writing");
    await bob.reads("I am writing");
    await line.waitFor({ state: "hidden" });
  });

  it("has the history after a reload", async () => {
    const earlier = await ann.texts();
    await bob.page.reload();
    await bob.reads("Hello, Bob!");
    await bob.reads("I am writing");
    assert.deepEqual(await bob.texts(), earlier);
    await bob.meets("ann");
    await ann.meets("bob");
  });

  it("opens a private room by a click on a person; the other follows the link", async () => {
    await ann.person("bob").click();
    const link = bob.page.getByRole("link", { name: /private room with ann/i });
    await link.waitFor();
    const url = new URL(await link.getAttribute("href"), stack.url);
    await link.click();
    await ann.meets("bob");
    await bob.meets("ann");
    await ann.say("between us");
    await bob.reads("between us");
    await bob.say("nobody else");
    await ann.reads("nobody else");

    const eve = await Person.arrive(browser, url.href, { name: "eve" });
    await eve.page.getByText(/private room of others/i).waitFor();
    assert.equal(await eve.page.getByText("between us").count(), 0);
    await eve.join("eve", "main");
    await eve.reads("Hello, Bob!");
    assert.equal(await eve.page.getByText("between us").count(), 0);
    await eve.leave();
    for (const person of [ann, bob]) await person.page.getByRole("link", { name: "main", exact: true }).click();
    await Promise.all([ann.meets("bob"), bob.meets("ann")]);
  });

  it("says when a name belongs to someone else", async () => {
    const thief = await Person.arrive(browser, stack.url, { name: "ann", room: "main" });
    await thief.page.getByText(/name is in use/i).waitFor();
    await thief.leave();
  });

  for (const service of ["historyd-0", "roomd-0", "gateway-0"]) {
    it(`goes on when ${service} is killed while the page is open`, async () => {
      await stack.restart(service);
      await ann.say(`ann, after ${service}`);
      await bob.reads(`ann, after ${service}`, SLOW_MS);
      await bob.say(`bob, after ${service}`);
      await ann.reads(`bob, after ${service}`, SLOW_MS);
      await Promise.all([ann.meets("bob"), bob.meets("ann")]);
      await until("both have the same log", async () =>
        JSON.stringify(await ann.texts()) === JSON.stringify(await bob.texts()));
      const texts = await ann.texts();
      assert.equal(new Set(texts).size, texts.length, "nothing twice");
    });
  }

  it("notices when someone leaves", async () => {
    await bob.leave();
    await ann.person("bob").waitFor({ state: "detached" });
  });

  it("caused no complaint in the browser's console", () => {
    assert.deepEqual([...ann.complaints, ...bob.complaints], []);
  });
});
