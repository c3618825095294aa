// SPDX-License-Identifier: MIT
//
// room.js - what the page knows of one room: its log, who is in it, who types, what is unread.

import { MessageLog } from "./messages.js";
import { Typists } from "./typing.js";

export class ChatRoom {
  unread = 0;
  names = [];
  total = 0;
  #read; // seq up to which all was seen before a reload

  /** `peer` is the other one in a private room; the rest is for MessageLog and Typists. */
  constructor({ name, peer, read, isMe, loadPage, retry, typistsChanged }) {
    this.name = name;
    this.peer = peer;
    this.#read = read;
    const title = peer ? `your private room with ${peer}` : name;
    this.log = new MessageLog({ isMe, title, loadPage, retry });
    this.typists = new Typists(typistsChanged);
  }

  /** Takes messages as parlor.js gives them. */
  add({ messages, first, more }) {
    if (first) {
      this.log.restart(messages, more);
      if (this.#read !== undefined || !this.log.isSeen) this.log.lookAway(this.#read);
      this.#read = undefined;
    } else for (const message of messages) this.log.append(message);
    for (const { username } of messages) this.typists.stopped(username);
  }

  setPeople({ names, total }) {
    this.names = names;
    this.total = total;
    for (const name of this.typists.names) if (!names.includes(name)) this.typists.stopped(name);
  }

  /** The seq up to which all has been seen. */
  get read() {
    return this.#read ?? this.log.seen;
  }

  /** Between two full lists, which come a moment later. */
  joined(name) {
    if (!this.names.includes(name)) {
      this.setPeople({ names: [...this.names, name], total: this.total + 1 });
    }
  }

  left(name) {
    if (this.names.includes(name)) {
      this.setPeople({ names: this.names.filter((n) => n !== name), total: this.total - 1 });
    }
  }
}
