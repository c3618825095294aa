// SPDX-License-Identifier: MIT
//
// membership.js - what is remembered of one room that a client is in: how far its messages have been
// given on, which wait for a gap to be filled, and what is still to be stored. parlor.js acts on it.

/** One room this client wants to be in, through all connections. */
export class Membership {
  lastSeq; // of the last message given to the application; undefined before the first page
  epoch; // in which that seq stands: the gateway's word, to be sent back with it
  live = false; // joined on this connection, and its history has come
  filling = false; // a gap is being paged in
  held = new Map(); // seq → message that came while there was a gap before it
  outbox = []; // letters not yet stored, oldest first
  sending = false;
  typedAt = 0;

  constructor(name) {
    this.name = name;
    this.entered = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.entered.catch(() => {}); // who does not wait for it hears of it by `refused`
  }

  hold(message) {
    if (!(message.seq <= this.lastSeq)) this.held.set(message.seq, message);
  }

  /** Takes out of `held` what follows `lastSeq` without a hole. */
  takeNext() {
    const next = [];
    for (let seq = this.lastSeq + 1; this.held.has(seq); seq++) next.push(this.held.get(seq));
    return next;
  }

  /** Takes a letter out of the outbox, if it is there. */
  takeLetter(cid) {
    const at = this.outbox.findIndex((letter) => letter.cid === cid);
    return at < 0 ? undefined : this.outbox.splice(at, 1)[0];
  }
}
