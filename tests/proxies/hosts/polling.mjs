// SPDX-License-Identifier: MIT
// polling.mjs - one Socket.IO session by long-polling, with the library from npm, as tests/chaos/person.mjs wants a
// connection: through a proxy each request may reach another gateway.
//
// See also: ../../chaos/connection.mjs, the same by WebSocket.

import { io } from "socket.io-client";

const OPEN_MS = 5_000; // a proxy may try a host that is off first

/** What stands before the dash in a sid: the process whose session it is. */
const ownerOf = (sid) => sid.split("-")[0];

export class PollingConnection {
  /** owner → gateway's id; see learn(). */
  static #gateways = new Map();
  isOpen = false;
  isOver = false;
  heardAt = 0;
  #socket;
  #waiting = new Set(); // when each unanswered request was sent, in that order

  /** Asks each gateway by itself how it names its sessions. */
  static async learn(urls) {
    for (const url of urls) {
      const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
      const { sid } = JSON.parse((await answer.text()).slice(1));
      PollingConnection.#gateways.set(ownerOf(sid), answer.headers.get("x-parlor-gateway"));
    }
  }

  constructor(url, hooks) {
    this.#socket = io(url, { transports: ["polling"], reconnection: false, forceNew: true, timeout: OPEN_MS });
    this.#socket.on("connect", () => {
      this.isOpen = true;
      this.heardAt = Date.now();
      this.#socket.io.engine.on("packet", () => { this.heardAt = Date.now(); });
      hooks.opened();
    });
    this.#socket.on("connect_error", (error) => {
      this.#end(() => hooks.closed(undefined, [error.message, error.description, "by polling"].filter(Boolean).join(" ")));
    });
    this.#socket.on("disconnect", (reason) => this.#end(() => hooks.closed(`${reason} by polling`)));
    this.#socket.onAny((event, data, second) => {
      if (this.isOver) return;
      const room = { msgHistory: second?.room, activeUsers: second }[event] ?? data?.room;
      hooks.told({ event, room, data, more: second?.more });
    });
  }

  get gateway() {
    const sid = this.#socket.io.engine?.id;
    return sid && PollingConnection.#gateways.get(ownerOf(sid));
  }

  #end(tell) {
    if (this.isOver) return;
    this.isOver = true;
    this.isOpen = false;
    tell();
    this.#socket.disconnect();
  }

  request(event, data, answered) {
    const sent = { at: Date.now() };
    this.#waiting.add(sent);
    this.#socket.emit(event, data, (answer) => {
      this.#waiting.delete(sent);
      if (!this.isOver) answered(answer.error ?? null, answer);
    });
  }

  waitingMs(now) {
    for (const { at } of this.#waiting) return now - at;
    return 0;
  }

  cut() {
    this.#end(() => {});
  }
}
