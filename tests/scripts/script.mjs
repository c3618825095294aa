// SPDX-License-Identifier: MIT
// script.mjs - a chat script, read: its sentences with what they say. The language stands in grammar.txt; the same reader in
// C is script.c with grammar.c.

import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const GRAMMAR = path.join(path.dirname(fileURLToPath(import.meta.url)), "grammar.txt");
const COMPOSED = ["TEXT", "TEXTS", "USERS", "FOUND"];
const DEEDS = ["arrive", "arrive_io", "join", "leave", "say", "type", "invite", "read", "ask", "send", "go", "lose", "away", "again"];

/** A script that cannot be read, or is not as it happens; `line` says where. */
export class Wrong extends Error {
  constructor(line, message) {
    super(`${line}: ${message}`);
    this.line = line;
  }
}

/** The words of a line: { text, isQuoted, isSign }; null when a quote has no end. */
function wordsOf(line) {
  const words = [];
  for (let rest = line.trimStart(); rest !== "" && rest[0] !== "#";) {
    const [whole, sign, double, single, word] =
      /^(?:([,:[\]])|"([^"]*)"|'([^']*)'|([^\s,:[\]"']+))/.exec(rest) ?? [];
    if (whole === undefined) return null;
    const text = sign ?? double ?? single ?? word;
    words.push({ text, isSign: sign !== undefined, isQuoted: (double ?? single) !== undefined });
    rest = rest.slice(whole.length).trimStart();
  }
  return words;
}

/** A pattern as runs of elements: { isOptional, elements }. */
function runsOf(words) {
  const runs = [];
  let run;
  for (const { text, isSign } of words) {
    if (isSign && text === "[") run = runs[runs.push({ isOptional: true, elements: [] }) - 1];
    else if (isSign && text === "]") run = undefined;
    else (run ??= runs[runs.push({ isOptional: false, elements: [] }) - 1]).elements.push(text);
  }
  return runs;
}

function readGrammar() {
  const lines = readFileSync(GRAMMAR, "utf8").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const entries = lines.map((line) => /^(\S+)\s+(.*)$/.exec(line).slice(1));
  const isWord = ([name]) => /^[A-Z]/.test(name);
  return {
    words: new Map(entries.filter(isWord).map(([name, expression]) => [name, new RegExp(`^(?:${expression})$`)])),
    sentences: entries.filter((entry) => !isWord(entry)).map(([kind, pattern]) => ({ kind, runs: runsOf(wordsOf(pattern)) })),
  };
}

const grammar = readGrammar();

/** One sentence against one pattern; what it matched, and the furthest word that it came to. */
class Match {
  at = 0;
  furthest = 0;
  fields = {};

  constructor(words) { this.words = words; }

  is(text, at = this.at) { return !this.words[at]?.isQuoted && this.words[at]?.text === text; }
  isQuoted(at = this.at) { return this.words[at]?.isQuoted === true; }
  isWord(name, at = this.at) {
    const word = this.words[at];
    return word !== undefined && !word.isQuoted && !word.isSign && grammar.words.get(name).test(word.text);
  }

  take() { return this.words[this.at++].text; }

  texts() {
    const texts = [];
    while (this.isQuoted()) {
      const from = this.take();
      if (this.is("to") && this.isQuoted(this.at + 1)) {
        this.at++;
        const [[, stem, first], [, other, last]] = [from, this.take()].map((text) => /^(.*?)(\d{0,6})$/.exec(text));
        if (stem !== other || first === "" || last === "" || Number(first) > Number(last)) return null;
        for (let n = Number(first); n <= Number(last); n++) texts.push(`${stem}${n}`);
      } else {
        texts.push(from);
      }
      if (!this.is("and") || !this.isQuoted(this.at + 1)) return texts;
      this.at++;
    }
    return null;
  }

  /** `of 600 bytes`: dots make each of them so long. */
  long(texts) {
    if (texts === null || !this.is("of") || !this.is("bytes", this.at + 2)) return texts;
    if (!this.isWord("NUMBER", this.at + 1)) return null;
    const bytes = Number(this.words[this.at + 1].text);
    this.at += 3;
    return texts.map((text) => text.padEnd(bytes, "."));
  }

  found() {
    const isAnew = this.is("anew");
    if (isAnew) this.at++;
    for (const [word, isAny] of [["nothing", false], ["whatever", true]]) {
      if (this.is(word)) { this.at++; return { texts: [], isAny, isAnew, hasMore: false }; }
    }
    const texts = this.texts();
    const hasMore = this.is("and") && this.is("more", this.at + 1);
    if (hasMore) this.at += 2;
    return texts && { texts, isAny: false, isAnew, hasMore };
  }

  users() {
    const users = [];
    for (;;) {
      if (!this.isWord("USER")) return null;
      users.push(this.take());
      if (!this.is("and")) return users;
      this.at++;
    }
  }

  #capture(name) {
    if (name === "TEXTS") return this.long(this.texts());
    if (name === "FOUND") return this.found();
    if (name === "USERS") return this.users();
    if (name === "TEXT") return this.isQuoted() ? this.take() : null;
    return this.isWord(name) ? this.take() : null;
  }

  /** A capture is named by itself, in brackets by the word before it; a bracket without one by its last word. */
  run({ isOptional, elements }) {
    const fields = {};
    let name;
    for (const element of elements) {
      this.furthest = Math.max(this.furthest, this.at);
      if (grammar.words.has(element) || COMPOSED.includes(element)) {
        const value = this.#capture(element);
        if (value === null) return false;
        fields[isOptional ? name : element] = value;
      } else if (this.is(element)) {
        name = element;
        this.at++;
      } else {
        return false;
      }
    }
    if (isOptional && !(name in fields)) fields[name] = true;
    Object.assign(this.fields, fields);
    return true;
  }

  pattern(runs) {
    for (const run of runs) {
      const at = this.at;
      if (this.run(run)) continue;
      if (!run.isOptional) return false;
      this.at = at;
    }
    this.furthest = Math.max(this.furthest, this.at);
    return this.at === this.words.length;
  }
}

function sentenceOf(words, line) {
  let furthest = 0;
  for (const { kind, runs } of grammar.sentences) {
    const match = new Match(words);
    if (match.pattern(runs)) return { kind, line, ...match.fields };
    furthest = Math.max(furthest, match.furthest);
  }
  throw new Wrong(line, furthest < words.length
    ? `no sentence goes on with: ${words[furthest].text}`
    : "the sentence is not complete");
}

/** `ann joins hall, says "hi" in hall` is two sentences of ann. */
function sentencesOf(text, line) {
  const words = wordsOf(text);
  if (words === null) throw new Wrong(line, "a quote has no end");
  const parts = [[]];
  for (const word of words) {
    if (word.isSign && word.text === ",") parts.push([words[0]]);
    else parts.at(-1).push(word);
  }
  if (parts.length > 1 && parts.at(-1).length === 1) throw new Wrong(line, "nothing stands behind the comma");
  if (words.length === 0) return [];
  return parts.map((part, i) => {
    const sentence = { ...sentenceOf(part, line), isWithNext: i + 1 < parts.length };
    if (parts.length > 1 && !DEEDS.includes(sentence.kind)) throw new Wrong(line, "only what people do stands between commas");
    return sentence;
  });
}

/** { story, counts: { gateways, … }, sentences: [{ kind, line, isWithNext, ROOM, … }] } */
export function readScript(file) {
  const sentences = readFileSync(file, "utf8").split("\n").flatMap((text, i) => sentencesOf(text, i + 1));
  if (sentences.length === 0) throw new Wrong(1, "it is empty");
  sentences.forEach(({ kind, line }, i) => {
    const before = sentences[i - 1]?.kind;
    const isInPlace = kind === "story" ? i === 0 : kind === "with" ? ["story", "with"].includes(before) : i > 0;
    if (!isInPlace) throw new Wrong(line, "a script begins with its story, then what it is played with");
  });
  const counts = sentences.filter(({ kind }) => kind === "with").map(({ NUMBER, SERVICES }) => [SERVICES, Number(NUMBER)]);
  return { story: sentences[0].TEXT, counts: Object.fromEntries(counts), sentences };
}
