// SPDX-License-Identifier: MIT
//
// people.js - the list of who is in the room that is shown.

import { avatar, byId, make } from "./dom.js";
import { count } from "./text.js";

const inOrder = new Intl.Collator(undefined, { numeric: true }); // 80 before 160

export class PeopleList {
  #list = byId("people");
  #count = byId("people-count");
  #items = new Map(); // name → element, so that a refresh moves nobody's focus

  /** `choose(name)` is called when another person is clicked. */
  constructor(choose) {
    this.#list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) choose(button.dataset.name);
    });
  }

  show({ names, total, me }) {
    const meFirst = (a, b) => (b === me) - (a === me) || inOrder.compare(a, b);
    const sorted = [...new Set(names)].sort(meFirst);
    for (const [name, item] of this.#items) {
      if (sorted.includes(name)) continue;
      item.remove();
      this.#items.delete(name);
    }
    let next = this.#list.firstElementChild;
    for (const name of sorted) {
      if (!this.#items.has(name)) this.#items.set(name, name === me ? myItem(me) : item(name));
      const element = this.#items.get(name);
      if (element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(element, next);
    }
    this.#showRest(total - sorted.length);
    this.#count.textContent = total > 0 ? count(total) : "";
  }

  #showRest(more) {
    this.#list.querySelector(".rest")?.remove();
    if (more > 0) this.#list.append(make("li", { class: "rest" }, `and ${count(more)} more`));
  }
}

function item(name) {
  return make("li", {}, make("button", {
    type: "button", class: "person", "data-name": name, title: "Open a private room",
  }, avatar(name), make("bdi", {}, name)));
}

function myItem(name) {
  return make("li", { class: "person" },
    avatar(name), make("bdi", {}, name), make("span", { class: "hint" }, "you"));
}
