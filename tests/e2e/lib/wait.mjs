// SPDX-License-Identifier: MIT
// wait.mjs - waiting for something to become true, never for a fixed time.

/** Generous: sanitizer builds on a busy machine. */
export const PATIENCE_MS = 20_000;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls `probe` until it returns something true, and returns that. Errors of `probe` count as "not yet". */
export async function until(what, probe, ms = PATIENCE_MS) {
  const deadline = Date.now() + ms;
  for (let last; ;) {
    try {
      const result = await probe();
      if (result) return result;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${ms} ms: ${what}${last ? `; at last: ${last.message}` : ""}`, { cause: last });
    }
    await sleep(20);
  }
}

/** The promise, or an error when it takes too long. */
export function within(promise, what, ms = PATIENCE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
