// SPDX-License-Identifier: MIT
// sync.test.mjs - an ack means stored: seen from the system calls of historyd, the message is written, then synced,
// and only then sent.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Client } from "./lib/client.mjs";
import { Stack, tempDir } from "./lib/stack.mjs";
import { until, within } from "./lib/wait.mjs";

describe("sync", () => {
  let stack, dir;
  before(async () => {
    dir = tempDir();
    // A traced process can't be looked at by the leak detector.
    stack = await Stack.start({ gatewayOptions: ["--rate", "0"], env: { ASAN_OPTIONS: "detect_leaks=0" } });
  });
  after(async () => {
    await stack?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** strace on a running process; null with the reason in `why` when the system does not allow it. */
  async function trace(pid, file) {
    const strace = spawn("strace", ["-f", "-yy", "-s", "65536", "-o", file, "-p", pid, "-e",
      "trace=write,writev,pwrite64,pwritev,sendto,sendmsg,sendmmsg,fsync,fdatasync,sync_file_range,msync"].map(String));
    let said = "";
    let isOver = false;
    strace.on("error", (error) => { said += error.message; isOver = true; });
    const ended = new Promise((resolve) => strace.on("close", () => { isOver = true; resolve(); }));
    strace.stderr.on("data", (text) => { said += text; });
    await until("strace is attached", () => isOver || /attached/.test(said));
    if (isOver) return { why: said.trim() };
    return { stop: async () => { strace.kill("SIGINT"); await within(ended, "strace lets go"); } };
  }

  /** System calls in the order of their beginning: { name, fd, text, begin, end }; ends are lines too. */
  function callsIn(file) {
    const calls = [];
    const open = new Map();
    readFileSync(file, "utf8").split("\n").forEach((line, at) => {
      const start = /^(\d+) +(\w+)\((\d+)(.*)$/s.exec(line);
      const rest = /^(\d+) +<\.\.\. \w+ resumed>(.*)$/s.exec(line);
      if (start) {
        const [, thread, name, fd, text] = start;
        const call = { name, fd, text, begin: at, end: at };
        calls.push(call);
        if (line.includes("<unfinished ...>")) open.set(thread, call);
      } else if (rest && open.has(rest[1])) {
        Object.assign(open.get(rest[1]), { end: at, text: open.get(rest[1]).text + rest[2] });
        open.delete(rest[1]);
      }
    });
    return calls;
  }

  it("historyd writes, syncs, and only then answers", async (t) => {
    const file = path.join(dir, "calls");
    const ann = await Client.join(stack, "ann", "main");
    const bob = await Client.join(stack, "bob", "main");
    await ann.say("main", "before the trace");
    const tracer = await trace(stack.pid("historyd-0"), file);
    if (tracer.why !== undefined) {
      t.skip(`tracing is not allowed here: ${tracer.why}`);
      await Promise.all([ann.close(), bob.close()]);
      return;
    }
    const single = Array.from({ length: 10 }, (_, i) => `marker-single-${i}-end`);
    const burst = Array.from({ length: 200 }, (_, i) => `marker-burst-${i}-end`);
    for (const body of single) await ann.say("main", body);
    await Promise.all(burst.map((body) => ann.say("main", body)));
    await tracer.stop();
    await bob.take("updateChat", ({ data }) => data.body === burst.at(-1));

    const calls = callsIn(file);
    const isSync = ({ name }) => ["fsync", "fdatasync"].includes(name);
    const isSend = ({ name, text }) => /^(send|write)/.test(name) && /^<(UNIX|TCP|unix|socket)/.test(text);
    for (const marker of [...single, ...burst]) {
      const having = calls.filter(({ text }) => text.includes(marker));
      const written = having.find((call) => !isSend(call) && /\.log>/.test(call.text));
      assert.ok(written, `${marker} is written to the log`);
      const synced = calls.find((call) => isSync(call) && call.fd === written.fd && call.begin > written.end);
      assert.ok(synced, `${marker} is synced`);
      assert.match(synced.text, /= 0$/);
      const sent = having.filter(isSend);
      assert.ok(sent.length > 0, `${marker} is sent`);
      for (const { begin } of sent) assert.ok(begin > synced.end, `${marker}: sent at line ${begin}, synced at ${synced.end}`);
    }
    const syncs = calls.filter(isSync).length;
    assert.ok(syncs >= single.length, "one for each that came alone");
    assert.ok(syncs < single.length + burst.length, `many in one commit: ${syncs} syncs`);
    await Promise.all([ann.close(), bob.close()]);
  });
});
