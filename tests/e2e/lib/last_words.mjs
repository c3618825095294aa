// SPDX-License-Identifier: MIT
// last_words.mjs - the end of what services and programs said, printed when the process of a test fails: whoever reads of
// a failure elsewhere has no logs but these.

const LINES = 25; // of each
const INTERRUPTED = 130;

const all = [];

function lastLines(text, lines) {
  const those = text.trimEnd().split("\n");
  const left = those.length - lines;
  return left > 0 ? [`… ${left} lines …`, ...those.slice(-lines)] : those;
}

export class LastWords {
  #read;
  #lines;
  #kept;

  /** @param read  what was said so far, as { name: text } */
  constructor(read, lines = LINES) {
    this.#read = read;
    this.#lines = lines;
    all.push(this);
  }

  /** From now on they can no longer be read. */
  keep() { this.#kept = this.#last(); }

  #last() {
    return Object.entries(this.#read()).filter(([, text]) => text.trim())
      .flatMap(([name, text]) => [`--- ${name} said last:`, ...lastLines(text, this.#lines)]);
  }

  get lines() { return this.#kept ?? this.#last(); }
}

process.on("exit", (code) => {
  if (code === 0 || code === INTERRUPTED) return;
  for (const words of all) if (words.lines.length > 0) process.stderr.write(`${words.lines.join("\n")}\n`);
});
