// SPDX-License-Identifier: MIT
// audit.mjs - reads the whole history of every room at the end, page by page from its end to its beginning, and compares
// it with everything that anyone was told.

import { Connection } from "./connection.mjs";
import { authorOf, numberOf } from "./ledger.mjs";
import { until, within } from "../e2e/lib/wait.mjs";

const PAGE = 200;
const READ_MS = 20_000;

export async function connect(url) {
  return until("the auditor connects", async () => {
    let connection;
    const isOpen = new Promise((resolve) => {
      connection = new Connection(url, { opened: () => resolve(true), told() {}, closed: () => resolve(false) });
    });
    return (await isOpen) && connection;
  });
}

export function ask(connection, event, data) {
  return within(new Promise((resolve, reject) => {
    connection.request(event, data, (error, reply) => (error ? reject(new Error(`${event}: ${error.code}`)) : resolve(reply)));
  }), `${event} is answered`);
}

async function wholeRoom(connection, room) {
  const pages = [];
  let before;
  for (let more = true; more;) {
    const page = await until(`a page of ${room}`, () =>
      ask(connection, "history", { room, limit: PAGE, ...(before !== undefined && { before }) }), READ_MS);
    pages.push(page.messages);
    more = page.more;
    if (more && page.messages.length === 0) throw new Error(`${room} before ${before}: more, and an empty page`);
    before = page.messages[0]?.seq;
  }
  return pages.reverse().flat();
}

export function compare(ledger, room, messages, orderly) {
  const { told, places, acked } = ledger.room(room);
  const seen = new Map();
  const lastOf = new Map();
  let time = 0;
  messages.forEach((message, i) => {
    const { seq, cid } = message;
    if (seq !== i + 1) ledger.breaks("order", `history of ${room}: ${seq} in place ${i + 1}`);
    if (message.time < time) ledger.breaks("content", `history of ${room}: ${seq} is older than the one before it`);
    time = message.time;
    ledger.told(room, message, "the auditor");
    if (cid === undefined) return;
    if (seen.has(cid)) ledger.breaks("twice", `history of ${room}: ${cid} at ${seen.get(cid).seq} and ${seq}`);
    seen.set(cid, message);
    const n = numberOf(cid);
    const author = authorOf(cid);
    if (orderly.has(author) && n <= (lastOf.get(author) ?? 0)) {
      ledger.breaks("order", `history of ${room}: ${cid} after ${lastOf.get(author)}, which was acked first`);
    }
    lastOf.set(author, n);
  });
  for (const [cid, ack] of acked) {
    const message = seen.get(cid);
    if (!message) ledger.breaks("lost", `${room}: ${cid}, acked at ${ack.seq}`);
    else if (message.seq !== ack.seq || message.time !== ack.time) {
      ledger.breaks("twice", `${room}: ${cid} acked at ${ack.seq} (${ack.time}), stands at ${message.seq} (${message.time})`);
    }
  }
  if (told.length - 1 > messages.length) ledger.breaks("lost", `${room}: ${told.length - 1} were shown, ${messages.length} are there`);
  if (places.size !== messages.length) ledger.breaks("lost", `${room}: ${places.size} cids, ${messages.length} messages`);
}

/**
 * @param orderly  names of writers who send a message only when the one before it was acked: theirs must stand in that order
 * @returns        how many messages all rooms hold
 */
export async function audit(ledger, url, persons) {
  const orderly = new Set(persons.filter(({ window }) => window === 1).map(({ name }) => name));
  const connection = await connect(url);
  let count = 0;
  for (const room of ledger.rooms) {
    await until(`the auditor enters ${room}`, () => ask(connection, "userJoin", { username: "auditor", room }), READ_MS);
    const messages = await wholeRoom(connection, room);
    compare(ledger, room, messages, orderly);
    count += messages.length;
    for (const person of persons) {
      const view = person.seats.get(room)?.view;
      if (view && view.have !== messages.length) {
        ledger.breaks("lost", `${person.name} has read ${view.have} of ${messages.length} in ${room}`);
      }
    }
  }
  connection.cut();
  return count;
}
