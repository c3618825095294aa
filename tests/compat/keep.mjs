// SPDX-License-Identifier: MIT
// keep.mjs - a data directory as the previous release's historyd leaves it, with what test_store.c expects.
//
//   node keep.mjs BIN-OF-THE-RELEASE FILE.tar.gz

import { execFileSync } from "node:child_process";
import path from "node:path";
import { Client } from "../e2e/lib/client.mjs";
import { Services } from "./services.mjs";

const [previous, file] = process.argv.slice(2);
const counts = { gateway: 1, roomd: 1, historyd: 1 };
const MESSAGES = 20;
const services = await Services.start({ counts, previous });

async function writeIn(client, room, from, to) {
  for (let n = from; n <= to; n++) {
    await client.say(room, `message ${n} `.padEnd(n * 20, "é"), { cid: `c-${n}` });
  }
}

const [ann, ben] = await Promise.all(["ann", "ben"].map((name) => Client.join({ url: services.urls[0] }, name, "main")));
await writeIn(ann, "main", 1, MESSAGES);
await writeIn(ben, "main", MESSAGES + 1, MESSAGES + 2);
await ann.request("newRoom", { username2: "ben", room: "two" });
await ben.join("ben", "two");
await ben.say("two", "yes", { cid: "c-1" });
await ann.request("newRoom", { username2: "den", room: "three" });
await services.swap("historyd-0", true); // what was in the log is in tables now
await writeIn(ann, "main", MESSAGES + 3, MESSAGES + 4);
await Promise.all([ann, ben].map((client) => client.close()));
await services.stop();
execFileSync("tar", ["-C", services.data, "--exclude=LOG*", "--owner=0", "--group=0", "--mtime=@0", "-czf", path.resolve(file), "historyd-0"]);
services.remove();
process.exit(0);
