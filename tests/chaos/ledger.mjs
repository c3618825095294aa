// SPDX-License-Identifier: MIT
// ledger.mjs - what was promised to whom, kept outside of Parlor, and what was broken.

export class Ledger {
  /** room -> cid by seq, of acked messages. */
  rooms = new Map();
  ackedCount = 0;
  unavailable = 0;
  failures = [];
  #seqs = new Map(); // room and cid -> seq
  #lastAck = new Map(); // room -> ms
  #windows = new Set();

  broken(text) {
    if (this.failures.length < 50) {
      console.log(`BROKEN: ${text}`);
      this.failures.push(text);
    }
  }

  /** "An ack means stored", "a retry with the same cid is stored once": noted here, compared with the history later. */
  acked(room, seq, cid, body) {
    const log = this.rooms.get(room) ?? this.rooms.set(room, []).get(room);
    const key = `${room} ${cid}`;
    const before = this.#seqs.get(key);
    if (before !== undefined && before !== seq) this.broken(`${cid} is acked at ${before} and at ${seq} of ${room}`);
    if (log[seq] !== undefined && log[seq] !== cid) this.broken(`${room} ${seq} is acked for ${log[seq]} and for ${cid}`);
    if (before === undefined) {
      log[seq] = cid;
      this.#seqs.set(key, seq);
      this.ackedCount += body !== undefined;
    }
    const now = Date.now();
    for (const window of this.#windows) {
      window.all = Math.max(window.all, now - Math.max(this.#lastAck.get("") ?? now, window.from));
      window.room = Math.max(window.room, now - Math.max(this.#lastAck.get(room) ?? now, window.from));
    }
    this.#lastAck.set("", now).set(room, now);
  }

  /** Watches the longest time without an ack from now on: in ms, of all rooms together and of the worst one. */
  watch() {
    const window = { from: Date.now(), all: 0, room: 0 };
    this.#windows.add(window);
    return {
      end: () => {
        const now = Date.now();
        for (const [room, last] of this.#lastAck) {
          const pause = now - Math.max(last, window.from);
          if (room === "") window.all = Math.max(window.all, pause);
          else window.room = Math.max(window.room, pause);
        }
        this.#windows.delete(window);
        return { all: window.all, room: window.room };
      },
    };
  }
}
