// SPDX-License-Identifier: MIT
// crowd.mjs - the clients behind the proxy, and which host their rooms and names are on.

import { ask, connect } from "../../chaos/audit.mjs";
import { bodyOf, cidOf } from "../../chaos/ledger.mjs";
import { Person } from "../../chaos/person.mjs";
import { randomFrom } from "../../chaos/random.mjs";
import { Program } from "../../e2e/lib/program.mjs";
import { bin } from "../../e2e/lib/stack.mjs";
import { sleep, until } from "../../e2e/lib/wait.mjs";
import { Acks } from "./acks.mjs";
import { PollingConnection } from "./polling.mjs";

const WRITERS = 20;
const POLLERS = 4; // of them, by Socket.IO's long-polling; the others by WebSocket
const READERS = 6; // who only read, and have no heartbeat of their own: the proxy must tell them
const ROOMS = 4; // on each shard
const WINDOW = 4; // unanswered messages of every second writer in a room; the others have one
const EVERY_MS = 2_000; // a message of a writer in each of two rooms: one a second
const SURVEYOR = "surveyor";
const SURVEY_MS = 500;

const names = [...Array.from({ length: WRITERS }, (_, i) => `writer${i}`), ...Array.from({ length: READERS }, (_, i) => `reader${i}`)];
const candidates = Array.from({ length: 10 * ROOMS }, (_, i) => `room${i}`);

/** On which shard each room is: its history, who is in it, and the name of a user who is called like the room (names and rooms
 *  are spread alike). Found out by writing into it, and by which historyd says on the bus that it has stored that. */
export async function survey(stack) {
  const tap = new Program(bin("parlor-tap"), ["--bus-insecure", "--connect", stack.addresses("historyd"), "--event", "chat_stored", "--direction", "out"]);
  const connection = await connect(stack.urls[0]);
  const shards = new Map();
  let n = 0;
  try {
    await until(`the shard of each room is known: ${tap.stderr}`, async () => {
      n += 1;
      for (const room of [...names, ...candidates].filter((name) => !shards.has(name))) {
        if (n === 1) await ask(connection, "userJoin", { username: SURVEYOR, room });
        const cid = cidOf(SURVEYOR, room, n);
        await ask(connection, "updateChat", { room, body: bodyOf(cid), cid });
      }
      await sleep(SURVEY_MS);
      for (const line of tap.stdout.split("\n").slice(0, -1).map(JSON.parse)) shards.set(line.room, Number(line.service.split("-")[1]));
      return shards.size === names.length + candidates.length;
    });
  } finally {
    connection.cut();
    await tap.stop();
  }
  return shards;
}

/** @returns  { ledger, persons, shards } */
export async function makeCrowd(url, stack, shards) {
  await PollingConnection.learn(stack.urls);
  const on = [0, 1].map((shard) => candidates.filter((room) => shards.get(room) === shard).slice(0, ROOMS));
  const ledger = new Acks(on.flat());
  const random = randomFrom(1);
  const persons = names.map((name, i) => new Person({
    name, ledger, urls: [url], random, everyMs: EVERY_MS, window: i % 2 === 0 ? WINDOW : 1,
    Connection: i < POLLERS ? PollingConnection : undefined, hasHeartbeat: i < WRITERS,
    rooms: [
      { room: on[0][i % ROOMS], isWriter: i < WRITERS },
      { room: on[1][i % ROOMS], isWriter: i < WRITERS },
      { room: on[i % 2][(i + 1) % ROOMS], isWriter: false },
    ],
  }));
  const byName = new Map(persons.map((person) => [person.name, person]));
  ledger.gatewayOf = (name) => Number(byName.get(name)?.gateway);
  return { ledger, persons, shards };
}
