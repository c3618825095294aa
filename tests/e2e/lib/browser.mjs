// SPDX-License-Identifier: MIT
// browser.mjs - the web client as a person uses it, found by its accessible names only.

import { chromium } from "playwright-core";
import { PATIENCE_MS } from "./wait.mjs";

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
});

/** One person in a browser profile of their own. */
export class Person {
  /** What the page complained about; see the console. */
  complaints = [];
  #context;

  /** @param options  { name, room, context }: `context` are Playwright's own, such as another screen */
  static async arrive(browser, url, { name, room, context = {} } = {}) {
    const person = new Person();
    person.#context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...context });
    person.#context.setDefaultTimeout(PATIENCE_MS);
    await person.open(url);
    if (name !== undefined) await person.join(name, room);
    return person;
  }

  async open(url) {
    await this.page?.close();
    this.page = await this.#context.newPage();
    this.page.on("pageerror", (error) => this.complaints.push(String(error)));
    this.page.on("console", (message) => {
      // That a connection is lost while services are killed is no fault of the page.
      const isLoss = /WebSocket connection|ERR_CONNECTION|ERR_EMPTY_RESPONSE/.test(message.text());
      if (message.type() === "error" && !isLoss) this.complaints.push(message.text());
    });
    await this.page.goto(url);
  }

  async join(name, room) {
    this.name = name;
    await this.page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
    if (room !== undefined) await this.page.getByRole("textbox", { name: "Room", exact: true }).fill(room);
    await this.page.getByRole("button", { name: "Join", exact: true }).click();
  }

  get log() { return this.page.getByRole("log", { name: "Messages" }); }
  get people() { return this.page.getByRole("list", { name: "People" }); }
  get box() { return this.page.getByRole("textbox", { name: "Message", exact: true }); }
  person(name) { return this.people.getByRole("button", { name, exact: true }); }
  status(text) { return this.page.getByRole("status").filter({ hasText: text }); }

  async say(text) {
    await this.box.fill(text);
    await this.page.getByRole("button", { name: "Send", exact: true }).click();
  }

  /** Waits until the message stands in the log. */
  async reads(text, ms = PATIENCE_MS) {
    await this.log.getByText(text, { exact: true }).waitFor({ timeout: ms });
  }

  /** The texts of all messages that the log holds. */
  async texts() {
    return this.log.locator(".text").allInnerTexts();
  }

  async meets(name) {
    await this.person(name).waitFor();
  }

  async leave() {
    await this.#context.close();
  }
}
