// SPDX-License-Identifier: MIT
// acks.mjs - the ledger of chaos, which also knows when each ack came, to whom and through which gateway: how long rooms
// and writers waited.

import { authorOf, Ledger } from "../../chaos/ledger.mjs";

export class Acks extends Ledger {
  /** Who is connected where: name → gateway. */
  gatewayOf = () => undefined;
  #acks = []; // { at, room, author, gateway }, as they came

  acked(room, cid, ack) {
    super.acked(room, cid, ack);
    const author = authorOf(cid);
    this.#acks.push({ at: Date.now(), room, author, gateway: this.gatewayOf(author) });
  }

  /** The longest time without an ack of those that `matches` chooses, begun before `to` and not over at `from`. */
  longestSilence(matches, from, to) {
    let longest = 0;
    let last;
    for (const { at } of this.#acks.filter(matches)) {
      if (last !== undefined && at > from && last < to) longest = Math.max(longest, at - last);
      last = at;
    }
    return last === undefined || last < from ? to - (last ?? from) : longest;
  }

  /** How long after `from` the first one came. */
  firstAfter(matches, from) {
    const first = this.#acks.find((ack) => ack.at >= from && matches(ack));
    return first && first.at - from;
  }
}
