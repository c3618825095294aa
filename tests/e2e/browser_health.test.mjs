// SPDX-License-Identifier: MIT
// browser_health.test.mjs - the web client says "Online" only while what it writes would be stored: not with historyd stopped,
// nor when the path to the gateway is dead without a word.

import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import { launch, Person } from "./lib/browser.mjs";
import { Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const NOTICED_MS = 45_000;

/** Passes bytes on to the port until `isDead`. */
function path(port) {
  const state = { isDead: false, sockets: new Set() };
  const server = net.createServer((near) => {
    const far = net.connect(port, "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]]) {
      state.sockets.add(from);
      from.on("data", (bytes) => state.isDead || to.write(bytes)).on("error", () => {});
      from.on("close", () => state.isDead || to.destroy());
    }
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(Object.assign(state, { server }))));
}

describe("browser, health", () => {
  let stack, browser, way;
  before(async () => {
    [stack, browser] = await Promise.all([Stack.start(), launch()]);
    way = await path(stack.port);
  });
  after(async () => {
    await browser?.close();
    way?.sockets.forEach((socket) => socket.destroy());
    way?.server.close();
    await stack?.stop();
  });
  const words = (person) => person.page.getByRole("status", { name: "Connection" }).innerText();

  it("is not online while historyd stands still or the path is dead, and is again afterwards", { timeout: 180_000 }, async () => {
    const ann = await Person.arrive(browser, `http://127.0.0.1:${way.server.address().port}`, { name: "ann", room: "main" });
    await ann.box.waitFor();
    const isOnline = async () => await words(ann) === "Online";
    await until("it is online", isOnline);
    const pid = stack.pid("historyd-0");
    process.kill(pid, "SIGSTOP");
    try {
      await ann.say("while it stands still");
      await until("it is said", async () => !await isOnline(), 15_000);
      if (process.env.SHOTS) await ann.page.screenshot({ path: `${process.env.SHOTS}/not-storing.png` });
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await until("it is online again", isOnline, NOTICED_MS);
    await ann.reads("while it stands still");

    way.isDead = true;
    await until("it is noticed", async () => !await isOnline(), NOTICED_MS);
    way.isDead = false;
    await until("it is online again", isOnline, NOTICED_MS);
    await ann.say("alive");
    await ann.reads("alive");
    assert.deepEqual(ann.complaints, []);
  });
});
