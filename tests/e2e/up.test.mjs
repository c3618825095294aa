// SPDX-License-Identifier: MIT
// up.test.mjs - deploy/up itself: what it refuses, what it leaves behind, and that it starts again what dies.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Program } from "./lib/program.mjs";
import { BUILD, freePort, REPO, Stack, tempDir } from "./lib/stack.mjs";
import { sleep, until } from "./lib/wait.mjs";

const up = (...args) => new Program(path.join(REPO, "deploy/up"), ["--no-install", "--no-build", "--preset", path.basename(BUILD), ...args]);

/** Processes whose command line names the directory. */
function processesOn(dir) {
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid).filter((pid) => {
    try { return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dir); } catch { return false; }
  });
}

async function refused(program, status, pattern) {
  assert.equal(await program.end(60_000), status, program.stdout + program.stderr);
  assert.match(program.stderr, pattern);
  assert.ok(program.stderr.trim().split("\n").length <= 2, `few words: ${program.stderr}`);
}

describe("up", () => {
  let dir;
  before(() => { dir = tempDir(); });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it("explains its options, and refuses wrong ones", async () => {
    const help = up("--help");
    assert.equal(await help.end(), 0);
    for (const option of ["--port", "--metrics-port", "--data", "--gateways", "--roomds", "--historyds",
      "--restored", "--no-install", "--no-build", "--preset"]) {
      assert.ok(help.stdout.includes(option), option);
    }
    for (const args of [["--nonsense"], ["--port"], ["--port", "0"], ["--port", "web"], ["--gateways=0"], ["--metrics-port", "65534"], ["stray"]]) {
      await refused(up(...args), 2, /^up: /);
    }
  });

  it("has services that a HUP does not end, and logs without priorities where there is no journal", async () => {
    const stack = await Stack.start({ env: { JOURNAL_STREAM: "8:1" } });
    try {
      const pids = stack.services.map((name) => stack.pid(name));
      for (const pid of pids) process.kill(pid, "SIGHUP");
      const ann = await Client.join(stack, "ann", "main");
      await ann.say("main", "still here");
      await sleep(1000); // longer than a restart takes
      assert.deepEqual(stack.services.map((name) => stack.pid(name)), pids);
      await ann.say("main", "and here");
      await ann.close();
      for (const line of stack.logs().split("\n").filter((text) => /^<|time=/.test(text))) assert.match(line, /^time=/);
    } finally {
      await stack.stop();
    }
  });

  it("runs everything, says where, and leaves nothing behind", async () => {
    const port = await freePort();
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
      const program = up("--port", port, "--data", dir, "--gateways", 2);
      await program.says(new RegExp(`^Parlor is ready: http://127\\.0\\.0\\.1:${port}/$`, "m"), 60_000);
      const bus = readFileSync(path.join(dir, "run/bus.path"), "utf8").trim();
      assert.equal(statSync(bus).mode & 0o777, 0o700);
      for (const name of ["historyd-0", "roomd-0", "gateway-0", "gateway-1"]) {
        const pid = readFileSync(path.join(dir, "run", `${name}.pid`), "utf8").trim();
        assert.match(readFileSync(`/proc/${pid}/cmdline`, "utf8"), new RegExp(`parlor-${name.split("-")[0]}`));
        assert.ok(existsSync(path.join(dir, "log", `${name}.log`)));
      }
      assert.equal(await program.stop(signal), 0, program.stderr);
      assert.deepEqual(processesOn(dir), []);
      assert.deepEqual(readdirSync(path.join(dir, "run")).filter((file) => file.endsWith(".pid")), []);
    }
  });

  it("keeps what it writes to its user, whatever the umask, and says when that is root", async () => {
    const data = path.join(dir, "modes");
    mkdirSync(path.join(data, "log"), { recursive: true });
    const program = up("--port", await freePort(), "--data", data);
    await program.says(/^Parlor is ready/m, 60_000);
    for (const entry of readdirSync(data, { recursive: true })) {
      if (!/\.new$/.test(entry)) assert.equal(statSync(path.join(data, entry)).mode & 0o077, 0, entry);
    }
    if (process.getuid() === 0) assert.match(program.stdout, /^up: the services run as root/m);
    assert.equal(await program.stop(), 0, program.stderr);
  });

  it("prints an address that can be opened", async () => {
    for (const host of ["::1", "::"]) {
      const port = await freePort();
      const program = up("--port", port, "--data", dir, "--host", host);
      await program.says(/^Parlor is ready: /m, 60_000);
      const url = /^Parlor is ready: (.*)$/m.exec(program.stdout)[1];
      assert.equal(url, `http://[::1]:${port}/`);
      assert.equal((await fetch(new URL("healthz", url))).status, 200);
      assert.equal(await program.stop(), 0, program.stderr);
    }
  });

  it("starts where the disk has less free than historyd wants, says so, and what is there can be read", async () => {
    const data = path.join(dir, "full");
    const stack = await Stack.start({ data });
    const ann = await Client.join(stack, "ann", "main");
    await ann.say("main", "kept");
    await ann.close();
    await stack.stop({ keepData: true });
    const program = new Program(path.join(REPO, "deploy/up"), ["--no-install", "--no-build", "--preset", path.basename(BUILD),
      "--port", stack.port, "--data", data], { env: { PARLOR_MIN_FREE: "9000000000000000000" } });
    await program.says(/^Parlor is ready/m, 60_000);
    assert.match(program.stderr, /^up: historyd-0 stores nothing, what is there can be read: the disk has less free/m);
    const bob = await Client.connect(stack);
    await bob.join("bob", "main");
    assert.equal((await bob.take("msgHistory")).data[0].body, "kept");
    await bob.close();
    assert.equal(await program.stop(), 0, program.stderr);
  });

  it("refuses what another one holds: the directory, the port, the number of historyds", async () => {
    const stack = await Stack.start();
    await refused(up("--port", await freePort(), "--data", stack.data), 1, /another Parlor is running/);
    await refused(up("--port", stack.port, "--data", dir), 1, /port \d+ is in use/);
    await Client.join(stack, "ann", "main").then((client) => client.close());
    await stack.stop({ keepData: true });
    await refused(up("--port", stack.port, "--data", stack.data, "--historyds", 2), 1, /--historyds 1/);
    rmSync(stack.data, { recursive: true });
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    await refused(up("--port", server.address().port, "--data", dir), 1, /port \d+ is in use/);
    server.close();
    assert.deepEqual(processesOn(dir), []);
  });

  it("refuses a directory that has lost a shard, or a file of one, and changes nothing in it", async () => {
    const stack = await Stack.start({ data: path.join(dir, "lost"), historyds: 2 });
    const rooms = Array.from({ length: 8 }, (_, i) => `room ${i}`);
    const ann = await Client.connect(stack);
    for (const room of rooms) {
      await ann.join("ann", room);
      await ann.say(room, "kept");
    }
    await ann.close();
    await stack.stop({ keepData: true });
    const start = () => up("--port", stack.port, "--data", stack.data, "--historyds", 2);
    const shard = path.join(stack.data, "historyd-1");
    const log = readdirSync(shard).find((file) => file.endsWith(".log"));
    const aside = path.join(dir, "aside");

    renameSync(shard, aside);
    await refused(start(), 1, /historyd-1 is missing, where messages were kept/);
    assert.ok(!existsSync(shard));
    mkdirSync(shard); // as where a file system is not mounted
    await refused(start(), 1, /historyd-1 is missing/);
    rmSync(shard, { recursive: true });
    renameSync(aside, shard);

    for (const [file, words] of [["CURRENT", /has lost its file CURRENT/], [log, /lacks \d+ writes that were acked/]]) {
      renameSync(path.join(shard, file), aside);
      for (let times = 0; times < 2; times++) await refused(start(), 1, words);
      renameSync(aside, path.join(shard, file));
    }
    const again = await Stack.start({ data: stack.data, historyds: 2 });
    const bob = await Client.connect(again);
    for (const room of rooms) {
      await bob.join("bob", room);
      assert.equal((await bob.take("msgHistory", (frame) => frame.room === room)).data[0].body, "kept");
    }
    await bob.close();
    await again.stop();
  });

  it("ends a service that stands still, and starts it again", async () => {
    const stack = await Stack.start({ env: { PARLOR_WATCHDOG_S: "3", ASAN_OPTIONS: "handle_abort=0" } });
    for (const name of stack.services) {
      const pid = stack.pid(name);
      process.kill(pid, "SIGSTOP");
      await until(`another ${name} runs`, () => stack.pid(name) !== pid, 20_000);
      assert.match(stack.log(name), /msg="stands still for 3 s, killed"/);
    }
    await stack.ready();
    const ann = await Client.join(stack, "ann", "after it");
    await ann.say("after it", "all is well");
    await sleep(5_000); // none that is at work
    for (const name of stack.services) assert.equal(stack.log(name).match(/stands still/g).length, 1, name);
    await ann.close();
    await stack.stop();
  });

  it("stops everything with the service's own words when one can't start", async () => {
    const port = await freePort();
    await refused(up("--port", port, "--data", dir, "--", "--no-such-option", "1"), 2, /gateway-0.*no-such-option/);
    await refused(up("--port", port, "--data", dir, "--", "--web", "/nowhere"), 1, /gateway-0.*nowhere/);
    assert.deepEqual(processesOn(dir), []);
  });

  it("starts again what dies, each under its own loop", async () => {
    const stack = await Stack.start({ data: path.join(dir, "restarts") });
    try {
      for (const signal of ["SIGKILL", "SIGTERM", "SIGABRT"]) {
        for (const name of stack.services) await stack.restart(name, signal);
        await stack.ready();
      }
      const ann = await Client.join(stack, "ann", "main");
      await ann.say("main", "all well");
      await ann.close();
    } finally {
      await stack.stop();
    }
  });

  it("comes back when sockets and pid files were swept away, whatever is started again after that", async () => {
    const stack = await Stack.start({ data: path.join(dir, "swept"), gateways: 2 });
    const works = async (why) => {
      await stack.ready();
      const ann = await Client.join(stack, "ann", "main");
      await ann.say("main", why);
      await ann.close();
    };
    const bus = stack.bus;
    for (const name of stack.services) {
      for (const file of readdirSync(bus)) rmSync(path.join(bus, file));
      await stack.restart(name);
      await works(`${name} after its sockets were gone`);
      rmSync(bus, { recursive: true });
      await stack.restart(name);
      await works(`${name} after the directory was gone`);
      await until("all listen again", () => existsSync(bus) && stack.services.every((service) =>
        existsSync(path.join(bus, `${service}.${service.startsWith("gateway") ? "relay" : "up"}`))), 10_000);
      assert.equal(statSync(bus).mode & 0o777, 0o700);
    }
    assert.match(stack.log("historyd-0"), /what=listening_again/);
    await stack.stop();
  });

  it("takes its services along when it is killed", async () => {
    const data = path.join(dir, "killed");
    const program = up("--port", await freePort(), "--data", data);
    await program.says(/Parlor is ready/, 60_000);
    await program.stop("SIGKILL");
    await until("no process is left", () => processesOn(data).length === 0);
  });

  it("keeps sockets elsewhere when its directory has a long path", async () => {
    const data = path.join(dir, "long-".repeat(20));
    const program = up("--port", await freePort(), "--data", data);
    await program.says(/Parlor is ready/, 60_000);
    const bus = readFileSync(path.join(data, "run/bus.path"), "utf8").trim();
    assert.ok(!bus.startsWith(data));
    assert.equal(statSync(bus).mode & 0o777, 0o700);
    assert.equal(await program.stop(), 0);
    assert.ok(!existsSync(bus));
  });
});
