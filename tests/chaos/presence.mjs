// SPDX-License-Identifier: MIT
// presence.mjs - "presence tells the truth": what everybody sees in each room against who is really there.

/** Null when every list is right, or a sentence about one that is not. */
function firstLie(people) {
  const there = new Map();
  for (const person of people) {
    if (person.isAway) continue;
    if (!person.isConnected) return `${person.name} is not connected`;
    for (const room of person.rooms.keys()) {
      there.set(room, (there.get(room) ?? new Set()).add(person.name));
    }
  }
  for (const person of people) {
    if (person.isAway) continue;
    for (const { name, users } of person.rooms.values()) {
      for (const user of users) if (!there.get(name).has(user)) return `${person.name} sees a ghost in ${name}: ${user}`;
      for (const user of there.get(name)) if (!users.has(user)) return `${person.name} misses ${user} in ${name}`;
    }
  }
  return null;
}

/** Waits until all is right; returns the ms that took, or the sentence when it took longer than `limitMs`. */
export async function presenceRight(people, limitMs) {
  const from = Date.now();
  for (;;) {
    const lie = firstLie(people);
    if (!lie) return { ms: Date.now() - from };
    if (Date.now() - from > limitMs) return { ms: Date.now() - from, lie };
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
