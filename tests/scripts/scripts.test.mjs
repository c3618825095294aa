// SPDX-License-Identifier: MIT
// scripts.test.mjs - the chat scripts of this directory, played by the real programs. PARLOR_SCRIPTS names some of them.

import { readdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Stack } from "../e2e/lib/stack.mjs";
import { PATIENCE_MS } from "../e2e/lib/wait.mjs";
import { Play } from "./play.mjs";
import { readScript } from "./script.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const wanted = process.env.PARLOR_SCRIPTS?.split(",");

/** { file, name, script }[] by what they are played with, as JSON. */
function scriptsByStack() {
  const groups = new Map();
  for (const file of readdirSync(HERE).filter((entry) => entry.endsWith(".chat")).sort()) {
    const name = path.basename(file, ".chat");
    if (wanted && !wanted.includes(name)) continue;
    const script = readScript(path.join(HERE, file));
    const key = JSON.stringify(script.counts);
    groups.set(key, [...(groups.get(key) ?? []), { file, name, script }]);
  }
  return groups;
}

for (const [counts, scripts] of scriptsByStack()) {
  describe(`chat scripts with ${counts}`, () => {
    let stack;
    before(async () => { stack = await Stack.start(JSON.parse(counts)); await stack.ready(); });
    after(() => stack?.stop());

    for (const { file, name, script } of scripts) {
      it(`${file}: ${script.story}`, async () => {
        await new Play(script, stack, { patienceMs: PATIENCE_MS, tag: name }).run();
      });
    }
  });
}
