// SPDX-License-Identifier: MIT
//
// typing.js - who is typing in one room, as far as we were told lately.

const LASTS_MS = 6000; // a little longer than at the gateway, whose "stopped" may be lost

export class Typists {
  #timers = new Map(); // name → timer that ends it
  #changed;

  /** `changed()` is called whenever `names` is another. */
  constructor(changed) {
    this.#changed = changed;
  }

  get names() {
    return [...this.#timers.keys()];
  }

  started(name) {
    const known = this.#timers.has(name);
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(() => this.stopped(name), LASTS_MS));
    if (!known) this.#changed();
  }

  stopped(name) {
    if (!this.#timers.has(name)) return;
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    this.#changed();
  }

  clear() {
    for (const name of this.names) this.stopped(name);
  }
}
