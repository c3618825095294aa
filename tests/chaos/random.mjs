// SPDX-License-Identifier: MIT
// random.mjs - choices that are the same for the same seed.

/** Returns a function like Math.random (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const pick = (random, list) => list[Math.floor(random() * list.length)];

export function shuffled(random, list) {
  const left = [...list];
  return Array.from(list, () => left.splice(Math.floor(random() * left.length), 1)[0]);
}
