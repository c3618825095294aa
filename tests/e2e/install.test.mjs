// SPDX-License-Identifier: MIT
// install.test.mjs - what `cmake --install` puts into a directory starts from there, and finds its own files.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Program } from "./lib/program.mjs";
import { BUILD, freePort, REPO, tempDir } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const PREFIX = "/usr/local";

describe("an installation", () => {
  let dest;
  let installed;
  before(() => {
    dest = tempDir();
    installed = path.join(dest, PREFIX);
    execFileSync("cmake", ["--install", BUILD, "--prefix", PREFIX], { env: { ...process.env, DESTDIR: dest }, stdio: "pipe" });
  });
  after(() => rmSync(dest, { recursive: true, force: true }));

  const bin = (name) => path.join(installed, "bin", name);

  it("has the version of CMakeLists.txt", async () => {
    const [, version] = /project\(parlor VERSION (\S+)/.exec(readFileSync(path.join(REPO, "CMakeLists.txt"), "utf8"));
    for (const name of ["parlor-gateway", "parlor-roomd", "parlor-historyd", "parlor-tap"]) {
      assert.equal(execFileSync(bin(name), ["--version"], { encoding: "utf8" }), `${name} ${version}\n`);
    }
  });

  it("has units that start the installed programs", () => {
    const folder = path.join(installed, "lib/systemd/system");
    const commands = readdirSync(folder).map((name) => /^ExecStart=(\S+)/m.exec(readFileSync(path.join(folder, name), "utf8"))[1]);
    assert.deepEqual(commands.sort(), ["gateway", "historyd", "roomd"].map((name) => `${PREFIX}/bin/parlor-${name}`));
    const gateway = readFileSync(path.join(folder, "parlor-gateway@.service"), "utf8");
    assert.ok(!gateway.includes("/opt/"), gateway);
  });

  it("serves its web client without being told where that is", async () => {
    const port = await freePort();
    const at = (name) => `ipc://${dest}/${name}`;
    const programs = [
      new Program(bin("parlor-historyd"), ["--bind", at("historyd-0"), "--shard", 0, "--shards", 1, "--data", path.join(dest, "data"), "--create", "test"]),
      new Program(bin("parlor-roomd"), ["--bind", at("roomd-0"), "--shard", 0, "--roomds", 1, "--historyd", at("historyd-0")]),
      new Program(bin("parlor-gateway"), ["--port", port, "--id", 0, "--roomd", at("roomd-0"), "--historyd", at("historyd-0")]),
    ];
    try {
      const get = (target) => fetch(`http://127.0.0.1:${port}${target}`).catch(() => undefined);
      await until("the gateway is ready", async () => (await get("/readyz"))?.status === 200);
      const own = readdirSync(path.join(REPO, "gateway/web")).filter((name) => name !== "README.md");
      for (const name of own) assert.equal((await get(`/${name}`)).status, 200, name);
      assert.match(await (await get("/")).text(), /<title>/);
    } finally {
      for (const program of programs.reverse()) await program.stop();
    }
  });
});
