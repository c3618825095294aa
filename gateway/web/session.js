// SPDX-License-Identifier: MIT
//
// session.js - what the browser remembers: the guest key and the name for good, and for a reload of
// this tab, who was in which rooms. Where storage is blocked, it lasts as long as the page.

import { randomText } from "./parlor.js";

const KEY = "parlor.key";
const NAME = "parlor.name";
// Of this page: another Parlor may be under another path of the host.
export const PAGE_PATH = new URL(".", document.baseURI).pathname;
const SESSION = `parlor.session ${PAGE_PATH}`;

/** Storage that never throws: a browser may refuse it altogether, or be full. */
class Store {
  #kept = new Map();
  #area;

  constructor(area) {
    this.#area = area;
  }

  get(name) {
    try {
      return globalThis[this.#area].getItem(name) ?? this.#kept.get(name);
    } catch {
      return this.#kept.get(name);
    }
  }

  set(name, value) {
    this.#kept.set(name, value);
    try {
      globalThis[this.#area].setItem(name, value);
    } catch {
      // kept above
    }
  }

  remove(name) {
    this.#kept.delete(name);
    try {
      globalThis[this.#area].removeItem(name);
    } catch {
      // nothing was stored
    }
  }
}

export const forGood = new Store("localStorage");
const forTab = new Store("sessionStorage");

/** The secret by which a guest's name is theirs in all their tabs. */
export function guestKey() {
  const known = forGood.get(KEY);
  if (known) return known;
  const key = randomText(40);
  forGood.set(KEY, key);
  return key;
}

export const rememberedName = () => forGood.get(NAME) ?? "";

export const rememberName = (name) => forGood.set(NAME, name);

/** { name, rooms: [{ name, peer? }] } of this tab before a reload, or null. */
export function loadSession() {
  try {
    const session = JSON.parse(forTab.get(SESSION) ?? "null");
    return session?.name && Array.isArray(session.rooms) ? session : null;
  } catch {
    return null;
  }
}

export const saveSession = (session) => forTab.set(SESSION, JSON.stringify(session));

export const clearSession = () => forTab.remove(SESSION);
