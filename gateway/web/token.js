// SPDX-License-Identifier: MIT
//
// token.js - a token that says who the user is: shown on each connection before anything else, and
// a new one before it ends. It goes in a frame, not in the URL, since URLs end in proxies' logs.

import { ParlorError } from "./connection.js";

export class Token {
  /** Whether this connection may ask for rooms. */
  isShown = false;

  #source;
  #send;

  /**
   * @param {string|function} [source]  the token, or what gives one, or promises to; none: a guest
   * @param {function} send             sends one, and promises the gateway's word
   */
  constructor(source, send) {
    this.#source = source;
    this.#send = send;
    this.forget();
  }

  /** A new connection knows nothing. */
  forget() {
    this.isShown = this.#source === undefined;
  }

  /** Rejects with what the gateway says, or with `unauthorized` when there is none to be had. */
  async show() {
    if (this.#source === undefined) return;
    await this.#send(await this.#get());
    this.isShown = true;
  }

  /** Whoever has no other than the one that ends keeps it until then. */
  async renew() {
    if (typeof this.#source === "function") await this.show();
  }

  async #get() {
    if (typeof this.#source === "string") return this.#source;
    try {
      return await this.#source();
    } catch (error) {
      throw new ParlorError({ code: "unauthorized", message: `There is no token: ${error.message}` });
    }
  }
}
