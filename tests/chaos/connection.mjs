// SPDX-License-Identifier: MIT
// connection.mjs - one WebSocket of a client: requests with their answers, and everything else, in the order it came.

import WebSocket from "ws";

const OPEN_MS = 3_000;

export class Connection {
  isOpen = false;
  isOver = false;
  heardAt = 0;
  /** Which gateway took it. */
  gateway;
  #socket;
  #hooks;
  #ids = 0;
  #waiting = new Map();

  /** @param hooks  { opened(), told(frame), closed(code, why) }, why: of one that never opened; nothing is called after closed()
   *                 or cut() */
  constructor(url, hooks) {
    this.#hooks = hooks;
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, ["parlor.v1"], {
      perMessageDeflate: false, handshakeTimeout: OPEN_MS,
    });
    this.#socket = socket;
    socket.on("upgrade", (response) => { this.gateway = response.headers["x-parlor-gateway"]; });
    let why;
    socket.on("error", (error) => { why = this.isOpen ? undefined : error.message; }); // a close follows
    socket.on("open", () => {
      if (this.isOver) return;
      this.isOpen = true;
      this.heardAt = Date.now();
      hooks.opened();
    });
    socket.on("message", (bytes) => this.#received(bytes.toString()));
    socket.on("close", (code) => this.#end(() => hooks.closed(code, why)));
  }

  #received(text) {
    this.heardAt = Date.now();
    for (const line of text.split("\n")) {
      if (line === "" || this.isOver) continue;
      const frame = JSON.parse(line);
      const waiting = this.#waiting.get(frame.id);
      if (frame.event !== "ack" && !(frame.event === "error" && frame.id !== undefined)) this.#hooks.told(frame);
      else if (!waiting) this.#hooks.told({ ...frame, event: "a reply to nothing" });
      else {
        this.#waiting.delete(frame.id);
        waiting.answered(frame.event === "error" ? frame.data : null, frame.data);
      }
    }
  }

  #end(tell) {
    if (this.isOver) return;
    this.isOver = true;
    this.isOpen = false;
    this.#waiting.clear();
    tell();
  }

  /** `answered(error, data)` is called in the answer's place among all frames, or never. */
  request(event, data, answered) {
    const id = ++this.#ids;
    this.#waiting.set(id, { answered, at: Date.now() });
    this.#socket.send(JSON.stringify({ event, data, id }));
  }

  /** For how long the oldest request has waited. */
  waitingMs(now) {
    for (const { at } of this.#waiting.values()) return now - at; // in the order of their sending
    return 0;
  }

  /** Gone without a word: neither a userLeave nor a WebSocket close. */
  cut() {
    this.#end(() => {});
    this.#socket.terminate();
  }
}
