// SPDX-License-Identifier: MIT
//
// health.js - whether the services behind the gateway answer. A path that is dead says nothing, and
// neither does a quiet room: asking tells them apart.

const BEAT_MS = 5000; // between looks
const QUIET_MS = 15_000; // after this long without a frame, a page in sight asks

export class Health {
  #hooks;
  #isWell = true;
  #isAsking = false;
  #beat;

  /**
   * @param {object} hooks  quietMs(): for how long nothing has come; ask(): a promise of an answer
   *                        that needs all services, or undefined; changed(isWell)
   */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  start() {
    this.#beat = setInterval(() => this.#look(), BEAT_MS);
  }

  stop() {
    clearInterval(this.#beat);
    this.#set(true); // that there is no connection says more
  }

  /** Something was answered by all services, or it was refused with this error. */
  heard(error) {
    if (!error) this.#set(true);
    else if (error.code === "unavailable") this.#set(false);
  }

  async #look() {
    const isWorthIt = !this.#isWell || this.#hooks.quietMs() > QUIET_MS;
    if (this.#isAsking || !isWorthIt || globalThis.document?.hidden) return;
    this.#isAsking = true;
    try {
      if (await this.#hooks.ask()) this.heard();
    } catch (error) {
      this.heard(error);
    }
    this.#isAsking = false;
  }

  #set(isWell) {
    if (isWell === this.#isWell) return;
    this.#isWell = isWell;
    this.#hooks.changed(isWell);
  }
}
