// SPDX-License-Identifier: MIT
// scripts.test.mjs - the chat scripts of this directory, played by the real programs, and those of wrong/, which must be
// refused at the line that says so. PARLOR_SCRIPTS names some of them.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Stack } from "../e2e/lib/stack.mjs";
import { PATIENCE_MS } from "../e2e/lib/wait.mjs";
import { Play } from "./play.mjs";
import { Wrong, readScript } from "./script.mjs";

const BITE_MS = 8_000; // after it, what has not come in a wrong script is taken not to come
const HERE = path.dirname(fileURLToPath(import.meta.url));
const wanted = process.env.PARLOR_SCRIPTS?.split(",");

/** The names of the scripts in a directory, of those that are wanted. */
const scriptsIn = (dir) => readdirSync(dir).filter((file) => file.endsWith(".chat")).map((file) => path.basename(file, ".chat"))
  .filter((name) => !wanted || wanted.includes(name)).sort();

/** { name, script }[] by what they are played with, as JSON. */
function scriptsByStack() {
  const groups = new Map();
  for (const name of scriptsIn(HERE)) {
    const script = readScript(path.join(HERE, `${name}.chat`));
    const key = JSON.stringify(script.counts);
    groups.set(key, [...(groups.get(key) ?? []), { name, script }]);
  }
  return groups;
}

for (const [counts, scripts] of scriptsByStack()) {
  describe(`chat scripts with ${counts}`, () => {
    let stack;
    before(async () => { stack = await Stack.start(JSON.parse(counts)); await stack.ready(); });
    after(() => stack?.stop());

    for (const { name, script } of scripts) {
      it(`${name}.chat: ${script.story}`, async () => {
        await new Play(script, stack, { patienceMs: PATIENCE_MS, tag: name }).run();
      });
    }
  });
}

describe("wrong chat scripts", () => {
  let stack;
  before(async () => { stack = await Stack.start(); await stack.ready(); });
  after(() => stack?.stop());

  for (const name of scriptsIn(path.join(HERE, "wrong"))) {
    it(`refuses wrong/${name}.chat where it is wrong`, async () => {
      const file = path.join(HERE, "wrong", `${name}.chat`);
      const line = readFileSync(file, "utf8").split("\n").findIndex((text) => text.endsWith("# wrong")) + 1;
      const play = async () => new Play(readScript(file), stack, { patienceMs: BITE_MS, tag: `wrong ${name}` }).run();
      await assert.rejects(play(), (error) => {
        assert.ok(error instanceof Wrong, error);
        assert.equal(error.line, line, error.message);
        return true;
      });
    });
  }
});
