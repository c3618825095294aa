// SPDX-License-Identifier: MIT
// main.mjs - runs what was asked for, in turns, and writes down what came of it. Started by ../run.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { measureLimits, measureRooms } from "./limits.mjs";
import { descriptorsMax, machineLines } from "./machine.mjs";
import { figure } from "./numbers.mjs";
import { readOptions } from "./options.mjs";
import { pageText, terminalText } from "./page.mjs";
import { plot } from "./plot.mjs";
import { disturbance, faultsOf, isGeneratorLimited, runOnce } from "./runner.mjs";
import { BENCH, REPO, SERVERS } from "./servers.mjs";
import { medianOf } from "./table.mjs";
import { GROWTH, OWN, SHARED } from "./workloads.mjs";

/** A run that was disturbed is repeated so often, and all of them together may take so long. */
const AGAIN_MAX = { quick: 1, whole: 2 };
const AGAIN_MS = { quick: 5_000, whole: 900_000 };

const options = readOptions(process.argv.slice(2));
const say = (text) => process.stderr.write(`${text}\n`);

if (os.cpus().length < 2) {
  say("bench: this takes two cores, one for the servers and one for the generator");
  process.exit(1);
}

const out = path.resolve(options.out ?? (options.isWhole && !options.quick ? BENCH : path.join(REPO, "build/bench/results")));
const data = path.resolve(options.data ?? path.join(REPO, "build/bench/data"));
mkdirSync(out, { recursive: true });
mkdirSync(data, { recursive: true });
const under = mkdtempSync(path.join(data, "run-"));
process.on("exit", () => rmSync(under, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

const skipped = [];
const servers = SERVERS.filter((server) => options.servers.includes(server.name)).filter((server) => {
  const why = server.missing?.();
  if (why) skipped.push({ title: server.title, why: `left out: ${why}` });
  return !why;
});
const isAsked = ({ id }) => options.only.includes(id);
const context = { ...options, descriptors: descriptorsMax(), under };

const results = [];
const find = (workload, server) =>
  results.find((result) => result.workload === workload && result.server === server)?.runs;

function keep(workload, server, run) {
  const runs = find(workload, server);
  if (runs) runs.push(run);
  else results.push({ workload, server, runs: [run] });
}

const mode = options.quick ? "quick" : "whole";
let spentAgainMs = 0;

/** A run that fails is tried once more; undefined when that fails too, which the page then says. */
async function attempt(workload, server) {
  for (let last = false; ; last = true) {
    try {
      return await measure(workload, server);
    } catch (error) {
      const why = error.message;
      say(`  failed: ${workload.id} ${server.title}: ${why}`);
      skipped.push({ title: `${workload.id}, ${server.title}`, why: `${last ? "a second" : "one"} run failed: ${why}` });
      if (last) return undefined;
    }
  }
}

/** One run, and again while the host disturbs it; the least disturbed one counts. */
async function measure(workload, server) {
  let best;
  for (let again = 0; ; again++) {
    const started = Date.now();
    const report = await runOnce(workload, server, context);
    const amount = disturbance(report);
    if (!best || amount < best.amount) best = { report, amount };
    if (again > 0) spentAgainMs += Date.now() - started;
    const mayRepeat = again < AGAIN_MAX[mode] && spentAgainMs < AGAIN_MS[mode];
    if (best.amount < 1 || !mayRepeat) return describe(best, again);
    say(`  disturbed, once more: ${workload.id} ${server.title}`);
  }
}

function describe({ report, amount }, again) {
  const worst = (name) => Math.max(...(report.steps ?? [report]).map((span) => span[name]));
  return {
    report,
    disturbed: amount >= 1 && { again, steal: worst("steal_share"), others: worst("others_share") },
    limited: isGeneratorLimited(report),
    faults: faultsOf(report),
  };
}

async function measureAll() {
  for (let repeat = 0; repeat < options.repeats; repeat++) {
    for (const workload of [...SHARED, ...OWN, ...GROWTH].filter(isAsked)) {
      const who = SHARED.includes(workload) ? servers : servers.filter(({ name }) => name === "parlor");
      for (const server of who) {
        const began = Date.now();
        const run = await attempt(workload, server);
        if (!run) continue;
        keep(workload, server, run);
        const numbers = workload.metrics.map((metric) => `${metric.title} ${figure(medianOf(metric, [run]))}`);
        say(`${workload.id.padEnd(6)} ${server.title.padEnd(18)} ${numbers.join(", ")} (${Math.round((Date.now() - began) / 1000)} s)`);
      }
    }
  }
}

const started = Date.now();
const limits = isAsked({ id: "limits" }) ? await measureLimits(context) : undefined;
await measureAll();
const rooms = isAsked({ id: "R" }) && options.servers.includes("parlor") ? await measureRooms(context) : undefined;

const measured = {
  results, servers, find, limits, rooms, skipped, quick: options.quick, machine: machineLines(options.cores),
};
writeFileSync(path.join(out, "RESULTS.md"), pageText(measured));
writeFileSync(path.join(out, "results.svg"), plot(SHARED, servers, find));
writeFileSync(path.join(REPO, "build/bench/results.json"), JSON.stringify({ results, limits, rooms }, (key, value) =>
  (key === "metrics" ? undefined : value), 1));
process.stdout.write(`\n${terminalText(measured)}\n\n`);
for (const { title, why } of skipped) say(`${title}: ${why}`);
say(`${Math.round((Date.now() - started) / 1000)} s; written to ${path.join(out, "RESULTS.md")}`);
