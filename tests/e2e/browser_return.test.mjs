// SPDX-License-Identifier: MIT
// browser_return.test.mjs - leaving and coming back in the web client: reloads, closed tabs, Back, and private rooms that are
// still within reach afterwards.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, Person } from "./lib/browser.mjs";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";
import { sleep, until } from "./lib/wait.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

describe("browser, coming back", () => {
  let stack, browser;
  before(async () => {
    [stack, browser] = await Promise.all([Stack.start({ gatewayOptions: ["--rate", "0"] }), launch()]);
  });
  after(async () => {
    await browser?.close();
    await stack?.stop();
  });

  let people = 0; // a name stays its owner's for a minute
  const arrive = (options) => Person.arrive(browser, stack.url, { name: `ann ${++people}`, room: "main", ...options });
  const openRoom = async (person, room) => {
    await person.page.getByRole("textbox", { name: "Open or create" }).fill(room);
    await person.page.getByRole("textbox", { name: "Open or create" }).press("Enter");
    await person.page.getByRole("heading", { name: room }).waitFor();
  };
  const link = (person, text) => person.page.getByRole("list", { name: "Rooms" }).getByRole("link", { name: text });

  it("keeps drafts and messages that are not stored yet, through a reload and a closed tab", async () => {
    const ann = await arrive();
    await ann.box.waitFor();
    const pid = stack.pid("historyd-0");
    process.kill(pid, "SIGSTOP");
    try {
      await ann.say("before the reload");
      await ann.say("also");
      await ann.box.fill("a draft");
      await ann.page.reload();
      await ann.log.getByText("also").waitFor();
      assert.equal(await ann.box.inputValue(), "a draft");
      await ann.say("before the tab is closed");
      await ann.box.fill("another draft");
      await ann.open(stack.url);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await ann.page.getByRole("button", { name: "Join", exact: true }).click();
    await ann.reads("before the tab is closed");
    assert.equal(await ann.box.inputValue(), "another draft");
    await until("all are stored", async () => await ann.log.locator('article[data-state="stored"]').count() === 3);
    await ann.page.reload();
    await ann.reads("before the tab is closed");
    await sleep(500);
    assert.deepEqual(await ann.texts(), ["before the reload", "also", "before the tab is closed"]);
    assert.equal(await ann.log.locator('article[data-state="sending"]').count(), 0);
    await ann.leave();
  });

  it("goes back to the room before, and out of the drawer first", async () => {
    const ann = await arrive();
    await ann.box.waitFor();
    await openRoom(ann, "second");
    await openRoom(ann, "third");
    await ann.page.goBack();
    await ann.page.getByRole("heading", { name: "second" }).waitFor();
    await ann.page.goBack();
    await ann.page.getByRole("heading", { name: "main" }).waitFor();
    await ann.page.goForward();
    await ann.page.getByRole("heading", { name: "second" }).waitFor();
    await ann.leave();

    const phone = await arrive({ context: PHONE });
    await phone.box.waitFor();
    const menu = phone.page.getByRole("button", { name: "Rooms and people" });
    await menu.tap();
    await phone.page.getByRole("button", { name: "Close menu" }).waitFor();
    await sleep(300);
    if (process.env.SHOTS) await phone.page.screenshot({ path: `${process.env.SHOTS}/drawer-phone.png` });
    await phone.page.goBack();
    await until("the drawer is closed", async () => await menu.getAttribute("aria-expanded") === "false");
    assert.ok(await phone.page.getByRole("heading", { name: "main" }).isVisible());
    await menu.tap();
    await openRoom(phone, "fourth");
    await phone.page.goBack();
    await phone.page.getByRole("heading", { name: "main" }).waitFor();
    await phone.leave();
  });

  it("keeps an invitation until it is answered, and leads to the one private room from both sides", async () => {
    const ann = await arrive();
    const ben = await arrive();
    await ann.meets(ben.name);
    await ann.person(ben.name).click();
    await ann.page.getByRole("heading", { name: ben.name }).waitFor();
    await ann.say("are you there?");
    const invitation = ben.page.getByRole("link", { name: `Join private room with ${ann.name}` });
    await invitation.waitFor();
    assert.match(await ben.page.title(), /^\(1\)/);
    await ben.page.reload();
    await invitation.waitFor();
    if (process.env.SHOTS) await ben.page.screenshot({ path: `${process.env.SHOTS}/invited.png` });
    await ben.person(ann.name).click(); // instead of the link
    await ben.reads("are you there?");
    await invitation.waitFor({ state: "detached" });
    await ben.say("I am");
    await ann.reads("I am");

    await ben.open(stack.url); // the tab was closed, and another one is opened
    await ben.page.getByRole("button", { name: "Join", exact: true }).click();
    await ben.box.waitFor();
    await link(ben, `Private room with ${ann.name}`).waitFor();
    await ann.say("one more thing");
    await link(ben, `Private room with ${ann.name}`).getByText("1 unread").waitFor();
    if (process.env.SHOTS) await ben.page.screenshot({ path: `${process.env.SHOTS}/private-unread.png` });
    await link(ben, `Private room with ${ann.name}`).click();
    await ben.reads("one more thing");
    await ben.reads("are you there?");
    assert.equal(await ben.page.getByRole("link", { name: /^Join private room/ }).count(), 0);
    assert.deepEqual([...ann.complaints, ...ben.complaints], []);
    await ann.leave();
    await ben.leave();
  });

  it("finds the old private room by its person after both have left it", async () => {
    const ann = await arrive();
    const ben = await Client.join(stack, "ben", "main");
    await ann.person("ben").click();
    await ann.page.getByRole("heading", { name: "ben" }).waitFor();
    await ann.say("first time");
    await ann.page.getByRole("button", { name: "Leave room" }).click();
    await ann.page.getByRole("heading", { name: "main" }).waitFor();
    await ann.page.reload();
    await ann.person("ben").click();
    await ann.page.getByRole("heading", { name: "ben" }).waitFor();
    await ann.reads("first time");
    await ben.close();
    await ann.leave();
  });
});
