// SPDX-License-Identifier: MIT
// bus_tls.test.mjs - the bus over tls+tcp:// with certificates of a private CA, as deploy/make-certificates makes them: all
// services, relayed polls and the tap speak through it, and whoever has no certificate of that CA is kept out.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, rmSync, statSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import tls from "node:tls";
import { promisify } from "node:util";
import { Client } from "./lib/client.mjs";
import { Program, run } from "./lib/program.mjs";
import { SioClient } from "./lib/sio.mjs";
import { bin, freePort, freePorts, REPO, tempDir } from "./lib/stack.mjs";
import { until, within } from "./lib/wait.mjs";

const PORTS = 6; // of one address
const SILENT = 300;
const make = (dir, ...names) => promisify(execFile)(path.join(REPO, "deploy/make-certificates"), [dir, ...names]);
const security = (dir, name) => ["--bus-ca", `${dir}/ca.pem`, "--bus-cert", `${dir}/${name}.pem`, "--bus-key", `${dir}/${name}.key`];

describe("the bus over TLS", () => {
  let dir, ours, strange, address, port, metrics, services;
  const programs = () => Object.values(services);

  before(async () => {
    dir = tempDir();
    [ours, strange] = [path.join(dir, "ours"), path.join(dir, "strange")];
    await Promise.all([make(ours, "host-a", "host-b"), make(strange, "host-x")]);
    const first = await freePorts(4 * PORTS);
    address = Object.fromEntries(["historyd-0", "roomd-0", "gateway-0", "gateway-1"].map((name, n) => [name, first + n * PORTS]));
    [port, metrics] = [await freePort(), { "gateway-0": await freePort(), "gateway-1": await freePort() }];
    services = {
      "historyd-0": start("historyd-0", ["--create", "test", "--data", path.join(dir, "data")]),
      "roomd-0": start("roomd-0", ["--historyd", at("historyd-0")]),
      "gateway-0": start("gateway-0", gatewayOptions(0)),
      "gateway-1": start("gateway-1", gatewayOptions(1)),
    };
    const ready = new Set();
    await until("both gateways are ready", async () => {
      const { status, id } = await get("/readyz");
      if (status === 200) ready.add(id);
      return ready.size === 2;
    });
  });
  after(async () => {
    for (const name of ["gateway-0", "gateway-1", "roomd-0", "historyd-0"]) {
      const program = services?.[name];
      if (program?.status === undefined) assert.equal(await program?.stop(), 0, program?.stderr);
    }
    rmSync(dir, { recursive: true, force: true });
  });

  const at = (name) => `tls+tcp://127.0.0.1:${address[name]}`;
  const gatewayOptions = (n) => ["--id", n, "--port", port, "--rate", 0, "--metrics", `127.0.0.1:${metrics[`gateway-${n}`]}`,
    "--roomd", at("roomd-0"), "--historyd", at("historyd-0"), "--web", path.join(REPO, "gateway/web")];

  function start(name, options, who = security(ours, name.startsWith("gateway") ? "host-b" : "host-a")) {
    return new Program(bin(`parlor-${name.split("-")[0]}`), ["--bind", at(name), ...who, ...options]);
  }

  const get = (target, to = port) => within(new Promise((resolve) => {
    http.get({ port: to, host: "127.0.0.1", path: target, agent: false }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (text) => { body += text; })
        .on("end", () => resolve({ status: answer.statusCode, id: answer.headers["x-parlor-gateway"], body }));
    }).on("error", () => resolve({ status: 0 }));
  }), target);

  const url = () => `http://127.0.0.1:${port}`;
  const everybodyLives = () => assert.deepEqual(programs().map((program) => program.status), programs().map(() => undefined));

  it("makes files that are their owner's alone, and keeps what is there", async () => {
    const before = readFileSync(`${ours}/host-a.pem`, "utf8");
    const { stdout } = await make(ours, "host-a", "host-c");
    assert.match(stdout, /kept: .*host-a\.pem\n.*made: .*host-c\.pem/);
    assert.equal(readFileSync(`${ours}/host-a.pem`, "utf8"), before);
    for (const name of ["ca.key", "host-a.key"]) assert.equal(statSync(`${ours}/${name}`).mode & 0o077, 0, name);
    await assert.rejects(make(ours, "../x"), /is no name/);
  });

  it("carries a chat between gateways, and polls that reach the wrong one", async () => {
    const stack = { url: url() };
    const people = await Promise.all([0, 1].map(async (gateway) => {
      const client = await Client.connect(stack, { gateway });
      await client.join(`person ${gateway}`, "main");
      return client;
    }));
    await people[0].say("main", "by TLS");
    await people[1].take("updateChat", ({ data }) => data.body === "by TLS");
    const poller = await SioClient.join(stack, "poller", "main", { transports: ["polling"] });
    for (let n = 0; n < 10; n++) await poller.say("main", `poll ${n}`);
    await people[0].take("updateChat", ({ data }) => data.body === "poll 9");
    const relayed = await Promise.all(Object.values(metrics).map(async (to) =>
      Number(/^parlor_relay_executed_total\S* (\d+)/m.exec((await get("/metrics", to)).body)[1])));
    assert.ok(relayed[0] + relayed[1] > 0, "some polls reached the wrong gateway");
    poller.close();
    await Promise.all(people.map((client) => client.close()));
  });

  it("shows the tap what passes, if it has a certificate", async () => {
    const tap = (who) => new Program(bin("parlor-tap"), ["--connect", at("gateway-0"), "--event", "chat_post", "--count", 1, ...who]);
    const [good, bad] = [tap(security(ours, "host-a")), tap(security(strange, "host-x"))];
    const ann = await Client.connect({ url: url() }, { gateway: 0 });
    await ann.join("ann", "tapped");
    await until("the tap sees a message", async () => {
      await ann.say("tapped", "look");
      return good.status !== undefined;
    });
    assert.equal(good.status, 0, good.stderr);
    assert.match(good.stdout, /"event":"chat_post"/);
    assert.equal(bad.stdout, "");
    await bad.stop();
    const none = await run("parlor-tap", ["--connect", at("gateway-0")]);
    assert.notEqual(none.status, 0);
    assert.match(none.stderr, /needs --bus-ca/);
    await ann.close();
  });

  it("lets nobody in without a certificate of its CA", async () => {
    const shake = (options) => within(new Promise((resolve) => {
      const socket = tls.connect({ port: address["historyd-0"], host: "127.0.0.1", servername: "parlor-bus", ca: readFileSync(`${ours}/ca.pem`), ...options });
      socket.on("secureConnect", () => setTimeout(() => resolve(socket.destroyed ? "refused" : "taken"), 200));
      socket.on("error", () => resolve("refused")).on("close", () => resolve("refused"));
    }), "a handshake");
    const own = (from, name) => ({ cert: readFileSync(`${from}/${name}.pem`), key: readFileSync(`${from}/${name}.key`) });
    assert.equal(await shake(own(ours, "host-b")), "taken");
    assert.equal(await shake({}), "refused");
    assert.equal(await shake(own(strange, "host-x")), "refused");
    assert.equal(await shake({ ...own(ours, "host-b"), maxVersion: "TLSv1.1", minVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" }), "refused");
    // A gateway of another CA, and one that finds another CA where a roomd should be, serve nobody.
    const [other, gatePort] = [await freePorts(PORTS), await freePort()];
    const stranger = new Program(bin("parlor-gateway"), ["--id", 7, "--port", gatePort, "--bind", `tls+tcp://127.0.0.1:${other}`,
      "--roomd", at("roomd-0"), "--historyd", at("historyd-0"), ...security(strange, "host-x")]);
    await stranger.says(/what=waiting/);
    let refused = 0;
    const impostor = tls.createServer({ ...own(strange, "host-x") }, (socket) => socket.destroy());
    impostor.on("tlsClientError", () => { refused++; });
    const at0 = await freePorts(PORTS);
    await new Promise((resolve) => impostor.listen(at0, "127.0.0.1", resolve));
    const deceived = new Program(bin("parlor-gateway"), ["--id", 8, "--port", 0, "--bind", `tls+tcp://127.0.0.1:${await freePorts(PORTS)}`,
      "--roomd", `tls+tcp://127.0.0.1:${at0}`, "--historyd", at("historyd-0"), ...security(ours, "host-b")]);
    await until("it does not believe it", () => refused > 2);
    assert.equal((await get("/readyz", gatePort)).status, 503);
    for (const program of [stranger, deceived]) assert.equal(await program.stop(), 0, program.stderr);
    impostor.close();
    everybodyLives();
    assert.equal((await get("/readyz")).status, 200);
  });

  it(`is not held up by ${SILENT} who connect and say nothing, nor by nonsense`, async () => {
    const connect = (to) => new Promise((resolve) => {
      const socket = net.connect({ port: to, host: "127.0.0.1" }, () => resolve(socket));
      socket.on("error", () => resolve(socket));
    });
    const silent = await Promise.all(Array.from({ length: SILENT }, (_, n) => connect(address[n % 2 ? "roomd-0" : "historyd-0"] + (n >> 1) % 2)));
    silent.forEach((socket, n) => { if (n % 3 === 0) socket.write(Buffer.alloc(2000, n)); });
    const ann = await Client.connect({ url: url() }, { gateway: 0 }); // the other one is killed
    await ann.join("fred", "crowd");
    await ann.say("crowd", "is anybody there?");
    services["gateway-1"].child.kill("SIGKILL");
    await services["gateway-1"].ended;
    services["gateway-1"] = start("gateway-1", gatewayOptions(1));
    await services["gateway-1"].says(/what=ready/);
    await ann.say("crowd", "a newcomer");
    everybodyLives();
    silent.forEach((socket) => socket.destroy());
    await ann.close();
  });

  it("is found again after a roomd was killed", async () => {
    const ann = await Client.join({ url: url() }, "eve", "again");
    services["roomd-0"].child.kill("SIGKILL");
    await services["roomd-0"].ended;
    services["roomd-0"] = start("roomd-0", ["--historyd", at("historyd-0")]);
    await until("joins work again", () => Client.join({ url: url() }, "late", "again").then((late) => late.close()).catch(() => null), 20_000);
    await ann.close();
  });
});

describe("addresses of the bus", () => {
  const gateway = (bind, ...more) => ["--port", 0, "--bind", bind, "--roomd", "ipc:///tmp/none-r", "--historyd", "ipc:///tmp/none-h", ...more];
  let dir;
  before(async () => {
    dir = tempDir();
    await make(dir);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it("are refused with one line where they would let strangers in", async () => {
    const port = await freePorts(PORTS);
    const [ca, cert] = [["--bus-ca", `${dir}/ca.pem`], ["--bus-cert", `${dir}/bus.pem`]];
    for (const [args, status, pattern] of [
      [gateway(`tcp://0.0.0.0:${port}`), 1, /tls\+tcp:\/\/, or --bus-insecure/],
      [gateway(`tcp://127.0.0.1.example:${port}`), 1, /--bus-insecure/],
      [["--roomd", `tcp://10.0.0.1:${port}`, "--historyd", "ipc:///tmp/none-h", "--port", 0], 1, /10\.0\.0\.1.*--bus-insecure/],
      [gateway(`tls+tcp://127.0.0.1:${port}`), 1, /needs --bus-ca, --bus-cert and --bus-key/],
      [gateway("ipc:///tmp/none-g", ...ca), 2, /give all, or none/],
      [gateway("ipc:///tmp/none-g", ...ca, ...cert, "--bus-key", "/nowhere"), 2, /--bus-key: cannot read \/nowhere/],
      [gateway("ipc:///tmp/none-g", ...ca, ...cert, "--bus-key", `${dir}/ca.pem`), 2, /--bus-cert: cannot use/],
      [gateway("ipc:///tmp/none-g", "--bus-ca", `${dir}/bus.key`, ...cert, "--bus-key", `${dir}/bus.key`), 2, /--bus-ca: cannot use/],
    ]) {
      const result = await run("parlor-gateway", args);
      assert.equal(result.status, status, `${args.join(" ")}: ${result.stderr}`);
      const lines = result.stderr.split("\n").filter((line) => line.startsWith("parlor-gateway: "));
      assert.equal(lines.length, 1, result.stderr);
      assert.match(lines[0], pattern);
    }
  });

  it("are taken on this machine, or when told so", async () => {
    for (const [host, ...more] of [["127.0.0.1"], ["localhost"], ["0.0.0.0", "--bus-insecure"]]) {
      const program = new Program(bin("parlor-gateway"), gateway(`tcp://${host}:${await freePorts(PORTS)}`, ...more));
      await program.says(/what=listening/);
      assert.equal(await program.stop(), 0, program.stderr);
    }
  });
});
