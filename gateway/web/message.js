// SPDX-License-Identifier: MIT
//
// message.js - one message on the page: its look, its state, and how it joins the one before it.
// Which messages are there, and where, is messages.js.

import { avatar, hueOf, icon, make, richText } from "./dom.js";
import { clockTime, dayName, dayOf, fullTime } from "./text.js";

const TOGETHER_MS = 5 * 60_000; // messages of one author within this time stand as one block
const STATE_WORDS = { sending: "sending", stored: "stored", failed: "not sent" };

export class MessageView {
  element;
  message; // { username, body, time, seq?, cid? }

  #own;
  #day = null;
  #state;
  #time;
  #stack;
  #failure = null;

  constructor(message, { own, state }) {
    this.message = message;
    this.#own = own;
    const { username, body } = message;
    this.#time = make("time");
    this.#state = make("span", { class: "state" });
    const bubble = make("div", { class: "bubble", dir: "auto" },
      make("span", { class: "text" }, ...richText(body)), " ",
      make("span", { class: "meta", dir: "ltr" }, this.#time, ...(own ? [this.#state] : [])));
    const author = make("div", { class: "author" }, make("bdi", {}, own ? "You" : username));
    author.style.setProperty("--hue", hueOf(username));
    this.#stack = make("div", { class: "stack" }, author, bubble);
    const row = make("div", { class: "row" }, ...(own ? [] : [avatar(username)]), this.#stack);
    this.element = make("article", { class: `message ${own ? "own" : "other"}` }, row);
    // Nobody needs to hear what they have just written.
    if (own) this.element.setAttribute("aria-live", "off");
    this.update(message, state);
  }

  /** Takes over the stored form of the message (its time, its seq) or another state. */
  update(message, state) {
    this.message = message;
    const { time, seq, cid } = message;
    this.#time.dateTime = new Date(time).toISOString();
    this.#time.textContent = clockTime(time);
    this.#time.title = fullTime(time);
    if (seq !== undefined) this.element.dataset.seq = seq;
    if (cid !== undefined) this.element.dataset.cid = cid;
    this.element.dataset.state = state;
    if (!this.#own) return;
    const mark = { sending: "clock", stored: "check", failed: "alert" }[state];
    const words = make("span", { class: "words" }, STATE_WORDS[state]);
    this.#state.replaceChildren(icon(mark), words);
    this.#state.title = STATE_WORDS[state];
    this.#failure?.remove();
  }

  fail(reason, retry) {
    this.update(this.message, "failed");
    this.#failure = make("div", { class: "failure", role: "alert" },
      make("span", {}, `Not sent: ${reason} `),
      make("button", { type: "button", class: "small", onclick: retry }, "Retry"));
    this.#stack.append(this.#failure);
  }

  /** Shows or leaves out the day and the author, by the message before (or null). */
  follow(previous) {
    const { time, username } = this.message;
    const sameDay = previous !== null && dayOf(previous.time) === dayOf(time);
    const together = sameDay && previous.username === username &&
      time - previous.time < TOGETHER_MS;
    this.element.classList.toggle("follows", together);
    if (sameDay) {
      this.#day?.remove();
      this.#day = null;
    } else if (this.#day === null) {
      const date = new Date(dayOf(time));
      const label = make("time", { datetime: isoDay(date) });
      this.#day = make("div", { class: "day" }, label);
      this.element.prepend(this.#day);
      this.nameDay();
    }
  }

  /** The day's name depends on which day it is now. */
  nameDay() {
    if (this.#day !== null) this.#day.firstElementChild.textContent = dayName(this.message.time);
  }
}

function isoDay(date) {
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
