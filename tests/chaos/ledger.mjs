// SPDX-License-Identifier: MIT
// ledger.mjs - what all clients together were told: one message for each place, one place for each message, what was
// acked and when. Any word of a gateway that contradicts an earlier one is a broken promise.
//
// Next: view.mjs, what one client was told of one room.

const GAP_MIN_MS = 100; // shorter silences between acks are not worth keeping
const EXAMPLES_MAX = 12;

/** A message's text follows from its cid, so that everyone can tell whether it is right. */
export const bodyOf = (cid) => `${cid} ${"lorem ipsum dolor ".repeat(cid.length % 7)}${numberOf(cid) % 97}`;
export const cidOf = (author, room, n) => `${author}.${room}#${n}`;
export const numberOf = (cid) => Number(cid.split("#")[1]);
export const authorOf = (cid) => cid.slice(0, cid.indexOf("."));

/** The promises, as the verdict counts them. */
export const PROMISES = {
  lost: "acked messages lost",
  twice: "messages stored or shown twice",
  order: "gaps or wrong order in a client's view",
  content: "messages with a wrong text, author or time",
  presence: "lists wrong for longer than 10 s, ghosts",
  unacked: "messages never acked",
  acks: "a wait for acks of 10 s or more after a kill",
  answers: "answers that the protocol does not know",
  health: "services not ready again, or ended by themselves",
};

class RoomLedger {
  told = []; // seq → cid
  places = new Map(); // cid → seq
  acked = new Map(); // cid → { seq, time }
  lastAck;
}

export class Ledger {
  broken = Object.fromEntries(Object.keys(PROMISES).map((name) => [name, { count: 0, examples: [] }]));
  ackedCount = 0;
  /** Silences: { room, from, to }; room undefined: no ack in any room. */
  gaps = [];
  #rooms;
  #everywhere;
  #now;

  constructor(rooms, now = Date.now) {
    this.#now = now;
    this.#rooms = new Map(rooms.map((room) => [room, new RoomLedger()]));
  }

  room(name) { return this.#rooms.get(name); }
  get rooms() { return [...this.#rooms.keys()]; }
  get isKept() { return Object.values(this.broken).every(({ count }) => count === 0); }

  breaks(promise, text) {
    const entry = this.broken[promise];
    entry.count += 1;
    if (entry.examples.length >= EXAMPLES_MAX) return;
    entry.examples.push(text);
    console.log(`!! ${PROMISES[promise]}: ${text}`);
  }

  /** Somebody was told that this message stands at this place. */
  told(roomName, { seq, cid, body, username, room: named }, who) {
    if (cid === undefined || body !== bodyOf(cid) || username !== authorOf(cid) || named !== roomName) {
      this.breaks("content", `${who} in ${roomName} reads at ${seq}: ${JSON.stringify({ cid, username, body, named })}`);
      return;
    }
    this.#place(roomName, cid, seq, who);
  }

  #place(roomName, cid, seq, who) {
    const room = this.#rooms.get(roomName);
    const other = room.told[seq];
    if (other !== undefined && other !== cid) {
      this.breaks("order", `${roomName} ${seq} is ${other}, and ${cid} for ${who}`);
    }
    const place = room.places.get(cid);
    if (place !== undefined && place !== seq) {
      this.breaks("twice", `${roomName} ${cid} stands at ${place}, and at ${seq} for ${who}`);
    }
    room.told[seq] = cid;
    room.places.set(cid, seq);
  }

  acked(roomName, cid, { seq, time, room: named }) {
    const now = this.#now();
    const room = this.#rooms.get(roomName);
    if (!Number.isInteger(seq) || !Number.isInteger(time) || named !== roomName) {
      this.breaks("answers", `ack of ${cid}: ${JSON.stringify({ seq, time, room: named })}`);
      return;
    }
    const before = room.acked.get(cid);
    if (before && (before.seq !== seq || before.time !== time)) {
      this.breaks("twice", `${cid} is acked at ${before.seq} (${before.time}) and at ${seq} (${time})`);
    }
    this.#place(roomName, cid, seq, "its author");
    if (!before) this.ackedCount += 1;
    room.acked.set(cid, { seq, time });
    this.#noteGap(room.lastAck, now, roomName);
    this.#noteGap(this.#everywhere, now, undefined);
    room.lastAck = this.#everywhere = now;
  }

  #noteGap(from, to, room) {
    if (from !== undefined && to - from >= GAP_MIN_MS) this.gaps.push({ room, from, to });
  }

  /** The silences so far, with those that still last. */
  allGaps() {
    const to = this.#now();
    const open = this.rooms.map((room) => ({ room, from: this.room(room).lastAck ?? to, to }));
    return [...this.gaps, ...open, { room: undefined, from: this.#everywhere ?? to, to }];
  }
}
