// SPDX-License-Identifier: MIT
// history.mjs - the end of a run: the whole history of every room is read and compared with what was acked, and with
// what each person has seen.

import WebSocket from "ws";

function request(socket, event, data) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to ${event}`)), 20_000);
    const listen = (bytes) => {
      for (const line of bytes.toString().split("\n")) {
        const frame = JSON.parse(line);
        if (frame.id !== 1) continue;
        clearTimeout(timer);
        socket.off("message", listen);
        if (frame.event === "ack") resolve(frame.data);
        else reject(new Error(`${event}: ${frame.data.code}`));
      }
    };
    socket.on("message", listen);
    socket.send(JSON.stringify({ event, id: 1, data }));
  });
}

/** The whole room, page by page, by somebody who has never been there. */
async function readRoom(url, room) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, "parlor.v1");
  await new Promise((resolve, reject) => { socket.on("open", resolve).on("error", reject); });
  await request(socket, "userJoin", { username: `auditor of ${room}`, room });
  const all = [];
  for (let more = true; more; ) {
    const page = await request(socket, "history", { room, after: all.at(-1)?.seq ?? 0, limit: 200 });
    all.push(...page.messages);
    more = page.more;
  }
  socket.terminate();
  return all;
}

/** Returns { messages, lost, twice, disorder }; tells the ledger of each fault. */
export async function auditHistory(url, ledger, people) {
  const sum = { messages: 0, lost: 0, twice: 0, disorder: 0 };
  for (const [room, acked] of ledger.rooms) {
    const history = await readRoom(url, room);
    sum.messages += history.length;
    const cids = new Set();
    history.forEach(({ seq, cid, body, username }, i) => {
      if (seq !== i + 1) {
        sum.disorder++;
        ledger.broken(`${room}: the history has ${seq} in place ${i + 1}`);
      }
      if (cids.has(cid)) {
        sum.twice++;
        ledger.broken(`${room}: ${cid} is stored twice`);
      }
      cids.add(cid);
      if (body !== `message ${cid}` || !cid.startsWith(`${username}-`)) {
        ledger.broken(`${room} ${seq} is not as it was written: ${username} "${body}"`);
      }
    });
    acked.forEach((cid, seq) => {
      if (history[seq - 1]?.cid === cid) return;
      sum.lost++;
      ledger.broken(`${room}: ${cid} was acked as ${seq}, where the history has ${history[seq - 1]?.cid}`);
    });
    for (const person of people) {
      const view = person.rooms.get(room);
      if (!view) continue;
      if (view.have !== history.length) {
        sum.lost++;
        ledger.broken(`${person.name} has ${view.have} of ${history.length} messages of ${room}`);
      }
      for (let seq = 1; seq <= view.have; seq++) {
        if (view.log[seq] === history[seq - 1]?.cid) continue;
        sum.disorder++;
        ledger.broken(`${person.name} saw ${view.log[seq]} as ${room} ${seq}, which is ${history[seq - 1]?.cid}`);
        break;
      }
    }
  }
  return sum;
}
