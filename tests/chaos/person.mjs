// SPDX-License-Identifier: MIT
// person.mjs - a client that writes and reads whatever happens: it sends a message again with its cid until it is acked,
// reconnects to any gateway when one does not answer, and resumes each room where it had got to.
//
// What it is told is compared with the promises as it comes (ledger.mjs) and at the end.

import WebSocket from "ws";

const ANSWER_MS = 7000; // a connection that owes an answer for longer is given up
const OUTSTANDING_MAX = 300; // messages without an ack, before it writes no more for now
const PAGE = 200;

export class Person {
  /** What it has read: for each room an array of cids by seq, without a gap from 1 to `have`. */
  rooms = new Map();
  outstanding = new Map(); // cid -> { room, body, sent }
  isAway = false;
  #socket = null;
  #isOpen = false;
  #ids = 0;
  #asked = new Map(); // id -> { kind, room, cid, at }
  #written = 0;
  #retryAt = 0;

  constructor(name, rooms, urls, ledger, rng) {
    Object.assign(this, { name, urls, ledger, rng, key: `the key of ${name}, sixteen bytes` });
    for (const room of rooms) {
      this.rooms.set(room, { name: room, log: [], have: 0, live: null, isJoined: false, users: new Set() });
    }
  }

  get isConnected() {
    return this.#isOpen && [...this.rooms.values()].every(({ isJoined }) => isJoined);
  }

  /** One message into one of its rooms; sent when the room is joined. */
  write() {
    if (this.outstanding.size >= OUTSTANDING_MAX) return;
    const names = [...this.rooms.keys()];
    const room = names[this.#written % names.length];
    const cid = `${this.name}-${this.#written++}`;
    this.outstanding.set(cid, { room, body: `message ${cid}`, sent: 0 });
    if (this.rooms.get(room).isJoined) this.#post(cid);
  }

  /** Looks after the connection; to be called a few times a second. */
  tend(now) {
    if (this.isAway || now < this.#retryAt) return;
    if (!this.#socket) return this.#connect();
    const oldest = this.#asked.values().next().value;
    if (oldest && now > oldest.at + ANSWER_MS) return this.cut();
    for (const room of this.rooms.values()) {
      if (this.#isOpen && !room.isJoined && !room.isJoining) this.#join(room);
    }
    for (const [cid, post] of this.outstanding) {
      if (!post.sent && this.rooms.get(post.room).isJoined) this.#post(cid);
    }
  }

  /** The connection ends without a goodbye. */
  cut() {
    this.#socket?.terminate();
    this.#gone(this.#socket);
  }

  #connect() {
    const url = this.urls[Math.floor(this.rng() * this.urls.length)];
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, "parlor.v1", {
      handshakeTimeout: 3000, perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on("open", () => {
      if (socket !== this.#socket) return;
      this.#isOpen = true;
      for (const room of this.rooms.values()) this.#join(room);
    });
    socket.on("message", (bytes) => {
      if (socket !== this.#socket) return;
      for (const line of bytes.toString().split("\n")) if (line) this.#hear(JSON.parse(line));
    });
    socket.on("error", () => {}).on("close", () => this.#gone(socket));
  }

  #gone(socket) {
    if (!socket || socket !== this.#socket) return;
    this.#socket = null;
    this.#isOpen = false;
    this.#asked.clear();
    this.#retryAt = Date.now() + 100 + this.rng() * 400;
    for (const room of this.rooms.values()) Object.assign(room, { isJoined: false, isJoining: false, live: null });
    for (const post of this.outstanding.values()) post.sent = 0;
  }

  #ask(kind, event, data, more = {}) {
    const id = ++this.#ids;
    this.#asked.set(id, { kind, room: data.room, at: Date.now(), ...more });
    this.#socket.send(JSON.stringify({ event, id, data }));
  }

  #join(room) {
    room.isJoining = true;
    room.since = room.have;
    this.#ask("join", "userJoin", { username: this.name, key: this.key, room: room.name, since: room.have });
  }

  #post(cid) {
    const post = this.outstanding.get(cid);
    post.sent++;
    this.#ask("post", "updateChat", { room: post.room, cid, body: post.body }, { cid });
  }

  #hear({ event, id, data, room: name, more }) {
    const room = this.rooms.get(name);
    if (event === "ack") return this.#acked(id, data);
    if (event === "error") return this.#refused(id, data);
    if (event === "msgHistory") return this.#history(room, data, more);
    if (event === "updateChat") return this.#step(room, data.seq, data);
    if (event === "activeUsers") room.users = new Set(data);
    else if (event === "userJoin") room.users.add(data.username);
    else if (event === "userLeave") room.users.delete(data.username);
  }

  #acked(id, data) {
    const asked = this.#asked.get(id);
    if (!asked) return this.ledger.broken(`${this.name} gets an ack for what it has not asked: ${id}`);
    this.#asked.delete(id);
    const room = this.rooms.get(asked.room);
    if (asked.kind === "join") Object.assign(room, { isJoined: true, isJoining: false });
    else if (asked.kind === "page") this.#page(room, data.messages);
    else if (asked.kind === "post") {
      const post = this.outstanding.get(asked.cid);
      this.outstanding.delete(asked.cid);
      this.ledger.acked(room.name, data.seq, asked.cid, post?.body);
      // An ack stands in the room's order where the message would; that of a repetition may come later.
      if (room.live && data.seq > room.live.last) this.#step(room, data.seq, { cid: asked.cid });
    }
  }

  #refused(id, data) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (!asked || data.code !== "unavailable") {
      this.ledger.broken(`${this.name} gets an error for ${asked?.kind}: ${data.code} ${data.message}`);
      return;
    }
    this.ledger.unavailable++;
    if (asked.kind === "join") this.rooms.get(asked.room).isJoining = false;
    if (asked.kind === "page") this.rooms.get(asked.room).isPaging = false;
    const post = this.outstanding.get(asked.cid);
    if (post) post.sent = 0; // again at the next look
  }

  /* "Nothing twice, nothing missing": on one connection each next thing of a room is the next seq. */
  #step(room, seq, message) {
    if (!room.live) return this.ledger.broken(`${this.name}: ${room.name} ${seq} before msgHistory`);
    if (seq !== room.live.last + 1) {
      this.ledger.broken(`${this.name}: ${room.name} has ${seq} after ${room.live.last}`);
    }
    room.live.last = seq;
    room.live.cids.push(message.cid);
    this.#close(room);
  }

  #history(room, messages, more) {
    const first = messages[0]?.seq ?? room.since + 1;
    if (!more && first !== room.since + 1) {
      this.ledger.broken(`${this.name}: ${room.name} since ${room.since} begins with ${first}`);
    }
    room.live = { first, last: first - 1, cids: [] };
    room.isPaging = false;
    for (const message of messages) this.#step(room, message.seq, message);
    this.#close(room);
    this.#fill(room);
  }

  #fill(room) {
    if (room.isPaging || !room.live || room.have + 1 >= room.live.first) return;
    room.isPaging = true;
    this.#ask("page", "history", { room: room.name, after: room.have, limit: PAGE });
  }

  #page(room, messages) {
    room.isPaging = false;
    for (const { seq, cid } of messages) {
      if (seq <= room.have) continue;
      if (seq !== room.have + 1) this.ledger.broken(`${this.name}: a page of ${room.name} has ${seq} after ${room.have}`);
      room.log[seq] = cid;
      room.have = seq;
    }
    this.#close(room);
    this.#fill(room);
  }

  /* The live run joins on to what was read before, as soon as it reaches it. */
  #close(room) {
    const { live } = room;
    if (!live || room.have + 1 < live.first) return;
    while (room.have < live.last) {
      room.have++;
      room.log[room.have] = live.cids[room.have - live.first];
    }
    live.first = live.last + 1;
    live.cids.length = 0;
  }
}
