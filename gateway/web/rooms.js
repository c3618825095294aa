// SPDX-License-Identifier: MIT
//
// rooms.js - the rooms the user is in, to switch between, with what is unread.

import { avatar, byId, icon, make } from "./dom.js";
import { count } from "./text.js";

/** The address of a room in this page. */
export const roomUrl = (name) => `${location.pathname}?room=${encodeURIComponent(name)}`;

/** True for a click that asks for a new tab or window: the browser's, not ours. */
export const opensElsewhere = (event) =>
  event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;

export class RoomList {
  #list = byId("rooms");

  /** `show(name)` is called when a room is chosen; `open(name)` when one is asked for by name. */
  constructor({ show, open }) {
    this.#list.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link || opensElsewhere(event)) return;
      event.preventDefault();
      show(link.dataset.name);
    });
    const form = byId("open-form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (open(byId("open-room").value)) form.reset();
    });
  }

  /** @param rooms  array of { name, peer?, unread, current } */
  show(rooms) {
    const focused = this.#list.contains(document.activeElement)
      ? document.activeElement.dataset.name : undefined;
    this.#list.replaceChildren(...rooms.map(item));
    if (focused !== undefined) {
      [...this.#list.querySelectorAll("a")].find((a) => a.dataset.name === focused)?.focus();
    }
  }
}

function item({ name, peer, unread, current }) {
  const mark = peer ? avatar(peer) : make("span", { class: "avatar room" }, icon("hash"));
  const title = peer
    ? [make("span", { class: "words" }, "Private room with "), make("bdi", {}, peer), icon("lock")]
    : [make("bdi", {}, name)];
  const badge = unread > 0
    ? [make("span", { class: "badge" }, count(unread), make("span", { class: "words" }, " unread"))]
    : [];
  return make("li", {}, make("a", {
    href: roomUrl(name), "data-name": name, "aria-current": current ? "page" : undefined,
  }, mark, make("span", { class: "title" }, ...title), ...badge));
}
