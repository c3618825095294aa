// SPDX-License-Identifier: MIT
// tabs.mjs - the page's own client (parlor.js) of both versions, each in a tab that stays open through all swaps: a page
// outlives its gateway, and a gateway may serve the page of another version.

import assert from "node:assert/strict";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { WebSocket } from "ws";
import { Parlor } from "../e2e/lib/web.mjs";
import { until, within } from "../e2e/lib/wait.mjs";

const ROOM = "tabs";

/** As in a browser, nobody need hear its errors. */
class Socket extends WebSocket {
  constructor(...args) {
    super(...args);
    this.on("error", () => {});
  }
}

class Tab {
  seqs = [];
  resets = 0;

  constructor(Client, username, url) {
    this.username = username;
    this.parlor = new Client({ username, key: `key-of-${username}`.padEnd(24, "-"), url: `${url.replace("http", "ws")}/ws`, WebSocket: Socket });
    this.parlor.on("messages", ({ messages, reset }) => {
      if (reset) {
        this.resets += 1;
        this.seqs = [];
      }
      this.seqs.push(...messages.map(({ seq }) => seq));
    });
  }
}

export class Tabs {
  #tabs;
  #count = 0;

  /** @param previous  where the programs of the previous release are: its page stands beside them */
  static async open(urls, previous) {
    globalThis.WebSocket ??= Socket; // the older one wants a browser
    globalThis.addEventListener ??= () => {};
    const file = path.join(previous, "../../source/gateway/web/parlor.js");
    const { Parlor: Previous } = await import(pathToFileURL(file));
    const tabs = new Tabs();
    tabs.#tabs = urls.flatMap((url, n) => [new Tab(Previous, `old-${n}`, url), new Tab(Parlor, `new-${n}`, url)]);
    await within(Promise.all(tabs.#tabs.map(({ parlor }) => parlor.join(ROOM))), "the tabs are in their room");
    return tabs;
  }

  get resets() { return this.#tabs.reduce((sum, { resets }) => sum + resets, 0); }

  /** Each writes once, and all have read everything, once and in order. */
  async visit() {
    const n = ++this.#count;
    const stored = await within(Promise.all(this.#tabs.map(({ parlor, username }) =>
      parlor.send(ROOM, `${username} ${n}`).stored)), "the tabs' messages are stored");
    const last = Math.max(...stored.map(({ seq }) => seq));
    assert.equal(last, n * this.#tabs.length);
    for (const { seqs, username, resets } of this.#tabs) {
      await until(`${username} has read ${last}, not ${seqs.at(-1)}`, () => seqs.at(-1) === last);
      assert.deepEqual(seqs, seqs.map((_, i) => seqs[0] + i), username);
      assert.ok(resets > 0 || seqs[0] === 1, `${username} begins with ${seqs[0]}`);
    }
  }

  close() {
    for (const { parlor } of this.#tabs) parlor.close();
  }
}
