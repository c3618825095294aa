// SPDX-License-Identifier: MIT
// swaps.mjs - in which orders the kinds of services are upgraded and go back.

import { KINDS } from "./services.mjs";

export const permutations = (list) => (list.length < 2 ? [list]
  : list.flatMap((first) => permutations(list.filter((other) => other !== first)).map((rest) => [first, ...rest])));

/** Every order of upgrade, each followed by another order of return: every kind is swapped both ways beside every
 *  combination of the others. */
export function everyOrder() {
  const orders = permutations(KINDS);
  return orders.flatMap((up, i) => [
    ...up.map((kind) => ({ kind, isOld: false })),
    ...orders[(i + 1) % orders.length].map((kind) => ({ kind, isOld: true })),
  ]);
}

/** All eight combinations in eight swaps: up in the order of CHANGELOG.md, and back in the opposite one but for the first. */
export function shortest() {
  const [historyd, roomd, gateway] = KINDS;
  const [up, back] = [false, true];
  return [[historyd, up], [roomd, up], [historyd, back], [gateway, up], [historyd, up], [roomd, back], [historyd, back], [gateway, back]]
    .map(([kind, isOld]) => ({ kind, isOld }));
}

/** Each swap with the combination that stands after it, and whether a sender's own order is promised then. */
export function described(swaps) {
  const isOld = Object.fromEntries(KINDS.map((kind) => [kind, true]));
  return swaps.map((swap) => {
    isOld[swap.kind] = swap.isOld;
    const after = KINDS.map((kind) => `${kind} ${isOld[kind] ? "old" : "new"}`).join(", ");
    return { ...swap, after, isOrdered: !isOld.historyd && !isOld.gateway };
  });
}
