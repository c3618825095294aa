// SPDX-License-Identifier: MIT
// options.test.mjs - what each program says to options and to a system that refuses: one clear line, exit 2 or 1.

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Program, run } from "./lib/program.mjs";
import { bin, freePort, REPO, tempDir } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const PROGRAMS = ["parlor-historyd", "parlor-roomd", "parlor-gateway", "parlor-tap"];

const OWN = ["metrics", "bind", "shard", "rooms-max"]; // options that differ by service

/** "parlor-roomd", "log-level" → PARLOR_ROOMD_LOG_LEVEL. */
const variable = (owner, option) => `${owner}_${option}`.toUpperCase().replaceAll("-", "_");

const without = (args, option) => args.filter((word, i, all) => word !== `--${option}` && all[i - 1] !== `--${option}`);

/** One line that names the program and whatever `pattern` asks for. */
function assertOneLine({ stderr, stdout }, name, pattern) {
  const lines = stderr.split("\n").filter((line) => line !== "");
  assert.equal(lines.length, 1, `one line: ${stderr}`);
  assert.ok(lines[0].startsWith(`${name}: `), lines[0]);
  assert.match(lines[0], pattern);
  assert.equal(stdout, "");
}

describe("options", () => {
  let dir;
  before(() => { dir = tempDir(); });
  after(() => rmSync(dir, { recursive: true, force: true }));

  const ipc = (name) => `ipc://${dir}/${name}`;
  const complete = (name, port = 0) => ({
    "parlor-historyd": ["--bind", ipc("historyd-0"), "--shard", 0, "--shards", 1, "--data", path.join(dir, "data"),
      "--create", "test"],
    "parlor-roomd": ["--bind", ipc("roomd-0"), "--shard", 0, "--historyd", ipc("historyd-0")],
    "parlor-gateway": ["--port", port, "--id", 0, "--roomd", ipc("roomd-0"), "--historyd", ipc("historyd-0"),
      "--bind", ipc("gateway-0"), "--web", path.join(REPO, "gateway/web")],
    "parlor-tap": ["--bus", dir],
  })[name];

  for (const name of PROGRAMS) {
    it(`${name} has --help and --version`, async () => {
      const help = await run(name, ["--help"]);
      assert.deepEqual([help.status, help.stderr], [0, ""]);
      for (const option of complete(name).filter((word) => /^--/.test(word))) {
        assert.ok(help.stdout.includes(`${option} `), `${option} is explained`);
      }
      const version = await run(name, ["--version"]);
      assert.equal(version.status, 0);
      assert.match(version.stdout, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\n$`));
    });

    it(`${name} refuses wrong options with one line and exit 2`, async () => {
      const file = path.join(dir, `${name}.conf`);
      writeFileSync(file, "no-such-option = 1\n");
      const cases = [
        [["--no-such-option"], /no-such-option/],
        [["stray"], /stray/],
        [[complete(name)[0]], /needs a value/],
        [["--config", path.join(dir, "missing.conf")], /missing\.conf/],
        [["--config", file], /no-such-option/],
      ];
      if (name !== "parlor-tap") cases.push([[], /--\w+ must be given/], [[...complete(name), "--log-format", "xml"], /log-format.*xml/]);
      const number = { "parlor-gateway": "port", "parlor-historyd": "min-free", "parlor-tap": "count", "parlor-roomd": "shard" }[name];
      for (const value of ["many", "-1", "1x", "99999999999999999999999", ""]) {
        cases.push([[...without(complete(name), number), `--${number}=${value}`], new RegExp(number)]);
      }
      for (const [args, pattern] of cases) {
        const result = await run(name, args);
        assert.equal(result.status, 2, `${args.join(" ")}: ${result.stderr}`);
        assertOneLine(result, name, pattern);
      }
      for (const owner of OWN.includes(number) ? [name] : [name, "parlor"]) {
        const result = await run(name, without(complete(name), number), { env: { [variable(owner, number)]: "many" } });
        assert.equal(result.status, 2, `${variable(owner, number)}: ${result.stderr}`);
        assertOneLine(result, name, new RegExp(number));
      }
    });

    if (name === "parlor-tap") continue;
    it(`${name} refuses a malformed address with one line and exit 2 or 1`, async () => {
      for (const address of ["nonsense", "http://x:1", "ipc://", `ipc:///${"long/".repeat(40)}x`, "tcp://127.0.0.1:99999"]) {
        const args = complete(name);
        args[args.indexOf("--bind") + 1] = address;
        const result = await run(name, args);
        assert.ok([1, 2].includes(result.status), `${address}: ${result.status} ${result.stderr}`);
        assertOneLine(result, name, /./);
      }
    });

    it(`${name} takes its options from the environment and from a file, and ends with 0 on SIGTERM`, async () => {
      const args = complete(name, await freePort());
      const pairs = [];
      for (let i = 0; i < args.length; i += 2) pairs.push([args[i].slice(2), args[i + 1]]);
      const file = path.join(dir, `${name}-all.conf`);
      writeFileSync(file, pairs.map(([key, value]) => `${key} = ${value}\n`).join(""));
      const env = Object.fromEntries(pairs.map(([key, value]) => [variable(OWN.includes(key) ? name : "parlor", key), String(value)]));
      for (const [words, more] of [[["--config", file], {}], [[], { env }]]) {
        const program = new Program(bin(name), words, more);
        await until("it logs something or ends", () => program.stderr.includes("\n") || program.status !== undefined);
        assert.equal(program.status, undefined, program.stderr);
        assert.equal(await program.stop(), 0, program.stderr);
      }
    });
  }

  /** What --help says of each option: { name: words }. */
  const explained = async (name) => {
    const { stdout } = await run(name, ["--help"]);
    return Object.fromEntries([...stdout.matchAll(/^ {2}--(\S+) +(.*)$/gm)].map(([, option, words]) => [option, words]));
  };

  it("a variable of the environment means the same to every program that reads it", async () => {
    const meanings = new Map(); // variable → words
    const mean = (name, words) => {
      assert.equal(meanings.get(name) ?? words, words, name);
      meanings.set(name, words);
    };
    for (const program of PROGRAMS) {
      for (const [option, words] of Object.entries(await explained(program))) {
        if (["config", "docs", "help", "version"].includes(option)) continue;
        mean(variable(program, option), `${program} --${option}`);
        const own = / \(only as (\w+)…\)/.exec(words)?.[1];
        assert.ok(!own || own === variable(program, ""), words);
        if (!own) mean(variable("parlor", option), words);
      }
    }
    assert.deepEqual(OWN.filter((option) => meanings.has(variable("parlor", option))), []);
    assert.ok(meanings.has("PARLOR_HISTORYD_ROOMS_MAX") && meanings.has("PARLOR_LOG_LEVEL"));
  });

  it("what differs by service is not taken from what all read, with a line that says so", async () => {
    const env = { PARLOR_ROOMS_MAX: "1000000", PARLOR_METRICS: `127.0.0.1:${await freePort()}`, PARLOR_BIND: "nonsense", PARLOR_SHARD: "63" };
    for (const name of PROGRAMS.slice(0, 3)) {
      const program = new Program(bin(name), complete(name), { env });
      await program.says(/what=listening/);
      assert.equal(await program.stop(), 0, program.stderr);
      for (const option of Object.keys(await explained(name)).filter((word) => OWN.includes(word))) {
        const own = variable(name, option);
        assert.ok(program.stderr.includes(`${name}: ${variable("parlor", option)} is ignored, as it differs by service: give ${own}\n`), program.stderr);
        assert.notEqual((await run(name, without(complete(name), option), { env: { [own]: "nonsense:x" } })).status, 0, `${own} is read`);
      }
    }
    const level = await run("parlor-roomd", complete("parlor-roomd"), { env: { PARLOR_LOG_LEVEL: "info", PARLOR_ROOMD_LOG_LEVEL: "loud" } });
    assertOneLine(level, "parlor-roomd", /log-level: 'loud'/);
    const old = await run("parlor-roomd", [...without(complete("parlor-roomd"), "bind"), "--log-level", "odd"]);
    assert.match(old.stderr, /^parlor-roomd: --log-level: 'odd' is called 'warn' now\nparlor-roomd: --bind must be given/);
  });

  it("the gateway ignores PARLOR_PORT as Kubernetes sets it, with one line, and takes no other word for a number", async () => {
    const port = await freePort();
    const args = complete("parlor-gateway", port); // --port first
    for (const [name, link] of [["PARLOR_PORT", "tcp://10.96.0.1:8080"], ["PARLOR_PORT", "udp://10.96.0.1:8080"], ["PARLOR_GATEWAY_PORT", "tcp://10.96.0.1:8080"]]) {
      const program = new Program(bin("parlor-gateway"), args, { env: { [name]: link } });
      await program.says(/what=listening/);
      assert.equal(program.stderr.split("\n").filter((line) => line.includes(name)).length, 1, program.stderr);
      assert.match(program.stderr, new RegExp(`${name}=\\S+ is ignored: Kubernetes`));
      assert.equal(await program.stop(), 0, program.stderr);
    }
    const http = await run("parlor-gateway", args.slice(2), { env: { PARLOR_PORT: "http://10.96.0.1:8080" } });
    assert.equal(http.status, 2, http.stderr);
  });

  it("logs one JSON object a line with --log-format json", async () => {
    const program = new Program(bin("parlor-roomd"), [...complete("parlor-roomd"), "--log-format", "json"]);
    await program.says(/\n/);
    assert.equal(await program.stop(), 0);
    for (const line of program.stderr.trim().split("\n")) assert.equal(typeof JSON.parse(line), "object");
  });

  it("two historyds do not share a data directory", async () => {
    const args = complete("parlor-historyd");
    const first = new Program(bin("parlor-historyd"), args);
    await first.says(/\n/);
    const second = await run("parlor-historyd", ["--bind", ipc("another"), ...args.slice(2)]);
    assert.equal(second.status, 1);
    assertOneLine(second, "parlor-historyd", /in use|lock/i);
    assert.equal(first.status, undefined, "the first one goes on");
    assert.equal(await first.stop(), 0);
    const third = new Program(bin("parlor-historyd"), args);
    await third.says(/\n/);
    assert.equal(await third.stop(), 0, "free again");
  });

  it("a data directory keeps its place among the shards", async () => {
    const data = path.join(dir, "shard-1-of-2");
    const args = (shard, shards) => ["--bind", ipc("historyd-s"), "--shard", shard, "--shards", shards, "--data", data, "--create", "test"];
    const first = new Program(bin("parlor-historyd"), args(1, 2));
    await first.says(/\n/);
    assert.equal(await first.stop(), 0);
    for (const [shard, shards] of [[0, 2], [1, 3]]) {
      const other = await run("parlor-historyd", args(shard, shards));
      assert.ok([1, 2].includes(other.status), `shard ${shard} of ${shards}: ${other.status}`);
      assertOneLine(other, "parlor-historyd", /shard/);
    }
  });

  it("historyd refuses a directory that it can't use with one line and exit 1", async () => {
    const file = path.join(dir, "a file");
    writeFileSync(file, "not a directory");
    const places = [file, path.join(file, "below"), "/proc/nothing"];
    if (process.getuid() !== 0) {
      const closed = path.join(dir, "closed");
      mkdirSync(closed);
      chmodSync(closed, 0);
      places.push(closed);
    }
    for (const place of places) {
      const result = await run("parlor-historyd", ["--bind", ipc("historyd-x"), "--create", "test", "--data", place]);
      assert.equal(result.status, 1, `${place}: ${result.stderr}`);
      assertOneLine(result, "parlor-historyd", new RegExp(place.replaceAll(/[^\w/ ]/g, ".")));
    }
  });

  it("historyd refuses a directory that other users may open, and says how to mend it; its own files are its user's alone", async () => {
    const data = path.join(dir, "open");
    mkdirSync(data);
    chmodSync(data, 0o750);
    const args = ["--bind", ipc("historyd-o"), "--create", "test", "--data", data];
    const refused = await run("parlor-historyd", args);
    assert.equal(refused.status, 1, refused.stderr);
    assertOneLine(refused, "parlor-historyd", /open.*mode 0750.*chmod -R go= .*open/);
    assert.deepEqual(readdirSync(data), []);
    chmodSync(data, 0o700);
    for (const place of [data, path.join(dir, "made")]) {
      const program = new Program(bin("parlor-historyd"), [...args.slice(0, -1), place]);
      await program.says(/what=listening/);
      for (const name of ["", ...readdirSync(place)]) assert.equal(statSync(path.join(place, name)).mode & 0o077, 0, name);
      assert.equal(await program.stop(), 0);
    }
  });

  it("the gateway refuses a web directory that is not there, and a port in use", async () => {
    const args = complete("parlor-gateway", await freePort());
    args[args.length - 1] = path.join(dir, "no web");
    const web = await run("parlor-gateway", args);
    assert.equal(web.status, 1, web.stderr);
    assertOneLine(web, "parlor-gateway", /no web/);
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const result = await run("parlor-gateway", complete("parlor-gateway", server.address().port));
    server.close();
    assert.equal(result.status, 1, result.stderr);
    assertOneLine(result, "parlor-gateway", /in use|bind|listen/i);
  });

  it("the gateway says when few descriptors leave room for few clients, and refuses too few", async () => {
    const limited = (limit) => new Program("prlimit", [`--nofile=${limit}:${limit}`, bin("parlor-gateway"), ...complete("parlor-gateway", 0)]);
    const few = limited(512);
    await few.says(/what=listening .*sockets_max=256 /);
    assert.match(few.stderr, /level=warn .*what=max_connections_lowered to=256 descriptors=512/);
    assert.equal(await few.stop(), 0);
    const none = limited(64);
    assert.equal(await none.end(), 1);
    assertOneLine(none, "parlor-gateway", /allows 64 descriptors.*128/);
  });

  it("the gateway refuses what is no origin and what is no host", async () => {
    for (const [option, value, named] of [
      ["--allow-origin", "chat.example", "chat.example"],
      ["--allow-origin", "https://chat.example,https://a.example/page", "https://a.example/page"],
      ["--allow-origin", "https://a.example https://*.example", "https://*.example"],
      ["--allow-origin", "null", "null"],
      ["--hosts", "https://chat.example", "https://chat.example"],
      ["--hosts", "chat.example other.example:8080", "other.example:8080"],
    ]) {
      const result = await run("parlor-gateway", [...complete("parlor-gateway"), option, value]);
      assert.equal(result.status, 2, `${option} ${value}: ${result.stderr}`);
      assertOneLine(result, "parlor-gateway", new RegExp(option));
      assert.ok(result.stderr.includes(`'${named}'`), result.stderr);
    }
  });

  it("an address of the bus that is in use is refused", async () => {
    const first = new Program(bin("parlor-roomd"), complete("parlor-roomd"));
    await first.says(/\n/);
    const second = await run("parlor-roomd", complete("parlor-roomd"));
    assert.equal(second.status, 1, second.stderr);
    assertOneLine(second, "parlor-roomd", /in use/i);
    assert.equal(await first.stop(), 0);
  });
});
