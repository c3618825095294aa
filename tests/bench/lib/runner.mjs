// SPDX-License-Identifier: MIT
// runner.mjs - one run of one workload on one server, and whether it can be believed.

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { REPO, startServer } from "./servers.mjs";
import { loadArguments } from "./workloads.mjs";

const execute = promisify(execFile);
const bin = (name) => path.join(REPO, "build/bench/bin", name);

/** What the host may do beside a run, as shares of one core, until that counts as disturbed. */
const STEAL_MAX = 0.02;
const OTHERS_MAX = 0.1;
/** The generator is the limit when it is this busy. */
const GENERATOR_MAX = 0.9;

/** A program of ours on one core, to its end: its report. */
export async function runProgram(name, args, core) {
  const words = ["--pdeathsig", "TERM", "--", "taskset", "-c", core, bin(name), ...args].map(String);
  const { stdout } = await execute("setpriv", words, { timeout: 900_000, maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}

/** The spans of a report in which something was measured. */
const spans = (report) => report.steps ?? [report];

/** How far a run was disturbed: 1 is just too much. */
export function disturbance(report) {
  const worst = (name) => Math.max(...spans(report).map((span) => span[name]));
  return Math.max(worst("steal_share") / STEAL_MAX, worst("others_share") / OTHERS_MAX);
}

/** Whether it was the generator that could not do more, or that made messages late. */
export function isGeneratorLimited(report) {
  if (report.steps) return report.worst_generator_share > GENERATOR_MAX;
  if (report.generator_share > GENERATOR_MAX) return true;
  const { lag_us: lag, delivery_us: delivery } = report;
  return Boolean(delivery?.count) && lag.p99 > 2000 && lag.p99 > delivery.p99 / 2;
}

/** What must not happen, as a sentence; "" when nothing did. Of a search, only what a step that was held says. */
export function faultsOf(report) {
  const parts = [];
  const names = { repeated: "repeated", out_of_order: "out of order", foreign: "not ours", faults: "faults" };
  for (const [name, words] of Object.entries(names)) {
    const count = report.steps
      ? report.steps.filter((step) => step.held).reduce((sum, step) => sum + (step[name] ?? 0), 0)
      : report[name];
    if (count) parts.push(`${count} ${words}`);
  }
  if (report.steps?.every((step) => step.held)) parts.push("no rate was too high: more may be possible");
  if (report.lost) {
    const share = ((100 * report.lost) / report.expected).toFixed(1);
    parts.push(`${share} % of the deliveries had not come when the run was given up`);
  }
  return parts.join(", ");
}

let label = 0;

/** One run: a server of its own, the load, and the end of both. */
export async function runOnce(workload, server, { quick, cores, descriptors, under }) {
  const running = await startServer(workload.server ?? server, { under, core: cores.server, gateways: workload.gateways });
  const target = workload.program
    ? ["--historyd", running.address]
    : ["--dialect", server.dialect, "--port", running.port, "--label", `room${label++}`];
  try {
    return await runProgram(workload.program ?? "bench-load", [
      ...target, "--pids", running.pids.join(","), ...loadArguments(workload, quick, descriptors),
    ], cores.load);
  } catch (error) {
    throw new Error(`${(error.stderr || error.message).trim()} (${running.lastWords()})`, { cause: error });
  } finally {
    await running.stop();
  }
}
