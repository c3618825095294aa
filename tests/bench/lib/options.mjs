// SPDX-License-Identifier: MIT
// options.mjs - the command line of tests/bench/run.

import { OWN, ROOMS, SHARED } from "./workloads.mjs";
import { SERVERS } from "./servers.mjs";

const WORKLOADS = [...SHARED, ...OWN, ROOMS].map(({ id }) => id).concat("growth", "limits");

const HELP = `usage: tests/bench/run [OPTION…]

  --quick            everything but growth, once and briefly
  --only A,B         these workloads: ${WORKLOADS.join(", ")}
  --servers a,b      these servers: ${SERVERS.map(({ name }) => name).join(", ")}
  --repeats N        runs of each, of which the medians count [3, quick: 1]
  --out DIR          where RESULTS.md and results.svg go [tests/bench if all was measured, else build/bench/results]
  --data DIR         a directory on the disk that is to be written to [build/bench/data]
  --server-core N    where the servers run [0]
  --load-core N      where the generator runs [1]

The workloads:
${[...SHARED, ...OWN, ROOMS].map(({ id, title }) => `  ${id.padEnd(6)} ${title}`).join("\n")}
  growth what a delivery or a page costs with more members, rooms, gateways and history
  limits what the machine could do without a chat server
`;

function fail(text) {
  process.stderr.write(`bench: ${text}\n`);
  process.exit(2);
}

function pickNames(option, value, known) {
  const names = value.split(",");
  for (const name of names) if (!known.includes(name)) fail(`${option}: no '${name}', there are ${known.join(", ")}`);
  return names;
}

export function readOptions(args) {
  const options = { servers: SERVERS.map(({ name }) => name), cores: { server: 0, load: 1 } };
  const number = (name, text) => (/^\d{1,4}$/.test(text) ? Number(text) : fail(`${name}: '${text}' is not a number`));
  for (let i = 0; i < args.length; i++) {
    const name = args[i];
    if (name === "--help") {
      process.stdout.write(HELP);
      process.exit(0);
    }
    if (name === "--quick") {
      options.quick = true;
      continue;
    }
    const value = args[++i];
    if (value === undefined) fail(`${name}: no such option or no value, see --help`);
    if (name === "--only") options.only = pickNames(name, value, WORKLOADS);
    else if (name === "--servers") options.servers = pickNames(name, value, SERVERS.map((server) => server.name));
    else if (name === "--repeats") options.repeats = Math.max(1, number(name, value));
    else if (name === "--out") options.out = value;
    else if (name === "--data") options.data = value;
    else if (name === "--server-core") options.cores.server = number(name, value);
    else if (name === "--load-core") options.cores.load = number(name, value);
    else fail(`no option ${name}, see --help`);
  }
  options.only ??= options.quick ? WORKLOADS.filter((id) => id !== "growth") : WORKLOADS;
  options.repeats ??= options.quick ? 1 : 3;
  options.isWhole = options.only.length === WORKLOADS.length && options.servers.length === SERVERS.length;
  return options;
}
