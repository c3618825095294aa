// SPDX-License-Identifier: MIT
// damage.test.mjs - a disk that has bent a block of what is stored: whoever needs it is told at once, and nobody else notices.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { openSync, readdirSync, readFileSync, writeSync, closeSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const MARK = "Zq7%Kw!x"; // nothing of it comes twice, so that compression leaves it as it is
const AT_ONCE_MS = 2000; // far less than a gateway waits for historyd

describe("a damaged block", () => {
  let stack;
  before(async () => { stack = await Stack.start({ gatewayOptions: ["--rate", "0"] }); });
  after(() => stack?.stop());

  /** Bends the block that holds the text, in whatever table that is; how many there were. */
  function bend(text) {
    const dir = path.join(stack.data, "historyd-0");
    const tables = readdirSync(dir).filter((file) => file.endsWith(".sst")).map((file) => path.join(dir, file));
    const hurt = tables.filter((file) => readFileSync(file).includes(text));
    for (const file of hurt) {
      const fd = openSync(file, "r+");
      writeSync(fd, "####", readFileSync(file).indexOf(text));
      closeSync(fd);
    }
    return hurt.length;
  }

  it("is told at once to whoever asks for it, and in one line of the log", async () => {
    const ann = await Client.join(stack, "ann", "bent");
    await ann.say("bent", MARK);
    const eve = await Client.join(stack, "eve", "much");
    for (let i = 0; i < 20; i++) await eve.say("much", randomBytes(2000).toString("hex")); // blocks between the two
    await eve.join("eve", "well");
    await eve.say("well", "all is well");
    await ann.close();
    await eve.close();
    const starts = () => stack.log("historyd-0").split("what=listening").length - 1;
    await stack.restart("historyd-0"); // opening moves the log into tables
    await until("historyd is open again", () => starts() === 2);
    assert.ok(bend(MARK) > 0, "the text stands in a table");
    await stack.restart("historyd-0"); // and forgets what it has read
    await stack.restart("gateway-0");
    await stack.ready();

    const bob = await Client.connect(stack);
    const started = Date.now();
    await assert.rejects(bob.join("bob", "bent"), ({ code }) => code === "unavailable");
    assert.ok(Date.now() - started < AT_ONCE_MS, `after ${Date.now() - started} ms`);
    await bob.join("bob", "well");
    assert.equal((await bob.take("msgHistory")).data.at(-1).body, "all is well");
    await until("the log says so", () => /what=read_failed times=\d+ why="[^"]+"/.test(stack.log("historyd-0")));
    assert.equal(stack.log("historyd-0").match(/what=read_failed/g).length, 1);
    await bob.close();
  });
});
