// SPDX-License-Identifier: MIT
// program.mjs - one program of Parlor, run by hand.

import { spawn } from "node:child_process";
import { LastWords } from "./last_words.mjs";
import { bin, serviceEnv } from "./stack.mjs";
import { PATIENCE_MS, until, within } from "./wait.mjs";

export class Program {
  stdout = "";
  stderr = "";

  /** @param options  { env, cwd, isTold: whether its last words are, when the test fails } */
  constructor(file, args, { env = {}, cwd, isTold = true } = {}) {
    if (isTold) new LastWords(() => ({ [[file, ...args].join(" ")]: this.stdout + this.stderr }));
    this.child = spawn("setpriv", ["--pdeathsig", "TERM", "--", file, ...args.map(String)], {
      env: serviceEnv(env), cwd, stdio: ["ignore", "pipe", "pipe"],
    });
    for (const name of ["stdout", "stderr"]) {
      this.child[name].setEncoding("utf8").on("data", (text) => { this[name] += text; });
    }
    this.ended = new Promise((resolve) => this.child.on("close", (code, signal) => {
      this.status = code ?? signal;
      resolve(this.status);
    }));
  }

  get pid() { return this.child.pid; }

  /** The exit status, or the signal that ended it. */
  end(ms = PATIENCE_MS) {
    const words = this.child.spawnargs.slice(4).join(" ");
    return within(this.ended, `${words} ends: ${this.stderr}`, ms).catch((error) => {
      this.child.kill("SIGKILL");
      throw error;
    });
  }

  /** Waits until what it wrote matches. */
  says(pattern, ms = PATIENCE_MS) {
    return until(`${pattern} in the output`, () => pattern.exec(this.stdout) ?? pattern.exec(this.stderr), ms).catch((error) => {
      throw new Error(`${error.message}, which is: ${this.stdout}${this.stderr}`, { cause: error });
    });
  }

  async stop(signal = "SIGTERM") {
    this.child.kill(signal);
    return this.end();
  }
}

/** Runs a program of the build to its end: { status, stdout, stderr }. */
export async function run(name, args, options) {
  const program = new Program(bin(name), args, { ...options, isTold: false });
  const status = await program.end();
  return { status, stdout: program.stdout, stderr: program.stderr };
}
