// SPDX-License-Identifier: MIT
// smoke.test.mjs - the load generator works against a real Parlor, and its counts tell the truth: against a server that loses,
// repeats and misplaces on purpose it must say so. Nothing here looks at how long anything takes.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { WebSocketServer } from "ws";
import { Stack, bin } from "../e2e/lib/stack.mjs";

const execute = promisify(execFile);

async function load(dialect, port, pids, options) {
  const args = { dialect, port, pids: pids.join(","), ...options };
  const words = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout } = await execute(bin("bench-load"), words, { timeout: 120_000 });
  return JSON.parse(stdout);
}

describe("the generator against Parlor", () => {
  let stack, pids;
  before(async () => {
    stack = await Stack.start({ gatewayOptions: ["--rate", "0"] });
    pids = stack.services.map((name) => stack.pid(name));
  });
  after(() => stack?.stop());

  const clean = (report) => {
    const { lost, repeated, out_of_order, foreign, faults, first_fault } = report;
    assert.deepEqual({ lost, repeated, out_of_order, foreign, faults, first_fault },
      { lost: 0, repeated: 0, out_of_order: 0, foreign: 0, faults: 0, first_fault: "" });
  };

  it("finds nothing wrong in messages (workload C)", async () => {
    const report = await load("parlor", stack.port, pids, {
      workload: "chat", rooms: 50, members: 2, rate: 100, warm: 200, window: 2000, label: "c",
    });
    clean(report);
    assert.equal(report.open.joined, 100);
    assert.ok(report.said > 100, `${report.said} said`);
    assert.equal(report.own, report.said);
    assert.equal(report.delivered, report.said);
    assert.equal(report.delivery_us.count, report.own_us.count);
    assert.ok(report.server_kib > 0);
    for (const name of ["us_per_delivery", "server_cpu_s", "generator_share", "others_share", "steal_share"]) {
      assert.equal(typeof report[name], "number", name);
    }
  });

  it("joins rooms that are busy", async () => {
    const report = await load("parlor", stack.port, pids, {
      workload: "join", rooms: 1, members: 50, rate: 20, warm: 100, window: 500, joiners: 10, label: "j",
    });
    clean(report);
    assert.equal(report.join_us.count, 10);
  });

  it("pages through history", async () => {
    const report = await load("parlor", stack.port, pids, {
      workload: "history", rooms: 4, members: 1, fill: 60, rate: 500, warm: 100, window: 300, label: "h",
    });
    clean(report);
    assert.ok(report.pages > 0);
  });
});

describe("the stand-in for a gateway against historyd", () => {
  it("has each message stored once and in order (workload Wb)", async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), "parlor-bench-"));
    const bus = `ipc://${dir}/historyd`;
    const historyd = spawn(bin("parlor-historyd"), ["--bind", bus, "--data", path.join(dir, "data"), "--create", "bench"], { stdio: "ignore" });
    try {
      const { stdout } = await execute(bin("bench-bus"), [
        "--historyd", bus, "--pids", String(historyd.pid), "--rooms", "50", "--rate", "200", "--warm", "100", "--window", "500",
        "--limit", "60000", "--steps", "2",
      ], { timeout: 60_000 });
      const report = JSON.parse(stdout);
      assert.equal(report.held_rate, 400);
      assert.deepEqual(report.steps.map(({ said }) => said), [120, 240]);
      for (const { stored, said, delay_us: delay, lost, repeated, out_of_order, foreign, faults } of report.steps) {
        assert.equal(stored, said);
        assert.ok(delay.count > 0 && delay.p50 > 0);
        assert.deepEqual({ lost, repeated, out_of_order, foreign, faults },
          { lost: 0, repeated: 0, out_of_order: 0, foreign: 0, faults: 0 });
      }
    } finally {
      historyd.kill();
      await once(historyd, "exit");
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe("the generator against a server that errs", () => {
  const rooms = new Map();
  let server;
  before(async () => {
    server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    server.on("connection", (socket, request) => {
      const name = new URL(request.url, "http://localhost").searchParams.get("room");
      if (!rooms.has(name)) rooms.set(name, { members: [], count: 0, held: undefined });
      const room = rooms.get(name);
      room.members.push(socket);
      socket.on("message", (data) => pass(room, String(data)));
    });
    await new Promise((resolve) => server.on("listening", resolve));
  });
  after(() => server.close());

  /** Of ten messages one is lost, one comes twice, and one comes behind the next. */
  function pass(room, text) {
    const send = () => room.members.forEach((member) => member.send(`someone: ${text}`));
    const which = room.count++ % 10;
    if (which === 2) return;
    if (which === 7) {
      room.held = send;
      return;
    }
    send();
    if (which === 4) send();
    if (which === 8) room.held();
  }

  it("counts what was lost, repeated and misplaced", async () => {
    const report = await load("bun", server.address().port, [process.pid], {
      workload: "chat", rooms: 2, members: 3, writers: 1, rate: 200, warm: 0, window: 500, drain: 300, label: "x",
    });
    let lost = 0, repeated = 0, misplaced = 0;
    for (const { count } of rooms.values()) {
      const come = (which) => Math.floor((count + 9 - which) / 10);
      lost += 3 * (come(2) + (come(7) - come(8)));
      repeated += 3 * come(4);
      misplaced += 3 * come(8);
    }
    assert.ok(lost > 0 && repeated > 0 && misplaced > 0);
    assert.equal(report.lost, lost);
    assert.equal(report.repeated, repeated);
    assert.equal(report.out_of_order, misplaced);
  });
});
