// SPDX-License-Identifier: MIT
// deployed.mjs - the proxies' configurations in deploy/, as they stand but for addresses.
//
// Not here: what is tried through them (deploy.test.mjs, hosts/); proxies as their manuals set them up (proxies.mjs).

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { REPO } from "../e2e/lib/stack.mjs";

const ADDRESSES = ["10.0.0.11:8080", "10.0.0.12:8080", "10.0.0.13:8080"];

const WAYS = {
  nginx: {
    file: "nginx/parlor.conf", listen: ["listen 80;", (address) => `listen ${address};`],
    wrap: (dir, text) => `daemon off; master_process off; pid ${dir}/pid; error_log stderr; events {}\nhttp { access_log off;\n${
      ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${dir}/${name};`).join("\n")}\n${text}}\n`,
    check: (file, dir) => ["-t", "-p", dir, "-c", file, "-e", "stderr"], run: (file, dir) => ["-p", dir, "-c", file, "-e", "stderr"],
  },
  haproxy: {
    file: "haproxy/haproxy.cfg", listen: ["bind :80 ", (address) => `bind ${address} `],
    wrap: (dir, text) => text, check: (file) => ["-c", "-f", file], run: (file) => ["-db", "-f", file],
  },
  caddy: {
    file: "caddy/Caddyfile", listen: ["chat.example {", (address) => `http://${address} {`],
    wrap: (dir, text) => `{\n\tadmin off\n\tauto_https off\n}\n${text}`,
    check: (file) => ["validate", "--config", file, "--adapter", "caddyfile"],
    run: (file) => ["run", "--config", file, "--adapter", "caddyfile"],
  },
};

export const DEPLOYED = Object.keys(WAYS);

/**
 * Writes a proxy's configuration into `dir`.
 * @param where  { dir, listen: its address, gateways: their three addresses }
 * @returns      the options with which its program checks it, and runs it: { check, run }
 */
export function deploy(name, { dir, listen, gateways }) {
  const way = WAYS[name];
  let text = readFileSync(path.join(REPO, "deploy", way.file), "utf8");
  const replace = (from, to) => {
    assert.ok(text.includes(from), from);
    text = text.replaceAll(from, to);
  };
  replace(way.listen[0], way.listen[1](listen));
  ADDRESSES.forEach((address, i) => replace(address, gateways[i]));
  const file = path.join(dir, "configuration");
  writeFileSync(file, way.wrap(dir, text));
  return { check: way.check(file, dir), run: way.run(file, dir) };
}
