// SPDX-License-Identifier: MIT
// client.mjs - a client of the native protocol that keeps everything it was told, in order.

import WebSocket from "ws";
import { PATIENCE_MS, until, within } from "./wait.mjs";

/** What the gateway refused; `code` as in the protocol. */
export class Refused extends Error {
  constructor(data) {
    super(`${data.code}: ${data.message}`);
    Object.assign(this, data);
  }
}

/** What a request meets whose connection is gone. */
export class Gone extends Error {}

export class Client {
  /** All frames in the order they came. */
  frames = [];
  /** How many objects each WebSocket frame held. */
  batches = [];
  close_ = null;
  #ids = 0;
  #waiting = new Map();
  #taken = new Set();
  #wakers = new Set();

  /**
   * Connects to a Stack (or anything with a `url`).
   * @param options  { protocols, query, headers, gateway }: `gateway` insists on the one with that id
   */
  static async connect(stack, { protocols = [], query = "", headers = {}, gateway } = {}) {
    return await until(`a connection to gateway ${gateway ?? "any"}`, async () => {
      const client = new Client();
      await client.#open(`${stack.url.replace("http", "ws")}/ws${query}`, protocols, { headers, ca: stack.ca });
      if (gateway === undefined || client.gateway === gateway) return client;
      await client.close();
      return null;
    });
  }

  /** Connects and joins: what nearly every test begins with. */
  static async join(stack, username, room, { join = {}, ...options } = {}) {
    const client = await Client.connect(stack, options);
    await client.join(username, room, join);
    return client;
  }

  #open(url, protocols, options) {
    this.socket = new WebSocket(url, protocols, { ...options, perMessageDeflate: false });
    this.socket.on("upgrade", (response) => {
      const id = response.headers["x-parlor-gateway"];
      this.gateway = id === undefined ? undefined : Number(id);
    });
    this.socket.on("message", (bytes) => this.#received(bytes.toString()));
    this.socket.on("close", (code, reason) => this.#closed(code, reason.toString()));
    return within(new Promise((resolve, reject) => {
      this.socket.on("open", resolve).on("error", reject);
    }), "the WebSocket opens");
  }

  #received(text) {
    const objects = text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    this.batches.push(objects.length);
    for (const frame of objects) {
      this.frames.push(frame);
      const waiting = this.#waiting.get(frame.id);
      if (frame.id === undefined || !waiting) continue;
      this.#waiting.delete(frame.id);
      if (frame.event === "ack") waiting.resolve(frame.data);
      else waiting.reject(new Refused(frame.data));
    }
    this.#wake();
  }

  #closed(code, reason) {
    this.close_ = { code, reason };
    for (const { reject } of this.#waiting.values()) reject(new Gone(`closed with ${code}`));
    this.#waiting.clear();
    this.#wake();
  }

  #wake() {
    for (const wake of this.#wakers) wake();
  }

  /** Sends text as it is. */
  raw(text) {
    this.socket.send(text);
  }

  send(event, data) {
    this.raw(JSON.stringify({ event, data }));
  }

  /** Sends with an id; resolves with the data of the ack, rejects with Refused or Gone. */
  request(event, data, ms = PATIENCE_MS) {
    const id = ++this.#ids;
    const reply = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    reply.catch(() => {}); // whoever is interested awaits it
    if (this.close_) this.#waiting.get(id).reject(new Gone("closed before"));
    else this.raw(JSON.stringify({ event, data, id }));
    return within(reply, `a reply to ${event}`, ms);
  }

  join(username, room, more = {}) {
    this.username = username;
    return this.request("userJoin", { username, room, ...more });
  }

  say(room, body, more = {}) {
    return this.request("updateChat", { room, body, ...more });
  }

  /** Waits for a frame of that event that nobody took before, and takes it. */
  async take(event, matches = () => true, ms = PATIENCE_MS) {
    const find = () => this.frames.findIndex((frame, i) =>
      frame.event === event && !this.#taken.has(i) && matches(frame));
    const what = `${this.username ?? "a client"} gets ${event}`;
    const index = await within(this.#when(() => find() >= 0 && find() + 1), what, ms).catch((error) => {
      const last = this.frames.slice(-8).map((frame) => JSON.stringify(frame).slice(0, 200));
      throw new Error(`${error.message}; close: ${JSON.stringify(this.close_)}; last frames:\n${last.join("\n")}`);
    });
    this.#taken.add(index - 1);
    return this.frames[index - 1];
  }

  async #when(condition) {
    let result;
    while (!(result = condition())) {
      let wake;
      const news = new Promise((resolve) => { wake = resolve; });
      this.#wakers.add(wake);
      await news;
      this.#wakers.delete(wake);
    }
    return result;
  }

  /** Every frame so far of that event. */
  all(event, room) {
    return this.frames.filter((frame) => frame.event === event && (room === undefined || frame.room === room));
  }

  /** Everyone named by the newest activeUsers of the room. */
  people(room) {
    return [...(this.all("activeUsers", room).at(-1)?.data ?? [])].sort();
  }

  /** Waits until the newest activeUsers of the room names exactly these. */
  async sees(room, names, ms = PATIENCE_MS) {
    const expected = JSON.stringify([...names].sort());
    await within(this.#when(() => JSON.stringify(this.people(room)) === expected), "", ms).catch(() => {
      throw new Error(`${this.username} should see ${expected} in ${room}, sees ${JSON.stringify(this.people(room))}`);
    });
  }

  /** The code of the error that answers a frame sent as it is. The room trip proves that the connection lives on. */
  async errorFor(text, id) {
    const from = this.frames.length;
    this.raw(text);
    await within(this.#when(() => this.frames.slice(from).some((f) => f.event === "error" && f.id === id) || this.close_),
      `an error for ${text.slice(0, 80)}`);
    return this.frames.slice(from).find((f) => f.event === "error" && f.id === id)?.data;
  }

  /** Everything that was under way towards this client has arrived, as far as this gateway goes. */
  async roundTrip() {
    await this.request("history", { room: "a room that nobody joins" }).catch((error) => {
      if (!(error instanceof Refused)) throw error;
    });
  }

  /** Waits for the close: { code, reason }. */
  async closed(ms = PATIENCE_MS) {
    await within(this.#when(() => this.close_), `${this.username ?? "a client"} is closed`, ms);
    return this.close_;
  }

  async close() {
    if (!this.close_) this.socket.close();
    return this.closed();
  }

  /** Gone without a word. */
  cut() {
    this.socket.terminate();
  }
}
