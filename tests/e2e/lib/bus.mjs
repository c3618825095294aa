// SPDX-License-Identifier: MIT
// bus.mjs - the wire of nng's ipc sockets, just enough to say wrong things on it.
//
// A connection begins with 8 bytes: 0 'S' 'P' 0, the protocol, 0 0. Then each message is a 1, its length in 8 bytes,
// and its bytes.

import net from "node:net";
import { within } from "./wait.mjs";

export const PROTOCOL = { pub: 0x20, sub: 0x21, req: 0x30, rep: 0x31 };

export const hello = (protocol) => Buffer.from([0, 0x53, 0x50, 0, protocol >> 8, protocol & 255, 0, 0]);

export function framed(message, length = message.length) {
  const header = Buffer.alloc(9);
  header[0] = 1;
  header.writeBigUInt64BE(BigInt(length), 1);
  return Buffer.concat([header, message]);
}

/** Random bytes that are the same for the same seed. */
export function randomBytes(seed, length) {
  let state = seed >>> 0 || 1;
  return Buffer.from(Array.from({ length }, () => {
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    return state & 255;
  }));
}

/** Sends bytes to a Unix socket, and is done when they are out and the connection is closed by either side. */
export function sendTo(path, bytes) {
  return within(new Promise((resolve) => {
    const socket = net.connect(path, () => socket.end(bytes));
    socket.resume().on("error", resolve).on("close", resolve);
  }), `${path} ends the connection`).catch(() => {});
}

/** Listens on a Unix socket and says the same messages to whoever comes. */
export function speakAt(path, protocol, messages) {
  const server = net.createServer((socket) => {
    socket.on("error", () => {}).resume();
    socket.write(Buffer.concat([hello(protocol), ...messages]));
  });
  return new Promise((resolve, reject) => server.on("error", reject).listen(path, () => resolve(server)));
}
