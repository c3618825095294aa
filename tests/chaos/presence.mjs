// SPDX-License-Identifier: MIT
// presence.mjs - compares each client's list of each of its rooms with who is really there, all the time.

import { sleep } from "../e2e/lib/wait.mjs";

const PROMISED_MS = 10_000;
const SAMPLE_MS = 100;
const HOLD_MS = 1_500; // lists are right when they stay right for so long

export class Presence {
  #ledger;
  #rooms;
  #timer;
  #excusedUntil = Infinity; // lists may be wrong until then, and for the promised time longer
  #rightSince; // undefined: wrong at the last sample
  #isReported = false;
  #details = [];

  constructor(ledger, persons) {
    this.#ledger = ledger;
    this.#rooms = new Map(ledger.rooms.map((room) => [room, persons.filter((person) => person.seats.has(room))]));
  }

  start() { this.#timer = setInterval(() => this.#sample(Date.now()), SAMPLE_MS); }
  stop() { clearInterval(this.#timer); }

  /** A fault begins, or people come and go by our own will: until `excuse(now)` nothing is expected. */
  excuse(until = Infinity) {
    this.#excusedUntil = until;
    this.#isReported = false;
  }

  /** What is wrong now, in words. */
  wrongs() {
    const wrongs = [];
    for (const [room, members] of this.#rooms) {
      const expected = members.filter((person) => !person.isAway);
      const absent = expected.filter((person) => !person.isIn(room));
      for (const person of absent) wrongs.push(`${person.name} cannot get into ${room}`);
      for (const person of expected) {
        if (!person.isIn(room)) continue;
        const { people } = person.seats.get(room);
        const misses = expected.filter(({ name }) => !people.has(name)).map(({ name }) => name);
        const names = new Set(expected.map(({ name }) => name));
        const ghosts = [...people].filter((name) => !names.has(name));
        const at = `${person.name} at gateway ${person.gateway} in ${room}`;
        if (misses.length > 0) wrongs.push(`${at} misses ${misses}`);
        if (ghosts.length > 0) wrongs.push(`${at} sees ${ghosts}`);
      }
    }
    return wrongs;
  }

  #sample(now) {
    const wrongs = this.wrongs();
    if (wrongs.length === 0) {
      this.#rightSince ??= now;
      return;
    }
    this.#rightSince = undefined;
    this.#details = wrongs;
    if (now - this.#excusedUntil <= PROMISED_MS || this.#isReported) return;
    this.#isReported = true;
    this.#ledger.breaks("presence", `still after ${now - this.#excusedUntil} ms: ${wrongs.slice(0, 6).join("; ")}`);
  }

  /**
   * Waits until all lists are right and stay so, though no longer than promised (and what proves it).
   * @returns  after how many ms they were right, undefined when they were not
   */
  async settled(from) {
    for (;;) {
      const now = Date.now();
      if (this.#rightSince !== undefined && now - Math.max(this.#rightSince, from) >= HOLD_MS) {
        return Math.max(0, this.#rightSince - from);
      }
      const isLate = this.#rightSince === undefined ? now - from > PROMISED_MS + 2 * SAMPLE_MS
        : this.#rightSince - from > PROMISED_MS + 2 * SAMPLE_MS;
      if (isLate) return undefined;
      await sleep(SAMPLE_MS / 2);
    }
  }

  /** What was wrong the last time. */
  get lastWrong() { return this.#details[0]; }
}
