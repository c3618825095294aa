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
  #items = new Map(); // name → Item

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
    for (const [name, item] of this.#items) {
      if (rooms.some((room) => room.name === name)) continue;
      item.element.remove();
      this.#items.delete(name);
    }
    let next = this.#list.firstElementChild;
    for (const room of rooms) {
      if (!this.#items.has(room.name)) this.#items.set(room.name, new Item(room));
      const item = this.#items.get(room.name);
      item.update(room);
      if (item.element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(item.element, next);
    }
  }
}

/** One room in the list. It stays the same element: a finger may be on it while messages come. */
class Item {
  element;
  #link;
  #badge = make("span", { class: "badge", hidden: true });

  constructor({ name, peer }) {
    const mark = peer ? avatar(peer) : make("span", { class: "avatar room" }, icon("hash"));
    const title = peer
      ? [make("span", { class: "words" }, "Private room with "), make("bdi", {}, peer), icon("lock")]
      : [make("bdi", {}, withoutHash(name))];
    this.#link = make("a", { href: roomUrl(name), "data-name": name },
      mark, make("span", { class: "title" }, ...title), this.#badge);
    this.element = make("li", {}, this.#link);
  }

  update({ unread, current }) {
    if (current) this.#link.setAttribute("aria-current", "page");
    else this.#link.removeAttribute("aria-current");
    this.#badge.hidden = unread === 0;
    const words = unread === 0 ? [] : [count(unread), make("span", { class: "words" }, " unread")];
    this.#badge.replaceChildren(...words);
  }
}

/** The mark before it says that already. */
const withoutHash = (name) => name.replace(/^#(?=.)/u, "");
