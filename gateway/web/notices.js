// SPDX-License-Identifier: MIT
//
// notices.js - what has to be seen now: invitations to private rooms, and errors that belong to no
// place of their own.

import { avatar, byId, icon, make } from "./dom.js";
import { opensElsewhere, roomUrl } from "./rooms.js";

const ERROR_MS = 10_000;

export class Notices {
  #invitations = byId("invitations");
  #error = byId("error");
  #timer;

  get invitations() {
    return this.#invitations.childElementCount;
  }

  /**
   * Shows an invitation once a room; `accept(room)` is called when its link is followed here,
   * `dismiss(room)` when it is put away.
   */
  invite({ username, room }, accept, dismiss) {
    this.withdraw(room);
    const card = make("div", { class: "notice", "data-room": room },
      avatar(username),
      make("p", {}, make("bdi", {}, username), " invites you to a private room"),
      make("a", { class: "primary", href: roomUrl(room), onclick: follow },
        "Join private room with ", make("bdi", {}, username)),
      make("button", {
        type: "button", class: "icon-button", "aria-label": "Dismiss invitation",
        onclick: () => {
          card.remove();
          dismiss(room);
        },
      }, icon("close")));
    function follow(event) {
      if (opensElsewhere(event)) return;
      event.preventDefault();
      card.remove();
      accept(room);
    }
    this.#invitations.append(card);
  }

  /** The invitation to a room has served. */
  withdraw(room) {
    for (const card of [...this.#invitations.children]) {
      if (card.dataset.room === room) card.remove();
    }
  }

  error(text) {
    clearTimeout(this.#timer);
    this.#error.textContent = text;
    this.#timer = setTimeout(() => this.#error.replaceChildren(), ERROR_MS);
  }

  clear() {
    this.#invitations.replaceChildren();
    this.#error.replaceChildren();
  }
}
