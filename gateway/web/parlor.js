// SPDX-License-Identifier: MIT
//
// parlor.js - a client of Parlor for any page: rooms, and the messages in them.
//
// Lives here: coming back into every room with what was missed, giving messages on once each and in
// order, sending until stored.
// Does not: the socket (connection.js), the page, or anything that outlives this object.
// README.md in this folder has the table of methods and events.

import { Connection, ParlorError } from "./connection.js";
import { Health } from "./health.js";
import { Membership } from "./membership.js";
import { Token } from "./token.js";

export { ParlorError };

const PAGE = 200; // messages in one page of history: the most the gateway gives
const TYPING_MS = 1000; // say "typing" at most this often
const UNANSWERED_MOST = 3; // a message that live connections left unanswered so often is given up

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Text of `length` letters and digits that nobody can guess. */
export function randomText(length) {
  const letters = "abcdefghijklmnopqrstuvwxyz234567";
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => letters[byte & 31]).join("");
}

export class Parlor {
  /** The name in use; the gateway's spelling of it once a room was joined. */
  username;

  #key;
  #connection;
  #rooms = new Map(); // by the gateway's spelling of the name
  #handlers = new Map();
  #health;
  #token;

  /**
   * @param {string} username  the one name of this connection
   * @param {string} [key]     16 to 64 bytes that only this user knows: the name is theirs by it
   * @param {string|function} [token]  a token, or a function that gives or promises one: instead of a key
   * @param {string} [url]     default: `ws` beside the page
   * @param {function} [WebSocket]  where the system has none of its own
   */
  constructor({ username, key, token, url = defaultUrl(), WebSocket = globalThis.WebSocket }) {
    this.username = username;
    this.#key = key;
    this.#connection = new Connection(url, {
      onState: (state) => this.#emit("state", { state }),
      onOpen: () => {
        this.#health.start();
        if (this.#token.isShown) this.#enterAll();
        else this.#arrive();
      },
      onLost: () => {
        this.#health.stop();
        this.#token.forget();
        this.#rooms.forEach((room) => this.#pause(room));
      },
      onWake: () => this.#rooms.forEach((room) => room.live && this.#fillGap(room)),
      onFrame: (frame) => this.#receive(frame),
      isWanted: () => this.#rooms.size > 0,
    }, WebSocket);
    this.#token = new Token(token, (text) => this.#connection.request("refreshToken", { token: text }));
    this.#health = new Health({
      quietMs: () => this.#connection.quietMs,
      ask: () => {
        const room = [...this.#rooms.values()].find(({ live }) => live);
        return room && this.history(room.name, { limit: 1 });
      },
      changed: (isWell) => this.#emit("health", { well: isWell }),
    });
  }

  /** "closed" | "connecting" | "open" | "offline" (a try has failed; more follow by themselves). */
  get state() {
    return this.#connection.state;
  }

  /** Calls `handler(payload)` at each event of that name; returns a function that ends it. */
  on(name, handler) {
    if (!this.#handlers.has(name)) this.#handlers.set(name, new Set());
    this.#handlers.get(name).add(handler);
    return () => this.#handlers.get(name).delete(handler);
  }

  /** Enters a room and stays in it through reconnects, until `leave` or the event `refused`. */
  join(name) {
    let room = this.#room(name);
    if (room) return room.entered;
    room = new Membership(spelled(name));
    this.#rooms.set(room.name, room);
    if (this.state === "closed") this.#connection.open();
    else if (this.state === "open" && this.#token.isShown) this.#enter(room);
    return room.entered;
  }

  leave(name) {
    const room = this.#room(name);
    if (!room) return;
    this.#drop(room, new ParlorError({ code: "left", message: "You left the room." }));
    this.#connection.request("userLeave", { room: room.name }).catch(() => {});
  }

  /**
   * Sends a message until it is stored: over lost connections, busy services and rate limits.
   * Returns its `cid` and `stored`, a promise of { room, seq, time }; it rejects when the gateway
   * refuses. To try a refused message again, pass its `cid`: it will be stored once in any case.
   */
  send(name, body, { cid = randomText(20) } = {}) {
    const room = this.#room(name);
    const letter = { cid, body, unanswered: 0 };
    const stored = new Promise((resolve, reject) => Object.assign(letter, { resolve, reject }));
    stored.catch(() => {}); // who does not wait for it need not hear of it
    if (room) {
      room.outbox.push(letter);
      room.typedAt = 0; // the message ends the typing; what is typed next is new
      this.#sendNext(room);
    } else {
      letter.reject(new ParlorError({ code: "not_joined", message: `You are not in "${name}".` }));
    }
    return { cid, stored };
  }

  /** Says that the user is typing; may be called at every key. */
  typing(name) {
    const room = this.#room(name);
    if (!room?.live || Date.now() - room.typedAt < TYPING_MS) return;
    room.typedAt = Date.now();
    const data = { room: room.name, username: this.username };
    this.#connection.write({ event: "userTyping", data });
  }

  /** A page of messages before or after a seq, or the newest: { messages, more }. */
  history(name, { before, after, limit = PAGE } = {}) {
    return this.#connection.request("history", { room: name, before, after, limit });
  }

  /** Makes room `name` private to two and invites the other: { status: "invited"|"alreadyIn" }. */
  invite(username, name) {
    return this.#connection.request("newRoom", { username2: username, room: name });
  }

  /** Ends it all: every room, every message not yet stored. */
  close() {
    this.#connection.close();
    const error = new ParlorError({ code: "left", message: "The connection was closed." });
    for (const room of this.#rooms.values()) this.#drop(room, error);
  }

  #room(name) {
    return this.#rooms.get(name) ?? this.#rooms.get(spelled(name));
  }

  // ---- what comes in

  #receive({ event, room: name, data, more, total, epoch, reset }) {
    if (event === "newRoom") this.#emit("invitation", data);
    else if (event === "goingAway") this.#connection.reconnectWithin(data?.reconnectAfterMs);
    else if (event === "tokenExpires") this.#token.renew().catch(() => {}); // the next connection says why
    else if (event === "error") this.#emit("error", { error: new ParlorError(data) });
    const room = this.#rooms.get(name ?? data?.room);
    if (!room) return; // left while the frame was on its way
    if (event === "updateChat") this.#take(room, data);
    else if (event === "msgHistory") this.#begin(room, data, { more: Boolean(more), epoch, reset });
    else if (event === "activeUsers") {
      this.#emit("people", { room: room.name, names: data, total: total ?? data.length });
    } else if (event === "userJoin") this.#emit("join", data);
    else if (event === "userLeave") this.#emit("leave", data);
    else if (event === "userTyping") this.#emit("typing", data);
    else if (event === "userStoppedTyping") this.#emit("stopped", data);
  }

  #emit(name, payload) {
    for (const handler of this.#handlers.get(name) ?? []) {
      try {
        handler(payload);
      } catch (error) {
        // a fault in the page must not break the order kept here
        if (globalThis.reportError) globalThis.reportError(error);
        else console.error(error);
      }
    }
  }

  // ---- being in a room

  #enterAll() {
    this.#rooms.forEach((room) => this.#enter(room));
  }

  /** Shows the token first; without a good one no room can be had. */
  async #arrive() {
    try {
      await this.#token.show();
      this.#enterAll();
    } catch (error) {
      const noConnection = error.code === "offline" || error.code === "timeout";
      if (!noConnection) for (const room of [...this.#rooms.values()]) this.#refuse(room, error);
    }
  }

  #refuse(room, error) {
    this.#drop(room, error);
    this.#emit("refused", { room: room.name, error });
  }

  async #enter(room) {
    const { username } = this;
    const { name, lastSeq: since, epoch } = room;
    const data = { username, room: name, since, epoch, key: this.#key };
    try {
      const ack = await this.#connection.request("userJoin", data, (joined) => {
        this.username = joined.username ?? username;
        this.#rename(room, joined.room ?? room.name);
      });
      room.resolve(ack);
    } catch (error) {
      const noConnection = error.code === "offline" || error.code === "timeout";
      if (noConnection || !this.#isIn(room)) return; // the next connection enters again
      this.#health.heard(error);
      if (error.temporary) {
        await sleep(error.retryAfterMs);
        if (this.#isIn(room) && this.state === "open" && !room.live) this.#enter(room);
      } else {
        this.#refuse(room, error);
      }
    }
  }

  /** All frames about the room that follow its ack have the gateway's spelling. */
  #rename(room, name) {
    if (name === room.name || !this.#isIn(room)) return;
    const known = this.#rooms.get(name);
    this.#rooms.delete(room.name);
    room.name = name;
    if (known) known.outbox.push(...room.outbox.splice(0)); // one room by two names
    else this.#rooms.set(name, room);
  }

  #isIn(room) {
    return this.#rooms.get(room.name) === room;
  }

  #pause(room) {
    room.live = false;
    room.held.clear(); // all this comes again, after `since`
  }

  #drop(room, error) {
    this.#rooms.delete(room.name);
    this.#pause(room);
    room.reject(error);
    for (const letter of room.outbox.splice(0)) letter.reject(error);
  }

  // ---- messages, each once and in order

  /**
   * The page at the start of a room: its newest messages, or what came after `since`. With `reset`
   * what was given before does not stand any more, and everything begins anew with this page.
   */
  #begin(room, messages, { more, epoch, reset = false }) {
    room.live = true;
    if (reset) {
      room.lastSeq = undefined;
      room.held.clear();
    }
    if (room.lastSeq === undefined) {
      room.lastSeq = 0;
      this.#give(room, messages, { first: true, more, reset });
      room.epoch = epoch;
    } else if (more) {
      messages.forEach((message) => room.hold(message)); // the end of the gap, not its start
      this.#fillGap(room);
    } else {
      this.#give(room, messages);
      room.epoch = epoch ?? room.epoch;
    }
    this.#sendNext(room);
  }

  #take(room, message) {
    room.hold(message);
    if (!room.live || room.filling) return;
    this.#give(room, room.takeNext());
    if (room.held.size > 0) this.#fillGap(room);
  }

  /** Hands messages over. They are ascending, and none is missing before them. */
  #give(room, messages, { first = false, more = false, reset = false } = {}) {
    const fresh = messages.filter((message) => message.seq > room.lastSeq);
    for (const message of fresh) {
      room.lastSeq = message.seq;
      room.epoch = message.epoch ?? room.epoch;
      room.held.delete(message.seq);
      if (message.username === this.username) room.takeLetter(message.cid)?.resolve(message);
    }
    if (first || fresh.length > 0) {
      this.#emit("messages", { room: room.name, messages: fresh, first, more, reset });
    }
  }

  /** Pages in what follows `lastSeq`; live messages wait meanwhile. */
  async #fillGap(room) {
    if (room.filling) return;
    room.filling = true;
    let pause = 0;
    try {
      for (let more = true; more;) {
        const page = await this.history(room.name, { after: room.lastSeq });
        this.#give(room, page.messages);
        this.#give(room, room.takeNext());
        more = page.more && page.messages.length > 0;
      }
    } catch (error) {
      if (error.temporary && room.live) pause = error.retryAfterMs;
    }
    if (pause > 0) await sleep(pause);
    room.filling = false;
    if (!room.live) return; // the next connection asks again
    if (pause > 0) this.#fillGap(room);
    // Holes that are still there will stay: expired messages, or a room that may not be read.
    else this.#give(room, [...room.held.values()].sort((a, b) => a.seq - b.seq));
  }

  // ---- writing

  /** One message of a room at a time is under way, so that retries cannot change their order. */
  async #sendNext(room) {
    if (room.sending) return;
    room.sending = true;
    while (room.live && room.outbox.length > 0) {
      const letter = room.outbox[0];
      const { cid, body } = letter;
      try {
        await this.#connection.request("updateChat", { room: room.name, body, cid }, (ack) => {
          this.#health.heard();
          this.#stored(room, { username: this.username, body, cid, ...ack });
        });
      } catch (error) {
        this.#health.heard(error);
        if (error.code === "timeout") letter.unanswered += 1;
        const isHopeless = letter.unanswered >= UNANSWERED_MOST;
        if (!error.temporary || isHopeless) room.takeLetter(cid)?.reject(error);
        else if (room.live) await sleep(error.retryAfterMs);
      }
    }
    room.sending = false;
  }

  #stored(room, message) {
    const letter = room.takeLetter(message.cid);
    letter?.resolve(message);
    if (letter && message.seq <= room.lastSeq) {
      // Another message had this number before: the room's log has begun anew, and so do we.
      room.lastSeq = undefined;
      this.#connection.reconnect();
    } else {
      this.#take(room, message);
    }
  }
}

/** A name as the gateway spells it: in normal form C. */
const spelled = (name) => String(name).normalize("NFC");

/** Beside the page, wherever a proxy puts it. */
function defaultUrl() {
  const url = new URL("ws", globalThis.document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = url.hash = "";
  return url.href;
}
