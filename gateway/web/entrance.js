// SPDX-License-Identifier: MIT
//
// entrance.js - the form that asks for a name and a room.

import { byId } from "./dom.js";
import { nameFault, tidyName } from "./text.js";

const NAME_BYTES = 64;
const ROOM_BYTES = 128;

export const roomFault = (room) => nameFault("room", room, ROOM_BYTES);

export class Entrance {
  #page = byId("entrance");
  #name = byId("name");
  #room = byId("room");
  #error = byId("join-error");
  #progress = byId("join-progress");
  #button = byId("join");

  /** `join(name, room)` is called with names that may be sent. */
  constructor(join) {
    byId("join-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#button.disabled) this.#submit(join);
    });
  }

  show({ name, room, error = "" }) {
    this.#page.hidden = false;
    this.#name.value = name;
    this.#room.value = room;
    this.wait(false);
    this.#fail(error, this.#name);
    if (error === "") (name === "" ? this.#name : this.#button).focus();
  }

  hide() {
    this.#page.hidden = true;
    this.wait(false);
  }

  /** Shows that the gateway was asked; `words` say how far it is. */
  wait(waiting, words = "") {
    this.#button.disabled = waiting;
    this.#progress.textContent = words;
  }

  #submit(join) {
    const name = tidyName(this.#name.value);
    const room = tidyName(this.#room.value);
    const wrongName = nameFault("name", name, NAME_BYTES);
    const wrongRoom = roomFault(room);
    this.#fail(wrongName || wrongRoom, wrongName ? this.#name : this.#room);
    if (!wrongName && !wrongRoom) join(name, room);
  }

  #fail(words, field) {
    this.#error.textContent = words;
    for (const input of [this.#name, this.#room]) {
      input.setAttribute("aria-invalid", String(words !== "" && input === field));
    }
    if (words !== "") field.focus();
  }
}
