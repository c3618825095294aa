// SPDX-License-Identifier: MIT
//
// composer.js - where a message is written: Enter sends, Shift+Enter is a new line (on a touch
// screen, where there is no Shift to hold, Enter is one too); its size; a draft for each room.

import { byId } from "./dom.js";
import { byteLength, plural } from "./text.js";

const MOST_BYTES = 4000;
const WARN_BYTES = 3600;

const isTouched = () => matchMedia("(pointer: coarse)").matches;

export class Composer {
  #form = byId("composer");
  #input = byId("message");
  #size = byId("size");
  #drafts; // draft(room), setDraft(room, text)
  #room;

  /** `send(body)` gets what is written, `typing()` is called while something is. */
  constructor({ send, typing }) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(send);
    });
    this.#input.enterKeyHint = isTouched() ? "enter" : "send";
    this.#input.addEventListener("keydown", (event) => {
      // Enter inside an input method chooses a word (229: older browsers' way to say so)
      const composing = event.isComposing || event.keyCode === 229;
      if (event.key !== "Enter" || event.shiftKey || composing || isTouched()) return;
      event.preventDefault();
      this.#submit(send);
    });
    this.#input.addEventListener("input", () => {
      this.#refresh();
      this.#drafts?.setDraft(this.#room, this.#input.value);
      if (this.#body().trim() !== "") typing();
    });
  }

  /** Goes on with what was being written in that room; `drafts` keep it. */
  switchTo(room, placeholder, drafts) {
    this.#drafts = drafts;
    this.#room = room;
    this.#input.value = drafts.draft(room);
    this.#input.placeholder = placeholder;
    this.#refresh();
  }

  focus() {
    // on a touch screen this would cover the room with a keyboard
    if (!isTouched()) this.#input.focus();
  }

  #body() {
    return this.#input.value.replaceAll("\0", "");
  }

  #submit(send) {
    const body = this.#body();
    if (body.trim() === "" || this.#refresh() > MOST_BYTES) {
      this.#input.focus();
      return;
    }
    this.#input.value = "";
    this.#drafts?.setDraft(this.#room, "");
    this.#refresh();
    this.#input.focus();
    send(body);
  }

  /** Fits the height to the text and says what its size means; returns the size in bytes. */
  #refresh() {
    const bytes = byteLength(this.#body());
    const over = bytes - MOST_BYTES;
    const unit = ["byte", "bytes"];
    let words = "";
    if (over > 0) words = `Too long to send: shorten it by ${plural(over, ...unit)}.`;
    else if (bytes > WARN_BYTES) words = `${plural(-over, ...unit)} left`;
    if (words !== this.#size.textContent) this.#size.textContent = words;
    this.#size.classList.toggle("over", over > 0);
    this.#input.setAttribute("aria-invalid", String(over > 0));
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
    return bytes;
  }
}
