// SPDX-License-Identifier: MIT
//
// kept.js - what the browser keeps for a person until it is done with, also when the tab is closed:
// drafts, messages not yet stored, private rooms by person, invitations not yet answered.

import { forGood, PAGE_PATH } from "./session.js";

const MOST = 200; // of each kind; the oldest go first

const newest = (list) => list.slice(-MOST);
const without = (list, room) => list.filter((entry) => entry.room !== room);

export class Kept {
  #key;

  constructor(username) {
    this.#key = `parlor.kept ${PAGE_PATH} ${username}`;
  }

  /** { drafts: [{ room, text }], unsent: [{ room, cid, body }], talks: [{ peer, room, open, read }], invitations: [{ username, room }] } */
  get #all() {
    try {
      return { drafts: [], unsent: [], talks: [], invitations: [], ...JSON.parse(forGood.get(this.#key) ?? "{}") };
    } catch {
      return { drafts: [], unsent: [], talks: [], invitations: [] };
    }
  }

  /** Reads anew each time: another tab of the same person may have written. */
  #change(kind, change) {
    const all = this.#all;
    all[kind] = newest(change(all[kind]));
    forGood.set(this.#key, JSON.stringify(all));
  }

  draft(room) {
    return this.#all.drafts.find((entry) => entry.room === room)?.text ?? "";
  }

  setDraft(room, text) {
    this.#change("drafts", (list) => [...without(list, room), ...(text === "" ? [] : [{ room, text }])]);
  }

  unsentIn(room) {
    return this.#all.unsent.filter((entry) => entry.room === room);
  }

  addUnsent(message) {
    this.#change("unsent", (list) => [...list.filter(({ cid }) => cid !== message.cid), message]);
  }

  removeUnsent(isDone) {
    this.#change("unsent", (list) => list.filter((entry) => !isDone(entry)));
  }

  /** Private rooms: `open` ones are in the list of rooms, the others are known by their person only. */
  get talks() {
    return this.#all.talks;
  }

  setTalk(peer, talk) {
    this.#change("talks", (list) => {
      const known = list.find((entry) => entry.peer === peer);
      return [...list.filter((entry) => entry !== known), { ...known, ...talk, peer }];
    });
  }

  forgetTalk(room) {
    this.#change("talks", (list) => without(list, room));
  }

  get invitations() {
    return this.#all.invitations;
  }

  addInvitation(invitation) {
    this.#change("invitations", (list) => [...without(list, invitation.room), invitation]);
  }

  answered(room) {
    this.#change("invitations", (list) => without(list, room));
  }
}
