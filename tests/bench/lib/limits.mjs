// SPDX-License-Identifier: MIT
// limits.mjs - the runs without a chat server: what the machine can do (bench-limits), and historyd by itself (bench-rooms).

import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { figure, median, ratio } from "./numbers.mjs";
import { runProgram } from "./runner.mjs";
import { ROOMS } from "./workloads.mjs";

/** What is asked of the disk. An isolated append takes longer than one of many: the machine must wake up for it, several times. */
const APPENDS = [
  { title: "200 bytes, one after another", bytes: 200, us: 0, window: [500, 3000] },
  { title: "500 bytes each 10 ms, as C does", bytes: 500, us: 10000, window: [1000, 10000] },
  { title: "6,000 bytes each 4 ms, as B does", bytes: 6000, us: 4000, window: [1000, 30000] },
];

async function inDirectory(under, body) {
  const dir = mkdtempSync(path.join(under, "limit-"));
  try {
    return await body(path.join(dir, "data"));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** { send: µs, connect: { us_per_join, joins_per_s }, appends: [{ title, p50_us, p99_us, max_us, stalled_share }], commits: { batch: records/s } }; medians. */
export async function measureLimits({ quick, repeats, cores, descriptors, under }) {
  const window = quick ? 500 : 3000;
  const limit = (...args) => runProgram("bench-limits", ["--window", window, ...args], cores.server);
  const several = async (get) => {
    const values = [];
    for (let i = 0; i < repeats; i++) values.push(await get());
    return median(values);
  };
  const send = await several(async () => (await limit("--what", "send", "--reader-core", cores.load)).us_per_send);
  const sockets = Math.min(quick ? 2000 : 19000, descriptors - 500);
  const connects = [];
  for (let i = 0; i < repeats; i++) {
    connects.push(await limit("--what", "connect", "--sockets", sockets, "--connecting", 100, "--reader-core", cores.load));
  }
  const connect = {};
  for (const key of ["us_per_join", "joins_per_s"]) connect[key] = median(connects.map((one) => one[key]));
  const appends = [];
  for (const { title, bytes, us, window: windows } of APPENDS) {
    const times = await inDirectory(under, (data) =>
      limit("--what", "fsync", "--data", data, "--record", bytes, "--pace", us, "--window", windows[quick ? 0 : 1]));
    appends.push({ title, ...times });
  }
  const commits = {};
  for (const batch of [1, 64, 512]) {
    commits[batch] = await several(() => inDirectory(under, async (data) =>
      (await limit("--what", "commit", "--data", data, "--batch", batch)).records_per_s));
  }
  return { send, connect, appends, commits };
}

/** A (deliveries), D (joins), W and Wb (writes) beside what is possible; each may not have been measured. */
export function limitRows(limits, { deliveryUs, joinUs, ackedPerS, ackedAtBusPerS }) {
  const beside = (value, base, what) => (value ? ` ${what}: ${ratio(value, base)}` : "");
  const rows = [[
    "bare send() of 160 bytes to each of 1,000 sockets, µs of CPU", figure(limits.send),
    beside(deliveryUs, limits.send, "Parlor's delivery in A").trim(),
  ], [
    "bare accept(), two receives and two sends for a client that joins, µs of CPU", figure(limits.connect.us_per_join),
    `${beside(joinUs, limits.connect.us_per_join, "Parlor's join in D")}; the loop and its clients did ${figure(limits.connect.joins_per_s)}/s`
      .replace(/^[ ;]+/, ""),
  ]];
  for (const [batch, records] of Object.entries(limits.commits)) {
    rows.push([
      `bare RocksDB, batches of ${batch} with one fsync each, records/s`, figure(records),
      `${beside(ackedPerS, records, "Parlor's W")}${beside(ackedAtBusPerS, records, "Wb")}`.trim(),
    ]);
  }
  for (const { title, p50_us, p99_us, max_us, stalled_share } of limits.appends) {
    rows.push([
      `append of ${title}, with fdatasync: p50, µs`, figure(p50_us),
      `p99: ${figure(p99_us)}, longest: ${figure(max_us)}; in one of more than 10 ms: ${figure(100 * stalled_share)} % of the time`,
    ]);
  }
  return rows;
}

/** The same number of messages in many rooms and in few. */
export async function measureRooms({ quick, cores, under }) {
  const pick = (value) => value[quick ? 1 : 0];
  const one = (rooms) => inDirectory(under, (data) => runProgram("bench-rooms", [
    "--data", data, "--rooms", rooms, "--messages", pick(ROOMS.messages), "--writes", pick(ROOMS.writes), "--reads", pick(ROOMS.reads),
  ], cores.server));
  return { few: await one(ROOMS.few), many: await one(pick(ROOMS.many)) };
}

export function roomRows({ few, many }) {
  return [["write", "µs a message"], ["read", "µs a page of 5"]].map(([what, unit]) => [
    "R", `${figure(many.rooms)} rooms in historyd, ${what}, ${unit}`, figure(many[`${what}_us`]),
    `${ratio(many[`${what}_us`], few[`${what}_us`])} that of ${figure(few.rooms)} rooms with as many messages (CPU: ` +
    `${ratio(many[`${what}_cpu_us`], few[`${what}_cpu_us`])})`,
  ]);
}
