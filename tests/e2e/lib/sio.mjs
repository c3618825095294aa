// SPDX-License-Identifier: MIT
// sio.mjs - a Socket.IO client, one of three generations from npm, that keeps everything it was told as client.mjs does:
// frames of { event, room, data }, so that room.mjs reads both.

import { createRequire } from "node:module";
import { Refused } from "./client.mjs";
import { PATIENCE_MS, until, within } from "./wait.mjs";

const require = createRequire(import.meta.url);
const CONNECT = {
  4: require("socket.io-client").io,
  2: require("socket.io-client-2"),
  1: require("socket.io-client-1"),
};
const EVENTS = ["activeUsers", "msgHistory", "userJoin", "userLeave", "userTyping", "userStoppedTyping", "updateChat",
  "newRoom", "goingAway", "error"];

/** Every generation over every transport. */
export const KINDS = [4, 2, 1].flatMap((version) =>
  [["websocket"], ["polling"], ["polling", "websocket"]].map((transports) =>
    ({ version, transports, name: `${version}.x over ${transports.join(", then ")}` })));

export class SioClient {
  frames = [];
  connects = 0;
  #taken = new Set();

  /** @param options  { version, transports, reconnection, ... }: what is not listed goes to the library */
  static async connect(stack, { version = 4, transports = ["websocket"], reconnection = false, ...options } = {}) {
    const client = new SioClient();
    client.socket = CONNECT[version](stack.url, { transports, reconnection, forceNew: true, ca: stack.ca, ...options });
    client.socket.on("connect", () => { client.connects++; });
    for (const event of EVENTS) client.socket.on(event, (...args) => client.#heard(event, args));
    await within(new Promise((resolve, reject) => {
      client.socket.on("connect", resolve);
      client.socket.on("connect_error", (error) => { if (!reconnection) reject(error); });
    }), `Socket.IO ${version} connects by ${transports}`);
    return client;
  }

  static async join(stack, username, room, { join = {}, ...options } = {}) {
    const client = await SioClient.connect(stack, options);
    await client.join(username, room, join);
    return client;
  }

  #heard(event, args) {
    const [data, second] = args;
    const room = event === "msgHistory" ? second?.room : event === "activeUsers" ? second : data?.room;
    const { more, reset, epoch } = event === "msgHistory" ? second : {};
    if (event === "msgHistory") this.epoch = epoch; // of the newest message, as last told
    this.frames.push({ event, room, data, ...(event === "msgHistory" ? { more } : {}), ...(reset ? { reset } : {}) });
  }

  /** "polling" or "websocket". */
  get transport() { return this.socket.io.engine.transport.name; }

  request(event, data, ms = PATIENCE_MS) {
    return within(new Promise((resolve, reject) => {
      this.socket.emit(event, data, (answer) => (answer?.error ? reject(new Refused(answer.error)) : resolve(answer)));
    }), `an ack for ${event}`, ms);
  }

  join(username, room, more = {}) {
    this.username = username;
    return this.request("userJoin", { username, room, ...more });
  }

  say(room, body, more = {}) {
    return this.request("updateChat", { room, body, ...more });
  }

  all(event) {
    return this.frames.filter((frame) => frame.event === event);
  }

  take(event, matches = () => true, ms = PATIENCE_MS) {
    return until(`${this.username} gets ${event}`, () => {
      const index = this.frames.findIndex((frame, i) => frame.event === event && !this.#taken.has(i) && matches(frame));
      if (index < 0) return null;
      this.#taken.add(index);
      return this.frames[index];
    }, ms);
  }

  /** Waits until the newest list of the room is exactly this. */
  sees(room, names) {
    return until(`${this.username} sees ${names}`, () => {
      const list = this.frames.findLast((frame) => frame.event === "activeUsers" && frame.room === room);
      return list && JSON.stringify([...list.data].sort()) === JSON.stringify([...names].sort());
    });
  }

  close() {
    this.socket.disconnect();
  }
}
