// SPDX-License-Identifier: MIT
// faults.mjs - what befalls a service, and in which order.

const OUTAGE_MS = 8000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Each returns when the service could work again. */
export const FAULTS = {
  async kill(services, _network, name) {
    services.signal(name, "SIGKILL"); // started again at once by whoever watches it
  },
  async stop(services, _network, name) {
    services.signal(name, "SIGSTOP");
    await sleep(OUTAGE_MS);
    services.signal(name, "SIGCONT");
  },
  async cut(_services, network, name) {
    network.cut(name);
    await sleep(OUTAGE_MS);
    network.join(name);
  },
};

/** mulberry32: the same seed, the same order of faults. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Every kind on every service, again and again, each round in another order. */
export function* plan(kinds, names, rng) {
  for (;;) {
    const round = kinds.flatMap((kind) => names.map((name) => ({ kind, name })));
    for (let i = round.length - 1; i > 0; i--) {
      const j = Math.floor(rng() * (i + 1));
      [round[i], round[j]] = [round[j], round[i]];
    }
    yield* round;
  }
}
