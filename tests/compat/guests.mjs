// SPDX-License-Identifier: MIT
// guests.mjs - what the writers of a run do not touch: private rooms, invitations that wait, and Socket.IO, once in each
// combination of versions, and what one combination left for the next.

import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { Client } from "../e2e/lib/client.mjs";
import { until, within } from "../e2e/lib/wait.mjs";

const isCode = (code) => (error) => error.code === code;

export class Guests {
  #urls;
  #count = 0;
  #seen; // by those who come back
  resets = 0;

  constructor(urls) { this.#urls = urls; }

  /** Throws what goes wrong. */
  async visit() {
    const n = ++this.#count;
    const at = (i) => ({ url: this.#urls[i % this.#urls.length] });
    const [ann, bob, eve] = await Promise.all(["ann", "bob", "eve"].map((name, i) => Client.join(at(n + i), name, "lobby")));
    try {
      await this.#private({ ann, bob, eve, n });
      await this.#absent({ ann, n, at });
      await this.#return(at(n + 1), n);
      await this.#socketIo(at(n), ann, n);
    } finally {
      await Promise.all([ann, bob, eve].map((client) => client.close()));
    }
  }

  async #private({ ann, bob, eve, n }) {
    const room = `two-${n}`;
    assert.deepEqual(await ann.request("newRoom", { username2: "bob", room }), { status: "invited" });
    await bob.take("newRoom", ({ data }) => data.room === room);
    const { seq } = await ann.say(room, "just us");
    assert.equal(seq, 1);
    await bob.join("bob", room);
    assert.equal((await bob.take("msgHistory", (frame) => frame.room === room)).data[0].body, "just us");
    await bob.say(room, "yes");
    assert.equal((await ann.take("updateChat", (frame) => frame.room === room)).data.body, "yes");
    await assert.rejects(eve.join("eve", room), isCode("forbidden"));
    if (n === 1) return;
    const before = `two-${n - 1}`;
    await assert.rejects(eve.join("eve", before), isCode("forbidden"));
    await ann.join("ann", before);
    const { data } = await ann.take("msgHistory", (frame) => frame.room === before);
    assert.deepEqual(data.map(({ body }) => body), ["just us", "yes"]);
  }

  /** Resumes what the last one saw beside other versions, with the epoch if one was told: the room goes on there, or begins
   *  anew. Each has a name of its own, so that both versions write the room's record. */
  async #return(stack, n) {
    const { since, epoch } = this.#seen ?? {};
    const rita = await Client.join(stack, `rita-${n}`, "again", { join: { since, epoch } });
    const { data, reset, epoch: current } = await rita.take("msgHistory");
    const first = reset || since === undefined ? 1 : since + 1;
    assert.deepEqual(data.map(({ seq }) => seq), Array.from({ length: n - first }, (_, i) => first + i), `since ${since}, reset ${reset}`);
    this.resets += reset ? 1 : 0;
    const ack = await rita.say("again", "here again");
    assert.equal(ack.seq, n);
    this.#seen = n % 5 === 1 ? { since: ack.seq, epoch: ack.epoch ?? current } : this.#seen;
    await rita.close();
  }

  /** Invited while away, shown to whoever comes after the next swap. */
  async #absent({ ann, n, at }) {
    if (n > 1) {
      const guest = await Client.join(at(n + 1), `guest-${n - 1}`, "lobby");
      await guest.take("newRoom", ({ data }) => data.room === `waiting-${n - 1}`);
      await guest.close();
    }
    await ann.request("newRoom", { username2: `guest-${n}`, room: `waiting-${n}` });
  }

  async #socketIo({ url }, ann, n) {
    for (const transports of [["websocket"], ["polling"]]) {
      const socket = io(url, { transports, reconnection: false, forceNew: true });
      try {
        await within(new Promise((resolve, reject) => socket.on("connect", resolve).on("connect_error", reject)), "Socket.IO connects");
        const name = `sio-${transports[0]}-${n}`;
        const answer = (event, data) => within(new Promise((resolve) => socket.emit(event, data, resolve)), `an ack of ${event}`);
        await answer("userJoin", { username: name, room: "lobby" });
        const heard = [];
        socket.on("updateChat", (data) => heard.push(data.body));
        await answer("updateChat", { room: "lobby", body: `from ${name}` });
        await ann.take("updateChat", ({ data }) => data.body === `from ${name}`);
        await ann.say("lobby", `to ${name}`);
        await until(`${name} hears`, () => heard.includes(`to ${name}`));
      } finally {
        socket.disconnect();
      }
    }
  }
}
