// SPDX-License-Identifier: MIT
// http.mjs - HTTP as bytes on a socket, for what no client library would send.

import net from "node:net";
import tls from "node:tls";
import { PATIENCE_MS, sleep, until, within } from "./wait.mjs";

/** One connection: says bytes, and keeps what comes back. */
export class Raw {
  received = Buffer.alloc(0);
  isClosed = false; // by the other side, in whatever way
  error = undefined;

  /** @param stack  by TLS where it has a `ca` */
  static async connect({ port, ca }, options = {}) {
    const raw = new Raw();
    raw.socket = (ca ? tls : net).connect({ port, host: "127.0.0.1", allowHalfOpen: true, ca, ...options });
    raw.socket.on("data", (bytes) => { raw.received = Buffer.concat([raw.received, bytes]); });
    raw.closed = new Promise((resolve) => {
      const close = () => { raw.isClosed = true; resolve(); };
      raw.socket.on("end", close).on("close", close).on("error", (error) => { raw.error = error; close(); });
    });
    await within(new Promise((resolve, reject) => raw.socket.once(ca ? "secureConnect" : "connect", resolve).once("error", reject)), "a connection");
    return raw;
  }

  /** Sends the parts one after another, each in a packet of its own. */
  async say(parts, pauseMs = 20) {
    for (const [i, part] of [parts].flat().entries()) {
      if (i > 0) await sleep(pauseMs);
      if (!this.socket.destroyed) this.socket.write(part);
    }
    return this;
  }

  /** Waits until the other side closes; returns the answers, in order. */
  async answers(ms = PATIENCE_MS, options = {}) {
    await within(this.closed, `the end of the connection after ${this.received.length} bytes`, ms);
    this.socket.destroy();
    return readAnswers(this.received, options);
  }

  end() {
    this.socket.destroy();
  }
}

/** [{ status, headers, body }], by Content-Length; a body without one goes to the end. */
export function readAnswers(bytes, { isHead = false } = {}) {
  const answers = [];
  for (let left = bytes.toString("latin1"); left !== "";) {
    const end = left.indexOf("\r\n\r\n");
    if (end < 0 || !left.startsWith("HTTP/1.1 ")) throw new Error(`no answer: ${JSON.stringify(left.slice(0, 300))}`);
    const [line, ...rest] = left.slice(0, end).split("\r\n");
    const headers = Object.fromEntries(rest.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }));
    const status = Number(line.split(" ")[1]);
    const isBare = isHead || status === 100 || status === 204 || status === 304;
    const length = isBare ? 0 : Number(headers["content-length"] ?? left.length);
    answers.push({ status, headers, body: left.slice(end + 4, end + 4 + length) });
    left = left.slice(end + 4 + length);
  }
  return answers;
}

/** Says bytes on a connection of their own (or on that of a Raw), and returns all answers to them. */
export async function talk(stack, parts, { ms, pauseMs, ...options } = {}) {
  const raw = stack instanceof Raw ? stack : await Raw.connect(stack);
  await raw.say(parts, pauseMs);
  return raw.answers(ms, options);
}

/** Likewise with the last answer alone; `isUpgrade`: that is the 101, behind which nothing is read. */
export async function answerTo(stack, parts, { isUpgrade = false, ...options } = {}) {
  const answers = isUpgrade ? await upgraded(stack, parts) : await talk(stack, parts, options);
  if (answers.length === 0) throw new Error("closed without an answer");
  return answers.at(-1);
}

async function upgraded(stack, parts) {
  const raw = await (await Raw.connect(stack)).say(parts);
  const end = () => raw.received.indexOf("\r\n\r\n");
  await until("the answer to an upgrade", () => end() >= 0 || raw.isClosed);
  raw.end();
  return readAnswers(raw.received.subarray(0, end() + 4));
}

/** The head of a request for a WebSocket. */
export function upgradeHead(target, { host = "x", version = 13, key = "dGhlIHNhbXBsZSBub25jZQ==", fields = [] } = {}) {
  return [`GET ${target} HTTP/1.1`, `Host: ${host}`, "Connection: Upgrade", "Upgrade: websocket",
    `Sec-WebSocket-Version: ${version}`, `Sec-WebSocket-Key: ${key}`, ...fields, "", ""].join("\r\n");
}
