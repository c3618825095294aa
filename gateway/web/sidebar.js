// SPDX-License-Identifier: MIT
//
// sidebar.js - the column with rooms and people: always there when there is space, else a drawer.

import { byId } from "./dom.js";

export class Sidebar {
  #drawer = byId("sidebar");
  #main = byId("conversation");
  #button = byId("menu");

  /** `opened()` is called when the drawer is, `leave()` when the reader wants it closed. */
  constructor({ opened, leave }) {
    this.#button.addEventListener("click", () => {
      this.#open();
      opened();
    });
    byId("menu-close").addEventListener("click", leave);
    byId("backdrop").addEventListener("click", leave);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#isOpen) leave();
    });
    // on a screen grown wide there is no drawer to be in
    matchMedia("(min-width: 48rem)").addEventListener("change", () => this.close());
  }

  close() {
    if (!this.#isOpen) return;
    this.#set(false);
    this.#button.focus();
  }

  /** Shows at the button that another room has something new. */
  mark(news) {
    this.#button.classList.toggle("news", news);
  }

  get #isOpen() {
    return this.#drawer.classList.contains("open");
  }

  #open() {
    this.#set(true);
    byId("menu-close").focus();
  }

  #set(open) {
    this.#drawer.classList.toggle("open", open);
    this.#button.setAttribute("aria-expanded", String(open));
    this.#main.inert = open; // the keyboard stays in the drawer
  }
}
