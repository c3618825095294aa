// SPDX-License-Identifier: MIT
// view.mjs - one room as one client is told of it: the prefix 1…have that it has read without a gap, and the run of live
// messages behind it. Each next thing on a connection must be the next seq; pages close what a reconnect left open.

export class View {
  /** All of 1…have was read, over all connections. */
  have = 0;
  /** msgHistory has come on this connection. */
  hasHistory = false;
  /** Messages read. */
  count = 0;
  #since = 0;
  #liveFirst = 0;
  #liveLast = 0;
  #ackedOnce = 0;

  constructor(ledger, room, who) {
    this.ledger = ledger;
    this.room = room;
    this.who = who;
  }

  /** The client joins (again), on a new connection. */
  join() {
    this.#since = this.have;
    this.hasHistory = false;
    this.#ackedOnce = 0;
    return this.#since;
  }

  /** What a page must begin after, when older messages of a gap remain. */
  get gapAfter() {
    return this.hasHistory && this.have + 1 < this.#liveFirst ? this.have : undefined;
  }

  history(messages, more) {
    if (this.hasHistory) this.#wrong("a second msgHistory on a connection");
    this.#liveFirst = this.#since + 1;
    this.#liveLast = this.#since;
    messages.forEach((message, i) => {
      this.#read(message);
      if (i === 0) {
        const isRight = more ? message.seq > this.#since + 1 : message.seq === this.#since + 1;
        if (!isRight) this.#wrong(`msgHistory since ${this.#since} begins with ${message.seq}, more ${more}`);
        this.#liveFirst = message.seq;
      } else if (message.seq !== this.#liveLast + 1) {
        this.#wrong(`msgHistory has ${message.seq} after ${this.#liveLast}`);
      }
      this.#liveLast = message.seq;
    });
    if (more && messages.length === 0) this.#wrong("msgHistory says more and holds nothing");
    this.hasHistory = true;
    this.#close();
  }

  live(message) {
    this.#read(message);
    this.#step(message.seq, "updateChat");
  }

  /** An own message, the nth; one that was sent before may be acked with a place that was read already. The others stand in
   *  the order in which this connection sent them, however many are under way. */
  acked(seq, wasSentBefore, n) {
    if (!wasSentBefore && n < this.#ackedOnce) this.#wrong(`its message ${n} at ${seq}, behind ${this.#ackedOnce}, sent later`);
    if (!wasSentBefore) this.#ackedOnce = n;
    if (wasSentBefore && seq <= this.#liveLast) return;
    this.count += 1;
    this.#step(seq, "ack");
  }

  page(messages) {
    for (const message of messages) {
      this.#read(message);
      if (message.seq <= this.have) continue; // the live run has met the pages
      if (message.seq !== this.have + 1) this.#wrong(`a page has ${message.seq} after ${this.have}`);
      this.have = message.seq;
    }
    this.#close();
  }

  #read(message) {
    this.count += 1;
    this.ledger.told(this.room, message, this.who);
  }

  #step(seq, what) {
    if (!this.hasHistory) this.#wrong(`${what} ${seq} before msgHistory`);
    else if (seq <= this.#liveLast) this.#wrong(`${what} ${seq} after ${this.#liveLast}`, "twice");
    else if (seq !== this.#liveLast + 1) this.#wrong(`${what} ${seq} after ${this.#liveLast}`);
    this.#liveLast = Math.max(seq, this.#liveLast);
    this.#close();
  }

  #close() {
    if (this.have + 1 >= this.#liveFirst && this.#liveLast > this.have) this.have = this.#liveLast;
  }

  #wrong(text, promise = "order") {
    this.ledger.breaks(promise, `${this.who} in ${this.room}: ${text}`);
  }
}
