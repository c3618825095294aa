// SPDX-License-Identifier: MIT
// person.mjs - a client as PROTOCOL.md wants one: it stays in its rooms through any number of connections, resumes with
// `since`, pages in what is missing, and sends each message with its cid until it is acked.
//
// Next: connection.mjs, the socket below; view.mjs, what must be right about what it reads.

import { Connection as WebSocketConnection } from "./connection.mjs";
import { bodyOf, cidOf, numberOf } from "./ledger.mjs";
import { View } from "./view.mjs";

const GIVE_UP_MS = 7_000; // a gateway answers within 5 s; one that does not is gone
const PROBE_MS = 2_000; // after so long without a word, ask
const AGAIN_MS = 300; // after `unavailable`
const PAGE = 200;
const BACKLOG_MAX = 150; // messages a writer keeps while it cannot send

const MAY_BE_TOLD = new Set(["unavailable"]);

/** A person in a room. */
class Seat {
  isJoined = false;
  isJoining = false;
  isPaging = false;
  notBefore = 0;
  people = new Set();
  outbox = []; // unacked: { cid, tries, isSent, notBefore }
  made = 0;
  dueAt = 0;

  constructor(person, room, isWriter) {
    this.room = room;
    this.isWriter = isWriter;
    this.view = new View(person.ledger, room, person.name);
  }

  forget() {
    this.isJoined = this.isJoining = this.isPaging = this.view.hasHistory = false;
    this.people.clear();
    for (const message of this.outbox) message.isSent = false;
  }
}

export class Person {
  seats = new Map();
  /** Away on purpose. */
  isAway = true;
  isWriting = true;
  counts = { connections: 0, closes: {}, failures: {}, givenUp: 0, vanished: 0, errors: {}, retries: 0, heldBack: 0 };
  #connection;
  #connectAt = 0;

  /**
   * @param options  { name, ledger, urls, random, rooms: [{ room, isWriter }], everyMs: between two messages in a room,
   *                   window: unanswered ones in a room, Connection: how it connects,
   *                   hasHeartbeat: it asks when it has heard nothing }
   */
  constructor({ name, ledger, urls, random, rooms, everyMs, window, Connection = WebSocketConnection, hasHeartbeat = true }) {
    Object.assign(this, { name, ledger, urls, random, everyMs, window, Connection, hasHeartbeat });
    this.key = `chaos-key-of-${name}`.padEnd(24, "-");
    for (const { room, isWriter } of rooms) this.seats.set(room, new Seat(this, room, isWriter));
  }

  get isOpen() { return this.#connection?.isOpen ?? false; }
  get gateway() { return this.#connection?.gateway; }
  get unacked() { return [...this.seats.values()].reduce((sum, seat) => sum + seat.outbox.length, 0); }
  isIn(room) { return this.isOpen && this.seats.get(room).isJoined; }

  come() {
    this.isAway = false;
    this.#connectAt = 0;
  }

  /** Leaves without a goodbye. */
  vanish() {
    this.counts.vanished += 1;
    this.leave();
  }

  leave() {
    this.isAway = true;
    this.#drop();
  }

  /** What time brings; called every few ms. */
  tick(now) {
    for (const seat of this.seats.values()) this.#write(seat, now);
    if (this.isAway) return;
    if (!this.#connection) {
      if (now >= this.#connectAt) this.#connect();
      return;
    }
    if (!this.isOpen) return;
    if (this.#connection.waitingMs(now) > GIVE_UP_MS) {
      this.counts.givenUp += 1;
      this.#drop();
      this.#connectAt = now + this.random() * 200;
      return;
    }
    for (const seat of this.seats.values()) {
      if (!seat.isJoined) this.#join(seat, now);
      else if (seat.view.hasHistory) this.#send(seat, now);
      if (now >= seat.notBefore) this.#fillGap(seat);
    }
    const isSilent = this.hasHeartbeat && now - this.#connection.heardAt > PROBE_MS && this.#connection.waitingMs(now) === 0;
    const [seat] = this.seats.values();
    if (isSilent && seat.isJoined) this.#request("history", { room: seat.room, limit: 1 }, () => {});
  }

  #connect() {
    this.counts.connections += 1;
    const url = this.urls[Math.floor(this.random() * this.urls.length)];
    this.#connection = new this.Connection(url, {
      opened: () => {},
      told: (frame) => this.#told(frame),
      closed: (code, why) => {
        const [counted, key] = why ? [this.counts.failures, why] : [this.counts.closes, code];
        counted[key] = (counted[key] ?? 0) + 1;
        if ([1002, 1003, 1007, 1009, 4001].includes(code)) this.#strange(`closed with ${code}`);
        this.#drop();
        this.#connectAt = Date.now() + 50 + this.random() * 250;
      },
    });
  }

  #drop() {
    this.#connection?.cut();
    this.#connection = undefined;
    for (const seat of this.seats.values()) seat.forget();
  }

  /** Errors are counted, and must be of those that a good client may meet. */
  #request(event, data, answered) {
    this.#connection.request(event, data, (error, reply) => {
      if (error) {
        this.counts.errors[error.code] = (this.counts.errors[error.code] ?? 0) + 1;
        if (!MAY_BE_TOLD.has(error.code)) this.#strange(`${event} gets ${error.code}: ${error.message}`);
      }
      answered(error, reply);
    });
  }

  #join(seat, now) {
    if (seat.isJoining || now < seat.notBefore) return;
    seat.isJoining = true;
    const data = { username: this.name, room: seat.room, key: this.key, since: seat.view.join() };
    this.#request("userJoin", data, (error) => {
      seat.isJoining = false;
      seat.isJoined = !error;
      if (error) seat.notBefore = Date.now() + AGAIN_MS;
    });
  }

  #write(seat, now) {
    if (!seat.isWriter || !this.isWriting) return;
    if (seat.dueAt === 0) seat.dueAt = now + this.random() * this.everyMs;
    for (; now >= seat.dueAt; seat.dueAt += this.everyMs) {
      if (seat.outbox.length >= BACKLOG_MAX) this.counts.heldBack += 1;
      else seat.outbox.push({ cid: cidOf(this.name, seat.room, ++seat.made), tries: 0, isSent: false, notBefore: 0 });
    }
  }

  #send(seat, now) {
    for (const message of seat.outbox.slice(0, this.window)) {
      if (!message.isSent && now >= message.notBefore) this.#post(seat, message);
    }
  }

  #post(seat, message) {
    const { cid } = message;
    message.isSent = true;
    if (message.tries++ > 0) this.counts.retries += 1;
    this.#request("updateChat", { room: seat.room, body: bodyOf(cid), cid }, (error, ack) => {
      if (error) {
        message.isSent = false;
        message.notBefore = Date.now() + AGAIN_MS;
        return;
      }
      this.ledger.acked(seat.room, cid, ack);
      seat.view.acked(ack.seq, message.tries > 1, numberOf(cid));
      seat.outbox.splice(seat.outbox.indexOf(message), 1);
      this.#send(seat, Date.now());
    });
  }

  #fillGap(seat) {
    const after = seat.view.gapAfter;
    if (after === undefined || seat.isPaging) return;
    seat.isPaging = true;
    this.#request("history", { room: seat.room, after, limit: PAGE }, (error, page) => {
      seat.isPaging = false;
      if (error) {
        seat.notBefore = Date.now() + AGAIN_MS;
        return;
      }
      seat.view.page(page.messages);
      this.#fillGap(seat);
    });
  }

  #told({ event, room, data, more }) {
    const seat = this.seats.get(room);
    if (event === "goingAway") return;
    if (!seat) {
      this.#strange(`${event} of room ${room}: ${JSON.stringify(data)}`);
    } else if (event === "updateChat") {
      seat.view.live(data);
    } else if (event === "msgHistory") {
      seat.view.history(data, more);
      this.#fillGap(seat);
    } else if (event === "activeUsers") {
      seat.people = new Set(data);
      if (seat.people.size !== data.length) this.#strange(`activeUsers with a name twice: ${data}`);
    } else if (event === "userJoin") {
      seat.people.add(data.username);
    } else if (event === "userLeave") {
      seat.people.delete(data.username);
    } else {
      this.#strange(`event ${event}`);
    }
  }

  #strange(text) {
    this.ledger.breaks("answers", `${this.name}: ${text}`);
  }
}
