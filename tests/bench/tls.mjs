// SPDX-License-Identifier: MIT
// tls.mjs - what a delivery costs with TLS, against without, in turns on one machine:
//
//   PARLOR_BUILD=build/release node tests/bench/tls.mjs build/bench/bin/bench-load [REPEATS]
//
// Processor time of the gateway alone, and of its threads one by one: the loop, and those that encrypt.

import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { Stack } from "../e2e/lib/stack.mjs";

const [generator, repeats = "3"] = process.argv.slice(2);
const TICK_S = 0.01;
const WORKLOADS = [
  { title: "one room of 1,000, 100 messages/s", args: ["--rooms", 1, "--members", 1000, "--rate", 100] },
  { title: "200 rooms of 10, 2,000 messages/s", args: ["--rooms", 200, "--members", 10, "--rate", 2000] },
];

/** Seconds of processor time of a process's threads, by their names. */
function threads(pid) {
  const spent = { loop: 0, tls: 0, others: 0 };
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, "utf8");
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const kind = Number(tid) === pid ? "loop" : name === "tls" ? "tls" : "others";
    spent[kind] += (Number(fields[11]) + Number(fields[12])) * TICK_S;
  }
  return spent;
}

const residentKib = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

async function measure({ args }, tls) {
  const stack = await Stack.start({ tls, gatewayOptions: ["--rate", "0"] });
  try {
    const pid = stack.pid("gateway-0");
    const [before, kib] = [threads(pid), residentKib(pid)];
    const { stdout } = await promisify(execFile)(generator, ["--dialect", "parlor", "--workload", "chat", "--port", stack.port,
      "--pids", pid, ...(tls ? ["--tls"] : []), ...args].map(String), { maxBuffer: 1 << 24 });
    const seen = JSON.parse(stdout);
    const after = threads(pid);
    return { seen, grownKib: residentKib(pid) - kib, spent: Object.fromEntries(Object.keys(after).map((kind) => [kind, after[kind] - before[kind]])) };
  } finally {
    await stack.stop();
  }
}

for (const workload of WORKLOADS) {
  for (let n = 0; n < Number(repeats); n++) {
    for (const tls of [false, true]) {
      const { seen, spent, grownKib } = await measure(workload, tls);
      console.log(JSON.stringify({ workload: workload.title, tls, spent, grownKib, seen }));
    }
  }
}
