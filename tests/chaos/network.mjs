// SPDX-License-Identifier: MIT
// network.mjs - a network namespace for each service, all on one bridge, so that one service can be cut off from all
// others without its knowing. The caller is in a network namespace of its own already (tests/chaos/run), which takes
// everything here along when it ends.
//
// Without the right to do that (isolated: false) all services share the loopback, and nothing can be cut.

import { execFileSync } from "node:child_process";

const ip = (...args) => execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"] });

export class Network {
  #hosts = new Map();

  constructor(isolated) {
    this.isolated = isolated;
    if (!isolated) return;
    // Names of namespaces are files; a directory of our own keeps them apart from the machine's.
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
    ip("link", "set", "lo", "up");
    ip("link", "add", "bus", "type", "bridge");
    ip("addr", "add", "10.77.0.1/24", "dev", "bus");
    ip("link", "set", "bus", "up");
  }

  /** A place for the service: its address, and the words to put before its command. */
  host(name) {
    if (!this.isolated) return { address: "127.0.0.1", prefix: [] };
    const number = this.#hosts.size + 11;
    const address = `10.77.0.${number}`;
    ip("netns", "add", name);
    ip("link", "add", `v${number}`, "type", "veth", "peer", "name", "eth0", "netns", name);
    ip("link", "set", `v${number}`, "master", "bus", "up");
    ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
    ip("-n", name, "link", "set", "eth0", "up");
    ip("-n", name, "link", "set", "lo", "up");
    this.#hosts.set(name, `v${number}`);
    return { address, prefix: ["ip", "netns", "exec", name] };
  }

  /** Frames to and from the service vanish; nobody is told. */
  cut(name) {
    ip("link", "set", this.#hosts.get(name), "nomaster");
  }

  join(name) {
    ip("link", "set", this.#hosts.get(name), "master", "bus");
  }
}
