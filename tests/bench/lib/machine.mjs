// SPDX-License-Identifier: MIT
// machine.mjs - on what was measured.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { BENCH, REPO, bunPath } from "./servers.mjs";

function said(program, args) {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], cwd: REPO }).trim();
  } catch {
    return "";
  }
}

const packageVersion = (name) => {
  try {
    return JSON.parse(readFileSync(path.join(BENCH, "node_modules", name, "package.json"), "utf8")).version;
  } catch {
    return "–";
  }
};

export function machineLines(cores) {
  const gateway = said(path.join(REPO, "build/release/bin/parlor-gateway"), ["--version"]).split(" ").pop();
  return [
    `${os.cpus().length} cores (${os.cpus()[0].model.trim()}), ${Math.round(os.totalmem() / 2 ** 30)} GiB, ` +
    `Linux ${os.release().split(".").slice(0, 2).join(".")}`,
    `servers on core ${cores.server}, generator on core ${cores.load}`,
    `Parlor ${gateway} (${said("git", ["rev-parse", "--short", "HEAD"])}), Bun ${said(bunPath() ?? "false", ["--version"])}, ` +
    `Socket.IO ${packageVersion("socket.io")} on Node ${process.versions.node}, ` +
    `sqlite3 ${packageVersion("sqlite3")}, ${said("/usr/sbin/nats-server", ["--version"]).replace(": v", " ")}`,
  ];
}

/** How many descriptors a process may have. */
export const descriptorsMax = () => Number(said("bash", ["-c", "ulimit -n"])) || 1024;
