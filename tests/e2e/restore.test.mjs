// SPDX-License-Identifier: MIT
// restore.test.mjs - an older backup takes the place of what clients have seen: whoever comes back, and whoever never
// left, gets what stands now, and loses nothing of what is written from then on.

import assert from "node:assert/strict";
import { cpSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { launch, Person } from "./lib/browser.mjs";
import { Client } from "./lib/client.mjs";
import { SioClient } from "./lib/sio.mjs";
import { Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const status = (pid) => Object.fromEntries(readFileSync(`/proc/${pid}/status`, "utf8").split("\n")
  .map((line) => line.split(":\t")));

/** While historyd is away, and only it: its loop is held, so that it is not started before `change` is done. */
async function whileStopped(stack, change) {
  const pid = stack.pid("historyd-0");
  const loop = Number(status(pid).PPid);
  process.kill(loop, "SIGSTOP");
  process.kill(pid, "SIGTERM");
  await until("historyd has ended", () => status(pid).State.startsWith("Z"));
  change(path.join(stack.data, "historyd-0"), path.join(stack.data, "backup"));
  process.kill(loop, "SIGCONT");
  await until("historyd runs again", () => stack.pid("historyd-0") !== pid);
  await stack.ready();
}

const makeBackup = (stack) => whileStopped(stack, (data, backup) => {
  rmSync(backup, { recursive: true, force: true });
  cpSync(data, backup, { recursive: true });
});

const restoreBackup = (stack) => whileStopped(stack, (data, backup) => {
  rmSync(data, { recursive: true });
  renameSync(backup, data);
});

async function say(client, room, word, count) {
  let ack;
  for (let i = 1; i <= count; i++) ack = await client.say(room, `${word} ${i}`);
  return ack;
}

const bodies = (frame) => frame.data.map(({ body }) => body);

for (const gateways of [1, 2]) {
  describe(`restore, ${gateways} gateway(s)`, () => {
    let stack;
    before(async () => { stack = await Stack.start({ gateways, gatewayOptions: ["--rate", "0"] }); });
    after(() => stack?.stop());

    const rejoin = async (since, epoch, kind = Client) => {
      const client = await kind.join(stack, "back", "main", { join: { since, epoch } });
      const history = await client.take("msgHistory");
      await client.close();
      return { epoch: client.epoch, ...history };
    };

    it("tells those who stayed, and those who come back", async () => {
      const ann = await Client.join(stack, "ann", "main");
      const bob = await Client.join(stack, "bob", "main", { gateway: gateways - 1 });
      const cid = await SioClient.join(stack, "cid", "main");
      for (const client of [ann, bob, cid]) await client.take("msgHistory");
      await say(ann, "main", "old", 5);
      const { epoch: first } = (await rejoin(0, undefined));
      assert.ok(Number.isSafeInteger(first) && first > 0);
      await makeBackup(stack);
      const lost = await say(ann, "main", "lost", 4);
      let second;
      for (const client of [bob, cid]) {
        const told = await client.take("updateChat", ({ data: { body } }) => body === "lost 1");
        second = told.data.epoch;
        assert.ok(second > 0 && second !== first);
        await client.take("updateChat", ({ data: { body } }) => body === "lost 4");
      }
      const { epoch, data } = await rejoin(5, first);
      assert.equal(epoch, second);
      assert.deepEqual(data.map(({ seq }) => seq), [6, 7, 8, 9]);
      assert.equal(data[0].epoch, second);

      await restoreBackup(stack);
      for (const client of [ann, bob, cid]) {
        const history = await client.take("msgHistory", ({ reset }) => reset === true);
        assert.deepEqual(bodies(history), ["old 1", "old 2", "old 3", "old 4", "old 5"]);
        assert.equal(history.epoch ?? client.epoch, first);
      }
      const acks = [];
      for (let i = 1; i <= 3; i++) acks.push(await ann.say("main", `new ${i}`));
      assert.deepEqual(acks.map(({ seq }) => seq), [6, 7, 8]);
      const third = acks[0].epoch;
      assert.ok(third > 0 && third !== first && third !== second);
      for (const client of [bob, cid]) {
        for (let i = 1; i <= 3; i++) {
          const { data: message } = await client.take("updateChat", ({ data: { body } }) => body === `new ${i}`);
          assert.equal(message.epoch, i === 1 ? third : undefined);
        }
      }

      const anew = ["old 1", "old 2", "old 3", "old 4", "old 5", "new 1", "new 2", "new 3"];
      for (const kind of [Client, SioClient]) {
        for (const [since, epoch] of [[9, second], [lost.seq, undefined], [7, second], [8, 12345], [6, first], [2 ** 53 - 1, third]]) {
          const history = await rejoin(since, epoch, kind);
          assert.equal(history.reset, true, `${since} of ${epoch}`);
          assert.deepEqual(bodies(history), anew);
          assert.equal(history.epoch, third);
        }
        for (const [since, epoch, news] of [[5, first, 3], [3, first, 5], [6, third, 2], [8, third, 0], [8, undefined, 0], [0, undefined, 8]]) {
          const history = await rejoin(since, epoch, kind);
          assert.equal(history.reset, undefined, `${since} of ${epoch}`);
          assert.deepEqual(bodies(history), news ? anew.slice(-news) : []);
        }
      }
      for (const client of [ann, bob, cid]) await client.close();
    });

    it("goes on without a word when nothing was lost", async () => {
      const ann = await Client.join(stack, "ann", "calm");
      await say(ann, "calm", "before", 3);
      const { epoch } = (await Client.join(stack, "bob", "calm").then((bob) => bob.take("msgHistory").finally(() => bob.close())));
      await stack.restart("historyd-0", "SIGKILL");
      await until("a message is stored", () => ann.say("calm", "after", { cid: "one" }));
      const bob = await Client.join(stack, "bob", "calm", { join: { since: 3, epoch } });
      const history = await bob.take("msgHistory");
      assert.deepEqual(bodies(history), ["after"]);
      assert.equal(history.reset, undefined);
      assert.equal(ann.all("msgHistory").length, 1);
      await Promise.all([ann.close(), bob.close()]);
    });
  });
}

describe("restore, for clients that know no epochs", () => {
  it("gives no seq again after a start with --restored", async () => {
    let stack = await Stack.start();
    const start = async (more) => {
      await stack.stop({ keepData: true });
      stack = await Stack.start({ data: stack.data, ...more });
      return Client.join(stack, "ann", "main");
    };
    const ann = await Client.join(stack, "ann", "main");
    await say(ann, "main", "old", 3);
    await makeBackup(stack);
    await ann.say("main", "lost");
    await restoreBackup(stack);
    const step = 2 ** 20;
    const again = await start({ upOptions: ["--restored"] });
    assert.equal((await again.say("main", "new")).seq, 3 + step + 1);
    const bob = await Client.join(stack, "bob", "main", { join: { since: 4 } });
    const history = await bob.take("msgHistory");
    assert.deepEqual(bodies(history), ["new"]);
    assert.equal(history.reset, undefined);
    assert.equal((await (await start({})).say("main", "newer")).seq, 3 + step + 2);
    await stack.stop();
  });
});

describe("restore, in the page", () => {
  let stack;
  let browser;
  before(async () => { [stack, browser] = await Promise.all([Stack.start(), launch()]); });
  after(async () => { await browser?.close(); await stack?.stop(); });

  it("shows what stands now, and what is written from then on", async () => {
    const ann = await Person.arrive(browser, stack.url, { name: "ann", room: "main" });
    const bob = await Person.arrive(browser, stack.url, { name: "bob", room: "main" });
    await ann.say("kept");
    await bob.reads("kept");
    await makeBackup(stack);
    await ann.say("lost");
    await bob.reads("lost");
    await restoreBackup(stack);
    for (const person of [ann, bob]) {
      await until("the list was replaced", async () => JSON.stringify(await person.texts()) === JSON.stringify(["kept"]));
    }
    await ann.say("new");
    for (const person of [ann, bob]) {
      await person.reads("new");
      assert.deepEqual(await person.texts(), ["kept", "new"]);
      assert.deepEqual(person.complaints, []);
      await person.leave();
    }
  });
});
