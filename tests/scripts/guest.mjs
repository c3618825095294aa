// SPDX-License-Identifier: MIT
// guest.mjs - one connection of a script's people to the real programs: what it asks, and what it was told, in order. What
// every client may rely on is judged here, as in guest.c.

import { Client } from "../e2e/lib/client.mjs";
import { SioClient } from "../e2e/lib/sio.mjs";

const THINGS = {
  updateChat: "say", userJoin: "join", userLeave: "leave", userTyping: "type", userStoppedTyping: "stop", newRoom: "invite",
  error: "error",
};

const historyOf = ({ data, more, reset }) => ({ texts: data.map(({ body }) => body), hasMore: more === true, isReset: reset === true });

export class Guest {
  /** What it was told without asking: { kind, user, room, text, isTaken }. */
  things = [];
  /** By id: { code, data } once they have come. */
  replies = new Map();
  fault = undefined;
  client = undefined;
  isClosedByOther = false;
  #seats = new Map();
  #digested = 0;
  #ids = 0;
  #joins = new Map();
  #asked = new Set();
  #frame = [];

  constructor(who, names) {
    this.who = who;
    this.user = who.split("@")[0];
    this.names = names;
  }

  async arrive(stack, { isSocketio = false, isBatched = false, gateway } = {}) {
    this.client = isSocketio
      ? await SioClient.connect(stack)
      : await Client.connect(stack, { gateway, protocols: isBatched ? ["parlor.v1"] : [] });
    Object.assign(this, { isSocketio, isBatched });
    this.#seats.clear();
    this.#asked.clear();
    this.#digested = 0;
  }

  get isHere() { return this.client !== undefined && !this.client.close_; }
  get closeCode() { return this.client?.close_?.code; }

  seat(room) {
    if (!this.#seats.has(room)) this.#seats.set(room, { room, lastSeq: 0, since: 0, users: [] });
    return this.#seats.get(room);
  }

  #fault(what) { this.fault ??= `${this.who} ${what}`; }

  // ---- what it does

  ask(event, data) {
    const id = ++this.#ids;
    this.#asked.add(id);
    if (this.isSocketio) {
      this.client.socket.emit(event, data, (answer) => {
        this.client.frames.push(answer?.error ? { event: "error", id, data: answer.error } : { event: "ack", id, data: answer });
      });
    } else {
      this.send(JSON.stringify({ event, id, data }));
    }
    return id;
  }

  askJoin(room, since, data) {
    const id = this.ask("userJoin", data);
    this.seat(room).since = since;
    this.#joins.set(id, this.seat(room));
    return id;
  }

  /** As it is, at the next flush at the latest: in batches, one frame has several objects. */
  send(text) {
    if (!this.isBatched) this.flush();
    this.#frame.push(text);
  }

  flush() {
    if (this.isHere && this.#frame.length > 0) this.client.raw(this.#frame.join("\n"));
    this.#frame = [];
  }

  async go(isLost) {
    const { client } = this;
    this.flush();
    this.digest();
    this.client = undefined;
    if (this.isSocketio && isLost) client.socket.io.engine.close();
    else if (isLost) client.cut();
    else await client.close();
  }

  look(isAway) {
    if (isAway) this.client.socket.pause();
    else this.client.socket.resume();
  }

  // ---- what it is told

  /** Takes in what came since the last time. */
  digest() {
    const frames = this.client?.frames ?? [];
    while (this.#digested < frames.length) this.#heard(frames[this.#digested++]);
  }

  #heard(frame) {
    if (frame.event === "ack") this.#ack(frame);
    else if (frame.event === "error" && frame.id !== undefined) this.#reply(frame, { code: frame.data.code });
    else if (frame.event === "activeUsers") this.#list(frame);
    else if (frame.event === "msgHistory") this.#history(frame);
    else this.#thing(frame);
  }

  #reply({ id }, reply) {
    if (!this.#asked.delete(id)) this.#fault(`gets a reply that nothing waits for: ${id}`);
    this.replies.set(id, reply);
  }

  #ack({ id, data }) {
    const joined = this.#joins.get(id);
    if (joined) Object.assign(joined, { hasList: false, greeting: undefined });
    const page = data.messages && historyOf({ data: data.messages, more: data.more });
    this.#reply({ id }, { seq: data.seq, status: data.status, page });
    if (data.messages) this.#checkRow(data.messages);
    if (!data.seq) return;
    const seat = this.seat(this.names.back(data.room));
    if (data.seq > seat.lastSeq + 1) this.#fault(`gets an ack before earlier messages of ${seat.room}`);
    seat.lastSeq = Math.max(seat.lastSeq, data.seq);
  }

  #list({ room, data }) {
    Object.assign(this.seat(this.names.back(room)), { hasList: true, users: data.map(this.names.back) });
  }

  #history(frame) {
    const seat = this.seat(this.names.back(frame.room));
    if (!seat.hasList) this.#fault(`gets the history before the list of ${seat.room}`);
    seat.greeting = historyOf(frame);
    this.#checkRow(frame.data);
    if (frame.data.length > 0) seat.lastSeq = frame.data.at(-1).seq;
    else seat.lastSeq = frame.reset ? 0 : Math.max(seat.lastSeq, seat.since);
  }

  #checkRow(messages) {
    messages.forEach(({ seq }, i) => {
      if (seq !== messages[0].seq + i) this.#fault("gets a history with gaps");
    });
  }

  #thing({ event, room, data }) {
    const [user, where] = [data.username ?? "", room ?? data.room ?? ""].map(this.names.back);
    const thing = { kind: THINGS[event] ?? event, user, room: where, text: "" };
    this.things.push(thing);
    if (event === "error") thing.text = data.code;
    if (event !== "updateChat") return;
    const seat = this.seat(thing.room);
    thing.text = data.body;
    if (data.seq !== seat.lastSeq + 1) this.#fault(`gets messages that do not follow one another in ${seat.room}`);
    seat.lastSeq = data.seq;
  }
}
