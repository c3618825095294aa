// SPDX-License-Identifier: MIT
// servers.mjs - Parlor and its peers: how each is started, on one core, and which processes it consists of.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../e2e/lib/stack.mjs";
import { until, within } from "../../e2e/lib/wait.mjs";

export const BENCH = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
export const REPO = path.resolve(BENCH, "../..");
const MODULES = path.join(BENCH, "node_modules");
const SQLITE = path.join(MODULES, "sqlite3/build/Release/node_sqlite3.node");

/** Bun's binary lies in a package of the platform's. */
export function bunPath() {
  const dir = path.join(MODULES, "@oven");
  const found = (existsSync(dir) ? readdirSync(dir) : []).map((name) => path.join(dir, name, "bin/bun"));
  return found.find((file) => existsSync(file));
}

/**
 * `command(run)` with run = { port, spare, dir, gateways }: the program, its arguments and environment; `ready` is what it
 * says then; `pids(run)` are its processes, if these are not the program itself; `lastWords(run)`, of those that ended.
 */
export const SERVERS = [
  {
    name: "parlor",
    title: "Parlor",
    dialect: "parlor",
    keeps: "every message, with fsync before its ack and its delivery",
    command: ({ port, dir, gateways }) => [
      path.join(REPO, "deploy/up"),
      ["--no-install", "--no-build", "--port", port, "--data", dir, "--gateways", gateways, "--", "--rate", 0],
    ],
    ready: /Parlor is ready: /,
    pids: ({ dir }) => readdirSync(path.join(dir, "run")).filter((name) => name.endsWith(".pid")).sort()
      .map((name) => Number(readFileSync(path.join(dir, "run", name), "utf8"))),
    lastWords: ({ dir }) => readdirSync(path.join(dir, "log")).map((name) => {
      const lines = readFileSync(path.join(dir, "log", name), "utf8").trim().split("\n");
      const end = lines.findIndex((line) => line.includes("ended with status"));
      return end < 0 ? "" : `${name}: ${lines.slice(Math.max(0, end - 2), end + 1).join(" | ")}`;
    }).filter(Boolean).join("; "),
  },
  {
    name: "bun",
    title: "Bun",
    dialect: "bun",
    keeps: "nothing",
    missing: () => !bunPath() && "the npm package has no binary for this machine",
    command: ({ port }) => [bunPath(), [path.join(BENCH, "peers/bun.mjs")], { PORT: port }],
    ready: /ready on/,
  },
  {
    name: "socketio",
    title: "Socket.IO",
    dialect: "socketio",
    keeps: "nothing",
    command: ({ port }) => [process.execPath, [path.join(BENCH, "peers/socketio.mjs")], { PORT: port }],
    ready: /ready on/,
  },
  {
    name: "socketio-sqlite",
    title: "Socket.IO + SQLite",
    dialect: "socketio",
    keeps: "every message, inserted before its delivery",
    missing: () => !existsSync(SQLITE) && "sqlite3's binding was not built, node's headers are missing (libnode-dev)",
    command: ({ port, dir }) => [
      process.execPath, [path.join(BENCH, "peers/socketio.mjs")], { PORT: port, DATABASE: path.join(dir, "chat.db") },
    ],
    ready: /ready on/,
  },
  {
    name: "nats",
    title: "NATS",
    dialect: "nats",
    keeps: "nothing",
    missing: () => !existsSync("/usr/sbin/nats-server") && "nats-server is not installed",
    command: ({ port, spare }) => [
      "/usr/sbin/nats-server", ["-c", path.join(BENCH, "peers/nats.conf")], { PORT: port, NATS_PORT: spare },
    ],
    ready: /Server is ready/,
  },
];

/** historyd by itself, for bench-bus. A path of a socket is short: it begins where we are. */
export const HISTORYD = {
  name: "historyd",
  title: "historyd",
  address: ({ dir }) => `ipc://${path.relative(process.cwd(), path.join(dir, "bus"))}`,
  command: (run) => [
    path.join(REPO, "build/release/bin/parlor-historyd"), ["--bind", HISTORYD.address(run), "--data", path.join(run.dir, "data"), "--create", "bench"],
  ],
  ready: /what=listening/,
};

/** One server, running, in a directory of its own below `under`: { port, address, pids, stop() }. */
export async function startServer(server, { under, core, gateways = 1 }) {
  const dir = mkdtempSync(path.join(under, `${server.name}-`));
  const run = { port: await freePort(), spare: await freePort(), dir, gateways };
  const [program, args, env = {}] = server.command(run);
  const words = ["--pdeathsig", "TERM", "--", "taskset", "-c", core, program, ...args].map(String);
  const child = spawn("setpriv", words, {
    env: { ...process.env, NODE_ENV: "production", ...env }, stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "", status;
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => { output += text; });
  const ended = new Promise((resolve) => child.on("close", (code, signal) => {
    status = code ?? signal;
    resolve();
  }));
  await until(`${server.title} is ready`, () => status !== undefined || server.ready.test(output), 60_000);
  if (status !== undefined) throw new Error(`${server.title} ended with ${status}: ${output}`);
  return {
    port: run.port,
    address: server.address?.(run),
    pids: server.pids ? server.pids(run) : [child.pid],
    lastWords: () => server.lastWords?.(run) || output.slice(-500),
    async stop() {
      child.kill("SIGTERM");
      await within(ended, `${server.title} stops`, 30_000).catch((error) => {
        child.kill("SIGKILL");
        throw error;
      });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
