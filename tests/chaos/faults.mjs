// SPDX-License-Identifier: MIT
// faults.mjs - what is done to the services, one fault at a time, and when everything works again.

import { readFileSync } from "node:fs";
import { sleep } from "../e2e/lib/wait.mjs";
import { shuffled } from "./random.mjs";

const READY_MS = 30_000; // generous; presence and acks have limits of their own
const VANISHING = 2; // clients that leave without a word around each fault

/**
 * Faults without end: every service and kind among the first few, then every pair of them before one comes again, and
 * then against the other processes of the service.
 */
export function* deck(random, kinds, counts) {
  const services = shuffled(random, Object.keys(counts));
  const turn = shuffled(random, kinds);
  const first = Object.fromEntries(services.map((service) => [service, turn.map(() => Math.floor(random() * 64))]));
  for (let round = 0; ; round++) {
    for (let step = 0; step < turn.length; step++) {
      for (const [i, service] of services.entries()) {
        const k = (i + step) % turn.length;
        yield { kind: turn[k], service: `${service}-${(first[service][k] + round) % counts[service]}` };
      }
    }
  }
}

const isStopped = (pid) => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1][0] === "T";

async function until(condition, ms) {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

export class Faults {
  /** What was done: { n, kind, service, from, over, healthyMs, presenceMs }; presenceMs undefined: not right in time. */
  done = [];
  #undo = () => {};

  constructor({ stack, ledger, presence, persons, random, holdMs }) {
    Object.assign(this, { stack, ledger, presence, persons, random, holdMs });
  }

  /** One fault, from its beginning until everyone's lists are right again. */
  async inflict({ kind, service }) {
    const fault = { n: this.done.length + 1, kind, service };
    this.done.push(fault);
    this.presence.excuse();
    const gone = shuffled(this.random, this.persons).slice(0, VANISHING);
    const leaving = Promise.all(gone.map(async (person) => {
      await sleep(this.random() * (kind === "kill" ? 300 : 2_000));
      person.vanish();
    }));
    fault.from = Date.now();
    if (kind === "kill") await this.#kill(service);
    else if (kind === "stop") await this.#stop(service);
    else await this.#cut(service);
    fault.over = Date.now();
    await leaving;
    let missing;
    if (!(await until(async () => !(missing = await this.stack.missing()), READY_MS))) {
      this.ledger.breaks("health", `not ready ${READY_MS} ms after the ${kind} of ${service}: ${missing}`);
    }
    const healthy = Date.now();
    fault.healthyMs = healthy - fault.over;
    this.presence.excuse(healthy);
    fault.presenceMs = await this.presence.settled(healthy);
    if (fault.presenceMs !== 0) fault.lastWrong = this.presence.lastWrong;
    for (const person of gone) person.come();
    const back = Date.now();
    this.presence.excuse(back);
    await this.presence.settled(back);
    return fault;
  }

  async #kill(service) {
    const old = this.stack.pid(service);
    process.kill(old, "SIGKILL");
    const pidOf = () => { try { return this.stack.pid(service); } catch { return old; } };
    if (!(await until(() => pidOf() !== old, READY_MS))) this.ledger.breaks("health", `${service} does not start again`);
  }

  async #stop(service) {
    const pid = this.stack.pid(service);
    process.kill(pid, "SIGSTOP");
    this.#undo = () => process.kill(pid, "SIGCONT");
    if (!(await until(() => isStopped(pid), READY_MS))) throw new Error(`SIGSTOP does not stop ${service}`);
    await sleep(this.holdMs);
    this.#end();
  }

  async #cut(service) {
    this.stack.cut(service);
    this.#undo = () => this.stack.mend(service);
    await sleep(this.holdMs);
    this.#end();
  }

  #end() {
    this.#undo();
    this.#undo = () => {};
  }

  /** Whatever happens, nothing stays stopped or cut. */
  release() {
    this.#end();
  }

  /** Each end of a process was ours: a crash would hide behind the restart loop otherwise. */
  checkEnds() {
    for (const service of this.stack.services) {
      const killed = this.done.filter((fault) => fault.kind === "kill" && fault.service === service).length;
      const ends = this.stack.log(service).split("\n").filter((line) => line.includes("ended with status"));
      if (ends.length !== killed) {
        this.ledger.breaks("health", `${service} was killed ${killed} times and ended ${ends.length} times: ${ends.at(-1)}`);
      }
    }
  }
}
