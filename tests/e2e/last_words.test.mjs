// SPDX-License-Identifier: MIT
// last_words.test.mjs - a test that fails shows what the services said, and one that passes does not.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import path from "node:path";
import { Program } from "./lib/program.mjs";
import { REPO } from "./lib/stack.mjs";

const LIB = path.join(REPO, "tests/e2e/lib/last_words.mjs");

/** What a process writes whose "service" has said 30 lines, some of them after its log was kept. */
async function written(end) {
  const script = `
    import { LastWords } from ${JSON.stringify(LIB)};
    let log = Array.from({ length: 30 }, (_, n) => "line " + n).join("\\n");
    const words = new LastWords(() => ({ "historyd-0": log, "roomd-0": "" }));
    words.keep();
    log = "gone";
    ${end}`;
  const program = new Program(process.execPath, ["--input-type=module", "--eval", script], { isTold: false });
  await program.end();
  return program.stderr;
}

describe("last words", () => {
  it("are shown by a process that fails", async () => {
    const text = await written("process.exitCode = 1;");
    assert.match(text, /^--- historyd-0 said last:\n… 5 lines …\nline 5\n(line \d+\n)*line 29\n$/);
  });

  it("are shown when an error ends it", async () => {
    assert.match(await written("throw new Error('of a kind');"), /line 29/);
  });

  it("are not shown otherwise", async () => {
    assert.equal(await written(""), "");
  });
});
