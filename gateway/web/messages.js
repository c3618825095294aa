// SPDX-License-Identifier: MIT
//
// messages.js - the log of one room: a window of at most MOST messages onto its history, which
// moves as the reader scrolls, and below it the reader's own messages that are not stored yet.
// Where messages come from is not known here: `loadPage` asks for older and newer ones.

import { MessageView } from "./message.js";
import { make } from "./dom.js";

const MOST = 500; // messages in the page; more are put away at the far end
const STEP = 100; // messages that one scroll to the end loads
const NEAR = 80; // this many pixels from an end count as being there
const HAND_MS = 1000; // after a wheel, finger or key moved it, a scroll is the reader's
const QUIET_MS = 1000; // old messages are not read out; by then they have been skipped

export class MessageLog {
  element; // stands in the page while its room is shown

  #isMe;
  #loadPage;
  #retry;
  #views = []; // stored messages shown, ascending
  #waiting = new Map(); // cid → view of an own message on its way
  #newest = 0; // seq of the newest message of the room that we know of
  #older = false; // the room has messages before the first one shown
  #loading = false;
  #pinned = true; // the reader is at the bottom, and stays there when something comes
  #place = 0; // scroll position while the log is not in the page
  #top = 0; // scroll position when it was last looked at
  #handAt = 0; // when the reader's hand was last seen
  #begun = false; // the first page has come
  #seen = 0; // seq of the newest message there was when the reader looked away; undefined: they look
  #line = make("div", { class: "new-line", role: "separator" }, make("span", {}, "New"));
  #news = false; // something came below what the reader looks at
  #scroller;
  #start;
  #list;
  #pending;
  #jump;
  #loudAgain;
  #frame = 0;

  /**
   * @param {function} isMe      (name) → true for the reader's own
   * @param {string} title       the room, in words
   * @param {function} loadPage  ({ before | after, limit }) → promise of { messages, more }
   * @param {function} retry     (message) is called when the reader sends a failed one again
   */
  constructor({ isMe, title, loadPage, retry }) {
    this.#isMe = isMe;
    this.#loadPage = loadPage;
    this.#retry = retry;
    const older = make("button", { type: "button", class: "small load-older" }, "Load older");
    older.addEventListener("click", () => this.#loadOlder());
    const beginning = make("p", { class: "beginning" }, "This is the beginning of ",
      make("bdi", {}, title), ".");
    this.#start = make("div", { class: "log-start", hidden: true }, older, beginning);
    this.#list = make("div", { class: "log-list" });
    this.#pending = make("div", { class: "log-pending" });
    this.#scroller = make("div", {
      class: "log", role: "log", "aria-label": "Messages", "aria-live": "polite", tabindex: "0",
    }, make("div", { class: "log-inner" }, this.#start, this.#list, this.#pending));
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    for (const hand of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      this.#scroller.addEventListener(hand, () => { this.#handAt = Date.now(); }, { passive: true });
    }
    this.#jump = make("button", { type: "button", class: "jump", hidden: true }, "New messages");
    this.#jump.addEventListener("click", () => this.toNewest());
    this.element = make("div", { class: "log-frame" }, this.#scroller, this.#jump);
    // The window or the keyboard of a phone changes the height; the newest message stays in sight.
    new ResizeObserver(() => this.#pinned && this.#toBottom()).observe(this.#scroller);
  }

  /** Begins with the newest page of the room. */
  restart(messages, more) {
    this.#begun = true;
    this.#quietly(() => {
      for (const view of this.#views) view.element.remove();
      this.#line.remove();
      this.#views = [];
      this.#newest = messages.at(-1)?.seq ?? 0;
      this.#older = more;
      this.#addAtEnd(messages);
      this.#placeLine();
    });
    this.#pinned = true;
    this.#toBottom();
  }

  /** Adds a message that follows all that came before. */
  append(message) {
    const attached = this.#attached;
    this.#newest = message.seq;
    const full = this.#views.length >= MOST && !this.#pinned;
    if (attached && !full) this.#addAtEnd([message]);
    else this.#takeWaiting(message)?.element.remove(); // comes when the reader scrolls down
    if (this.#pinned) this.#toBottomSoon();
    else if (!this.#isMe(message.username)) this.#news = true;
    this.#placeLine();
    this.#showJump();
  }

  /** Shows an own message that is being sent: { cid, body, time, username }. */
  addWaiting(message) {
    const view = new MessageView(message, { own: true, state: "sending" });
    this.#waiting.set(message.cid, view);
    this.#pending.append(view.element);
    this.#joinWaiting();
    this.#showStart();
    this.lookAt();
    this.toNewest();
  }

  /** An own message was stored longer ago than what the log shows. */
  settle(cid) {
    this.#waiting.get(cid)?.element.remove();
    this.#waiting.delete(cid);
  }

  fail(cid, reason) {
    const view = this.#waiting.get(cid);
    if (!view) return;
    view.fail(reason, () => {
      view.update(view.message, "sending");
      this.#scroller.focus();
      this.#retry(view.message);
    });
    if (this.#pinned) this.#toBottomSoon();
  }

  /** Goes to the end of the room, loading it when the window is elsewhere. */
  async toNewest() {
    this.#pinned = true;
    if (!this.#attached) {
      const page = await this.#load({ limit: STEP });
      if (page) {
        const newest = this.#newest;
        this.restart(page.messages, page.more);
        this.#newest = Math.max(newest, this.#newest);
        if (!this.#attached) await this.#loadNewer();
      }
    }
    this.#toBottom();
  }

  /** Another day has begun: what was today is yesterday. */
  dayChanged() {
    for (const view of this.#views) view.nameDay();
  }

  /** The seq up to which all has been seen. */
  get seen() {
    return this.#seen ?? this.#newest;
  }

  get isSeen() {
    return this.#seen === undefined;
  }

  /** The reader looks away, having seen everything up to `seq`: a line shows what came since. */
  lookAway(seq = this.#newest) {
    this.#seen = seq;
    this.#placeLine();
  }

  /** The reader looks: what comes from now on is seen. The line stays until they look away again. */
  lookAt() {
    this.#seen = undefined;
  }

  #placeLine() {
    if (this.#seen === undefined) return;
    const first = this.#views.find(({ message: { seq, username } }) => seq > this.#seen && !this.#isMe(username));
    if (first) first.element.before(this.#line);
    else this.#line.remove();
  }

  /** To be called when the log has come into the page, and before it leaves. */
  shown() {
    if (this.#pinned) this.#toBottom();
    else this.#scroller.scrollTop = this.#place;
  }

  hiding() {
    this.#place = this.#scroller.scrollTop;
  }

  // ---- the window

  /** True when the window ends with the newest message: what comes live belongs below it. */
  get #attached() {
    return (this.#views.at(-1)?.message.seq ?? 0) >= this.#newest;
  }

  #addAtEnd(messages) {
    const fragment = new DocumentFragment();
    for (const message of messages) {
      const view = this.#takeWaiting(message) ?? this.#view(message);
      view.update(message, "stored");
      view.follow(this.#views.at(-1)?.message ?? null);
      this.#views.push(view);
      fragment.append(view.element);
    }
    this.#list.append(fragment);
    this.#joinWaiting();
    const tooMany = this.#views.length - MOST;
    if (tooMany > 0) {
      for (const view of this.#views.splice(0, tooMany)) view.element.remove();
      this.#views[0].follow(null);
      this.#older = true;
    }
    this.#showStart();
  }

  #addAtStart(messages) {
    const views = messages.map((message) => this.#view(message));
    const first = this.#views[0];
    views.forEach((view, i) => view.follow(messages[i - 1] ?? null));
    first?.follow(messages.at(-1) ?? null);
    this.#views.unshift(...views);
    this.#list.prepend(...views.map((view) => view.element));
    for (const view of this.#views.splice(MOST)) view.element.remove();
    this.#showStart();
  }

  #view(message) {
    return new MessageView(message, { own: this.#isMe(message.username), state: "stored" });
  }

  #takeWaiting({ username, cid }) {
    if (!this.#isMe(username)) return undefined;
    const view = this.#waiting.get(cid);
    this.#waiting.delete(cid);
    return view;
  }

  /** Joins the first waiting messages to the stored ones before them. */
  #joinWaiting() {
    let previous = this.#views.at(-1)?.message ?? null;
    for (const view of this.#waiting.values()) {
      view.follow(previous);
      previous = view.message;
    }
  }

  #showStart() {
    const [older, beginning] = this.#start.children;
    this.#start.hidden = !this.#begun;
    older.hidden = !this.#older;
    beginning.hidden = this.#older;
  }

  // ---- loading

  async #loadOlder() {
    const before = this.#views[0]?.message.seq;
    if (!this.#older || before === undefined) return;
    const page = await this.#load({ before, limit: STEP });
    if (!page || this.#views[0]?.message.seq !== before) return;
    this.#older = page.more;
    this.#keepingPlace(() => this.#addAtStart(page.messages));
  }

  async #loadNewer() {
    const after = this.#views.at(-1)?.message.seq ?? 0;
    const page = await this.#load({ after, limit: STEP });
    if (!page || (this.#views.at(-1)?.message.seq ?? 0) !== after) return;
    if (page.messages.length === 0) this.#newest = after; // what was announced is gone
    this.#keepingPlace(() => this.#addAtEnd(page.messages));
    if (!this.#attached && this.#atBottom()) await this.#loadNewer();
  }

  /** A page, or nothing when one is under way or there is no connection. */
  async #load(range) {
    if (this.#loading) return undefined;
    this.#loading = true;
    this.#start.classList.add("loading");
    try {
      return await this.#loadPage(range);
    } catch {
      return undefined; // the state of the connection is shown elsewhere; scrolling tries again
    } finally {
      this.#loading = false;
      this.#start.classList.remove("loading");
    }
  }

  // ---- scrolling

  #scrolled() {
    const log = this.#scroller;
    if (!log.isConnected) return;
    const atBottom = this.#atBottom();
    const movedUp = log.scrollTop < this.#top;
    this.#top = log.scrollTop;
    // What comes moves the log as well. While it is on its way down, only a hand holds it back.
    const byHand = this.#frame === 0 || Date.now() - this.#handAt < HAND_MS;
    if (atBottom) this.#pinned = this.#attached;
    else if (movedUp && byHand) this.#pinned = false;
    this.#showJump();
    if (atBottom && !this.#attached) this.#loadNewer();
    else if (log.scrollTop < NEAR && log.scrollHeight > log.clientHeight) this.#loadOlder();
  }

  #atBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #toBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#top = this.#scroller.scrollTop;
    this.#showJump();
  }

  /** The way down, for who is more than a screen away from there, or has something new there. */
  #showJump() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    if (this.#pinned) this.#news = false;
    const far = !this.#attached || scrollHeight - scrollTop > 2 * clientHeight;
    this.#jump.hidden = this.#pinned || !(far || this.#news);
    this.#jump.textContent = this.#news ? "New messages" : "To the newest";
  }

  /** Once a frame is enough, however many messages come. */
  #toBottomSoon() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#pinned) this.#toBottom();
    });
  }

  /** Changes the window without moving what the reader looks at, and without reading it out. */
  #keepingPlace(change) {
    const log = this.#scroller;
    const top = log.getBoundingClientRect().top;
    const anchor = this.#views.find((v) => v.element.getBoundingClientRect().bottom > top)?.element;
    const row = anchor?.lastElementChild; // the day above it may come or go
    const before = row?.getBoundingClientRect().top;
    this.#quietly(change);
    if (row?.isConnected) log.scrollTop += row.getBoundingClientRect().top - before;
  }

  #quietly(change) {
    clearTimeout(this.#loudAgain);
    this.#scroller.setAttribute("aria-live", "off");
    change();
    const loud = () => this.#scroller.setAttribute("aria-live", "polite");
    this.#loudAgain = setTimeout(loud, QUIET_MS);
  }
}
