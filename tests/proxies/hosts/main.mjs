// SPDX-License-Identifier: MIT
// main.mjs - three hosts behind a proxy as deploy/ sets it up: each host cut off in turn under load, for each proxy.
// tests/proxies/hosts/run makes the namespaces and starts this in the hub.
//
// Next: crowd.mjs, the clients; cuts.mjs, what is done and measured.

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { Presence } from "../../chaos/presence.mjs";
import { NetStack, WEB_PORT } from "../../chaos/netstack.mjs";
import { Program } from "../../e2e/lib/program.mjs";
import { sleep, until } from "../../e2e/lib/wait.mjs";
import { deploy, DEPLOYED } from "../deployed.mjs";
import { PROGRAMS } from "../proxies.mjs";
import { probe } from "../../chaos/upstack.mjs";
import { makeCrowd, survey } from "./crowd.mjs";
import { cutOff, settle } from "./cuts.mjs";
import { report } from "./report.mjs";

const COUNTS = { gateway: 3, roomd: 2, historyd: 2 };
const HOSTS = { // in the order of their addresses, as run makes them
  "host-a": ["historyd-0", "roomd-0", "gateway-0"],
  "host-b": ["historyd-1", "roomd-1", "gateway-1"],
  "host-c": ["gateway-2"],
};
const FIRST_GATEWAY_ID = 11;
const PROXY = "10.97.0.13:80";
const TELLS = ["haproxy", "caddy"]; // whose quiet connections end with the host; nginx waits for proxy_read_timeout
const TICK_MS = 10;
const CALM_MS = 3_000; // before each cut; every writer has written by then

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    namespaces: { type: "string" },
    hold: { type: "string", default: "20" },
    cut: { type: "string", default: Object.keys(HOSTS).join(",") },
    report: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});
const holdMs = Number(options.hold) * 1000;
const proxies = positionals.length ? positionals : DEPLOYED;

function startProxy(name, stack) {
  const dir = path.join(stack.data, name);
  mkdirSync(dir);
  const gateways = stack.urls.map((url) => new URL(url)).map(({ hostname }) => `${hostname}:${WEB_PORT}`);
  const { run } = deploy(name, { dir, listen: PROXY, gateways });
  return new Program("ip", ["netns", "exec", `${options.namespaces}-proxy`, PROGRAMS[name], ...run],
    { env: { HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir } });
}

async function tryProxy(name, stack) {
  const url = `http://${PROXY}`;
  const proxy = startProxy(name, stack);
  let crowd, presence, timer;
  try {
    await until(`${name} serves: ${proxy.stderr}`, async () => (await probe(url, "/healthz")).status === 200);
    const shards = await survey(stack);
    crowd = await makeCrowd(url, stack, shards);
    presence = new Presence(crowd.ledger, crowd.persons);
    timer = setInterval(() => crowd.persons.forEach((person) => person.tick(Date.now())), TICK_MS);
    for (const person of crowd.persons) person.come();
    presence.start();
    presence.excuse();
    await until("everyone sees everyone", () => presence.wrongs().length === 0 && crowd.ledger.ackedCount > 0);
    const cuts = [];
    for (const host of options.cut.split(",")) {
      await sleep(CALM_MS);
      const shard = ["historyd-0", "historyd-1"].findIndex((service) => HOSTS[host].includes(service));
      const gateways = Object.keys(HOSTS).map((of, i) => ({ of, id: FIRST_GATEWAY_ID + i, url: stack.urls[i] }));
      const cut = await cutOff({ stack, crowd, presence, holdMs }, { host, gateways, shard, url, tells: TELLS.includes(name) });
      await settle(stack, crowd, cut);
      cuts.push({ proxy: name, ...cut });
      console.log(report([cuts.at(-1)]));
    }
    return { cuts, ledger: crowd.ledger };
  } finally {
    clearInterval(timer);
    presence?.stop();
    for (const person of crowd?.persons ?? []) person.leave();
    await proxy.stop("SIGKILL");
    writeFileSync(path.join(stack.data, "log", `${name}.log`), proxy.stdout + proxy.stderr);
  }
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130)); // the services end with us
const cuts = [];
let isKept = true;
let acked = 0;
for (const name of proxies) {
  const stack = await NetStack.start({
    counts: COUNTS, prefix: options.namespaces, gatewayOptions: ["--rate", "0"], hosts: HOSTS, firstGatewayId: FIRST_GATEWAY_ID,
  });
  console.log(`hosts: ${name}, data ${stack.data}`);
  let isGood = false;
  try {
    const result = await tryProxy(name, stack);
    cuts.push(...result.cuts);
    acked += result.ledger.ackedCount;
    isGood = result.ledger.isKept;
  } finally {
    for (const host of Object.keys(HOSTS)) stack.mend(host);
    if (!isGood) console.log(`data and logs are kept in ${stack.data}`);
    await stack.stop({ keepData: options.keep || !isGood });
  }
  isKept &&= isGood;
}
const text = report(cuts);
if (options.report) writeFileSync(options.report, `${text}\n`);
else console.log(text);
console.log(`hosts: ${isKept ? "PASS" : "FAIL"}: ${cuts.length} cuts behind ${proxies.join(", ")}, ${acked} acked messages`);
process.exitCode = isKept ? 0 : 1;
