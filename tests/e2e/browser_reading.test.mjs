// SPDX-License-Identifier: MIT
// browser_reading.test.mjs - reading in the web client while much is said: following, going back and down again, what is new,
// rooms that can be chosen, and invitations that leave room to write.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, Person } from "./lib/browser.mjs";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until } from "./lib/wait.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

describe("browser, reading", () => {
  let stack, browser, bot;
  before(async () => {
    [stack, browser] = await Promise.all([Stack.start({ gatewayOptions: ["--rate", "0"] }), launch()]);
    bot = await Client.join(stack, "bot", "main");
    await bot.join("bot", "side");
  });
  after(async () => {
    await browser?.close();
    await bot?.close();
    await stack?.stop();
  });

  let people = 0; // a name stays its owner's for a minute
  const arrive = (options) => Person.arrive(browser, stack.url, { name: `ann ${++people}`, ...options });
  const tall = (text) => `${text}\n${"line\n".repeat(12)}`;
  const fromEnd = (person) => person.log.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);

  it("follows when messages come at once, and stays where the reader went", async () => {
    const ann = await arrive({ room: "main" });
    await ann.meets("bot");
    for (let i = 0; i < 40; i++) {
      await Promise.all([bot.say("main", tall(`one ${i}`)), sleep(i % 12).then(() => bot.say("main", tall(`two ${i}`)))]);
    }
    await ann.log.getByText("two 39").waitFor();
    await sleep(300);
    assert.ok(await fromEnd(ann) < 5, `${await fromEnd(ann)} pixels from the end`);
    await ann.log.hover();
    await ann.page.mouse.wheel(0, -1500);
    await until("it is up", async () => await fromEnd(ann) > 1000);
    const top = () => ann.log.evaluate((log) => log.scrollTop);
    await sleep(300);
    const before = await top();
    for (let i = 0; i < 10; i++) await bot.say("main", tall(`later ${i}`));
    await sleep(300);
    assert.ok(Math.abs(await top() - before) < 5, "what comes does not move the reader");
    await ann.page.getByRole("button", { name: "New messages" }).click();
    await until("down again", async () => await fromEnd(ann) < 5);
    await ann.leave();
  });

  it("has a way down for who has gone far up, though nothing is new", async () => {
    for (let i = 0; i < 400; i++) await bot.say("side", `number ${i}`);
    const ann = await arrive({ room: "side" });
    await ann.reads("number 399");
    assert.equal(await ann.page.getByRole("button", { name: "To the newest" }).isVisible(), false);
    for (let i = 0; i < 8; i++) {
      await ann.log.evaluate((log) => { log.scrollTop = 0; });
      await sleep(150);
    }
    await ann.page.getByRole("button", { name: "To the newest" }).click();
    await ann.reads("number 399");
    await until("down again", async () => await fromEnd(ann) < 5);
    await ann.leave();
  });

  it("lets rooms be chosen while messages come elsewhere", async () => {
    const ann = await arrive({ room: "main" });
    for (const room of ["side", "third"]) {
      await ann.page.getByRole("textbox", { name: "Open or create" }).fill(room);
      await ann.page.getByRole("textbox", { name: "Open or create" }).press("Enter");
      await ann.page.getByRole("heading", { name: room }).waitFor();
    }
    let talking = true;
    const talk = (async () => { for (let i = 0; talking; i++) { await bot.say("side", `chatter ${i}`); await sleep(20); } })();
    for (let i = 0; i < 10; i++) {
      const name = ["main", "third"][i % 2];
      const link = ann.page.getByRole("list", { name: "Rooms" }).locator(`a[data-name="${name}"]`);
      const box = await link.boundingBox();
      await ann.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await ann.page.mouse.down();
      await sleep(120); // as long as a finger stays
      await ann.page.mouse.up();
      await ann.page.getByRole("heading", { name, exact: false }).waitFor({ timeout: 2000 });
    }
    talking = false;
    await talk;
    await ann.leave();
  });

  it("shows what came while nobody looked, also after a reload", async () => {
    const ann = await arrive({ room: "side" });
    await ann.page.getByRole("textbox", { name: "Open or create" }).fill("main");
    await ann.page.getByRole("textbox", { name: "Open or create" }).press("Enter");
    await bot.say("side", "unseen 1");
    await bot.say("side", "unseen 2");
    const badge = ann.page.getByRole("list", { name: "Rooms" }).locator('a[data-name="side"] .badge');
    await badge.getByText("2").waitFor();
    await ann.page.reload();
    await badge.getByText("2").waitFor();
    await bot.say("side", "unseen 3");
    await badge.getByText("3").waitFor();
    await ann.page.getByRole("list", { name: "Rooms" }).locator('a[data-name="side"]').click();
    const line = ann.log.getByRole("separator");
    await line.waitFor();
    assert.match(await line.evaluate((element) => element.nextElementSibling.innerText), /unseen 1/);
    assert.equal(await badge.isVisible(), false);
    await ann.page.reload();
    await ann.reads("unseen 3");
    assert.equal(await line.count(), 0);
    assert.equal(await badge.isVisible(), false);
    await ann.leave();
  });

  it("leaves room to write below twelve invitations", async () => {
    for (const options of [{}, PHONE]) {
      const ann = await arrive({ room: "main", context: options });
      await ann.box.waitFor();
      const hosts = [];
      for (let i = 0; i < 12; i++) {
        const host = await Client.join(stack, `host ${i}`, "main");
        await host.request("newRoom", { username2: ann.name, room: `private ${people}-${i}` });
        hosts.push(host);
      }
      const links = ann.page.getByRole("link", { name: /Join private room with host/ });
      await until("all are there", async () => await links.count() === 12);
      const { height } = ann.page.viewportSize();
      const box = await ann.box.boundingBox();
      assert.ok(box.y + box.height <= height, `the message field ends at ${box.y + box.height} of ${height}`);
      const log = await ann.log.boundingBox();
      assert.ok(log.height > height / 5, `the log has ${log.height}`);
      if (process.env.SHOTS) await ann.page.screenshot({ path: `${process.env.SHOTS}/invitations${options.isMobile ? "-phone" : ""}.png` });
      await links.last().click();
      await ann.page.getByRole("heading", { name: "host 11" }).waitFor();
      for (const host of hosts) await host.close();
      await ann.leave();
    }
  });

  it("writes a new line with Enter on a phone, and sends by the button", async () => {
    const ann = await arrive({ room: "phone", context: PHONE });
    await ann.box.fill("one");
    await ann.box.press("Enter");
    await ann.box.pressSequentially("two");
    assert.equal(await ann.box.inputValue(), "one\ntwo");
    await ann.page.getByRole("button", { name: "Send", exact: true }).tap();
    await ann.reads("one two");
    await ann.leave();
  });

  it("says what is true: no beginning before the history, names in order, one mark, whole links, the day of today", async () => {
    const ann = await arrive({ room: "#general" });
    await ann.box.waitFor();
    const title = ann.page.getByRole("list", { name: "Rooms" }).locator("a .title");
    assert.equal(await title.innerText(), "general");
    const others = [];
    for (const name of ["160", "240", "80"]) others.push(await Client.join(stack, name, "#general"));
    await until("all are there", async () => await ann.people.getByRole("button").count() === 3);
    assert.deepEqual(await ann.people.getByRole("button").locator("bdi").allInnerTexts(), ["80", "160", "240"]);
    await others[0].say("#general", "(see https://example.org/C_(language)) and [https://example.org/[x]].");
    await ann.log.getByRole("link").first().waitFor();
    assert.deepEqual(await ann.log.getByRole("link").allInnerTexts(), ["https://example.org/C_(language)", "https://example.org/[x]"]);

    await ann.page.clock.install();
    await ann.page.reload();
    await ann.log.getByText("Today").waitFor();
    await ann.page.clock.fastForward(24 * 3600 * 1000 + 1000);
    await ann.log.getByText("Yesterday").waitFor();

    process.kill(stack.pid("historyd-0"), "SIGSTOP");
    try {
      await ann.page.getByRole("textbox", { name: "Open or create" }).fill("not yet known");
      await ann.page.getByRole("textbox", { name: "Open or create" }).press("Enter");
      await ann.say("early");
      await sleep(300);
      assert.equal(await ann.page.getByText("This is the beginning").isVisible(), false);
    } finally {
      process.kill(stack.pid("historyd-0"), "SIGCONT");
    }
    for (const other of others) await other.close();
    await ann.leave();
  });
});
