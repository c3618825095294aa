// SPDX-License-Identifier: MIT
// play.mjs - a script played by the real programs; the same with the cores alone is play.c, deeds.c and hearings.c.

import { Client } from "../e2e/lib/client.mjs";
import { sleep } from "../e2e/lib/wait.mjs";
import { Guest } from "./guest.mjs";
import { Wrong } from "./script.mjs";

const STEP_MS = 5;
const PACE_MS = 300; // comings and goings are put together for 250
const KEY_TAIL = "-0123456789abcdef"; // a key has at least 16 bytes
const FENCE_ROOMS = 8; // so many reach all shards, where there are several

/** A name among those of one story: scripts share the services that they are played by. */
export function namesFor(tag) {
  const tail = ` of ${tag}`;
  return {
    there: (name) => (/^[a-z]/.test(name) && name.length < 60 ? name + tail : name),
    back: (name) => (name.endsWith(tail) ? name.slice(0, -tail.length) : name),
  };
}

/** Whether `early` must not have come before `late`, since the story has it later; as in hearings.c. */
function isOutOfOrder(early, late, before) {
  if (early.room !== late.room) return false;
  if (early.kind === "say" && late.kind === "say") return true;
  if (early.user !== late.user) return false;
  const hasLeft = () => before.some(({ kind, user, room }) => kind === "leave" && user === late.user && room === late.room);
  if (early.kind === "say") return late.kind === "join" && !hasLeft();
  return late.kind !== "say" || early.kind === "join";
}

const isFound = (history, { texts, isAny, isAnew, hasMore }) => isAny ||
  (history.hasMore === hasMore && history.isReset === isAnew && JSON.stringify(history.texts) === JSON.stringify(texts));

const NOTHING = { texts: [], isAny: false, isAnew: false, hasMore: false };

export class Play {
  #guests = new Map();
  #pending = [];
  #stopped = new Set();
  #moved = 0; // when anybody last came or went
  #fences = 0;
  #sentence;
  #deadline;

  /** @param options  { patienceMs, tag }: how long an expectation may wait; what keeps its names apart */
  constructor(script, stack, { patienceMs, tag }) {
    Object.assign(this, { script, stack, patienceMs, names: namesFor(tag) });
  }

  /** Rejects with Wrong where it is not as the script says. */
  async run() {
    try {
      for (const sentence of this.script.sentences) {
        this.#sentence = sentence;
        this.#deadline = Date.now() + this.patienceMs;
        await this.#play(sentence);
        this.#look();
      }
      await this.#end();
    } finally {
      for (const name of this.#stopped) process.kill(this.stack.pid(name), "SIGCONT");
      for (const guest of this.#guests.values()) if (guest.isHere) await guest.go(true);
    }
  }

  #fail(what) { throw new Wrong(this.#sentence.line, what); }

  #guest(who) {
    if (!this.#guests.has(who)) this.#guests.set(who, new Guest(who, this.names));
    return this.#guests.get(who);
  }

  /** Takes in what has come, and looks for what no client may be told. */
  #look() {
    for (const guest of this.#guests.values()) guest.digest();
    const faulty = [...this.#guests.values()].find(({ fault }) => fault);
    if (faulty) this.#fail(faulty.fault);
  }

  /** Waits until the probe is true; what fails then is said by `what`. */
  async #until(probe, what) {
    for (;;) {
      this.#look();
      const result = probe();
      if (result) return result;
      if (Date.now() > this.#deadline) this.#fail(what());
      await sleep(STEP_MS);
    }
  }

  #play(sentence) {
    switch (sentence.kind) {
      case "story": case "with": return undefined;
      case "hear_say": return this.#hearSays(sentence);
      case "hear_join": return this.#hear(sentence, { kind: "join" });
      case "hear_leave": return this.#hear(sentence, { kind: "leave" });
      case "hear_type": return this.#hear(sentence, { kind: "type" });
      case "hear_stop": return this.#hear(sentence, { kind: "stop" });
      case "hear_invite": return this.#hear(sentence, { kind: "invite" });
      case "hear_error": return this.#hear(sentence, { kind: "error", user: "", room: sentence.in, text: sentence.CODE });
      case "hear_none": return this.#hearNothing(sentence);
      case "see": return this.#see(sentence);
      case "closed": return this.#closed(sentence);
      case "kill": return this.#kill(sentence);
      case "still": return this.#signal(sentence, "SIGSTOP");
      case "wake": return this.#signal(sentence, "SIGCONT");
      case "pass": return sleep(1000 * Number(sentence.NUMBER));
      default: return this.#deed(sentence);
    }
  }

  // ---- what people do

  async #arrive(guest, sentence) {
    if (guest.isHere) this.#fail(`${guest.who} is here already`);
    if (guest.closeCode) this.#fail(`${guest.who} was closed with ${guest.closeCode}`);
    const gateway = sentence.at && Number(sentence.at.split("-")[1]);
    await guest.arrive(this.stack, { isSocketio: sentence.kind === "arrive_io", isBatched: sentence.batches, gateway });
  }

  /** The id of the request, or ids; nothing for what has no answer. */
  #begin(guest, sentence) {
    const room = sentence.ROOM && this.names.there(sentence.ROOM);
    switch (sentence.kind) {
      case "join": return guest.askJoin(sentence.ROOM, Number(sentence.since ?? 0), {
        username: this.names.there(guest.user), room,
        ...(sentence.since && { since: Number(sentence.since) }), ...(sentence.key && { key: sentence.key + KEY_TAIL }),
      });
      case "leave": return guest.ask("userLeave", { room });
      case "say": return sentence.TEXTS.map((body) => guest.ask("updateChat", { room, body, ...(sentence.as && { cid: sentence.as }) }));
      case "type": return guest.ask("userTyping", { room });
      case "invite": return guest.ask("newRoom", { room, username2: this.names.there(sentence.USER) });
      case "read": return guest.ask("history", {
        room, ...Object.fromEntries(["before", "after", "limit"].filter((bound) => sentence[bound])
          .map((bound) => [bound, Number(sentence[bound])])),
      });
      case "ask": return guest.ask(sentence.EVENT, this.#dataOf(sentence.TEXT));
      case "send": return guest.send(sentence.TEXT);
      case "away": return guest.look(true);
      case "again": return guest.look(false);
      case "go": return this.#go(guest, false);
      case "lose": return this.#go(guest, true);
      default: return this.#fail(`nothing that one does: ${sentence.kind}`);
    }
  }

  #dataOf(text) {
    const data = JSON.parse(text);
    for (const field of ["username", "username2", "room"]) {
      if (typeof data?.[field] === "string") data[field] = this.names.there(data[field]);
    }
    return data;
  }

  /** Whoever goes gets no answers any more, and is not waited for. */
  #go(guest, isLost) {
    this.#pending = this.#pending.filter((due) => due.guest !== guest);
    return guest.go(isLost);
  }

  async #deed(sentence) {
    const guest = this.#guest(sentence.WHO);
    if (!guest.isHere || sentence.kind.startsWith("arrive")) await this.#arrive(guest, sentence);
    this.#moved = ["join", "leave", "go", "lose", "invite"].includes(sentence.kind) ? Date.now() : this.#moved;
    if (sentence.kind.startsWith("arrive")) return;
    const ids = [await this.#begin(guest, sentence)].flat().filter((id) => id !== undefined);
    this.#pending.push(...ids.map((id, nth) => ({ sentence, guest, id, nth })));
    if (sentence.isWithNext) return;
    guest.flush();
    let seq = 0;
    for (const due of this.#pending.splice(0)) seq = await this.#checkReply(due, seq);
  }

  // ---- what they are answered

  async #checkReply({ sentence, guest, id, nth }, before) {
    const { who } = guest;
    const expected = sentence.kind === "ask" ? sentence.CODE : sentence.refused;
    const reply = await this.#until(() => guest.replies.get(id), () => `${who} gets no answer`);
    if (reply.code !== expected) this.#fail(reply.code ? `${who} is refused: ${reply.code}` : `${who} is not refused`);
    if (reply.code) return 0;
    if (sentence.kind === "join") await this.#checkGreeting(guest, sentence);
    if (sentence.kind === "read") this.#checkFound(guest, reply.page, sentence.finds);
    if (sentence.kind === "invite" && reply.status !== (sentence.alreadyIn ? "alreadyIn" : "invited"))
      this.#fail(`the answer is ${reply.status}`);
    if (sentence.kind === "say") {
      if (sentence.message && reply.seq !== Number(sentence.message) + nth) this.#fail(`it is message ${reply.seq}`);
      if (nth > 0 && reply.seq <= before) this.#fail(`"${sentence.TEXTS[nth]}" is stored before what was said before it`);
    }
    return reply.seq;
  }

  async #checkGreeting(guest, sentence) {
    const { sentences } = this.script;
    for (let i = sentences.indexOf(sentence); sentences[i].isWithNext; i++)
      if (sentences[i + 1].kind === "leave" && sentences[i + 1].ROOM === sentence.ROOM) return;
    const seat = guest.seat(sentence.ROOM);
    const greeting = await this.#until(() => seat.greeting, () => `${guest.who} is not greeted`);
    this.#checkFound(guest, greeting, sentence.finds);
  }

  #checkFound(guest, history, expected = NOTHING) {
    if (isFound(history, expected)) return;
    const some = history.texts.slice(0, 5).map((text) => `"${text}"`).join(" ");
    this.#fail(`${guest.who} finds ${history.isReset ? "anew " : ""}${history.texts.length} messages${history.hasMore ? " and more" : ""}: ${some}`);
  }

  // ---- what they are told

  #untold({ things }) {
    const rest = things.filter(({ isTaken }) => !isTaken).slice(0, 6);
    return `untold: ${rest.map(({ kind, user, room, text }) => `${user} ${kind} "${text}" in ${room}`).join("; ") || "nothing"}`;
  }

  async #hear({ WHO, USER, ROOM }, meant) {
    const guest = this.#guest(WHO);
    const expected = { user: USER, room: ROOM, text: "", ...meant };
    const isMeant = (thing) => !thing.isTaken && ["kind", "user", "text"].every((part) => thing[part] === expected[part]) &&
      (expected.room === undefined || thing.room === expected.room);
    const thing = await this.#until(() => guest.things.find(isMeant), () => `${WHO} does not hear that; ${this.#untold(guest)}`);
    const earlier = guest.things.slice(0, guest.things.indexOf(thing));
    if (earlier.some((other) => !other.isTaken && isOutOfOrder(other, thing, earlier)))
      this.#fail(`${WHO} hears something else before; ${this.#untold(guest)}`);
    thing.isTaken = true;
  }

  async #hearSays(sentence) {
    for (const text of sentence.TEXTS) await this.#hear(sentence, { kind: "say", text });
  }

  async #see({ WHO, USERS, ROOM }) {
    const seat = this.#guest(WHO).seat(ROOM);
    const expected = JSON.stringify([...USERS].sort());
    await this.#until(() => JSON.stringify([...seat.users].sort()) === expected, () => `${WHO} sees ${seat.users.join(" and ")}`);
  }

  async #closed({ WHO, NUMBER }) {
    const guest = this.#guest(WHO);
    await this.#until(() => guest.closeCode, () => `${WHO} is not closed`);
    if (guest.closeCode !== Number(NUMBER)) this.#fail(`${WHO} is closed with ${guest.closeCode}`);
    guest.client = undefined;
  }

  async #hearNothing({ WHO }) {
    await this.#fence([this.#guest(WHO)]);
    this.#checkNothing(this.#guest(WHO));
  }

  #checkNothing(guest) {
    if (guest.things.some(({ isTaken }) => !isTaken)) this.#fail(`${guest.who} is told more than the story says; ${this.#untold(guest)}`);
  }

  async #end() {
    const guests = [...this.#guests.values()];
    await this.#fence(guests.filter(({ isHere }) => isHere));
    for (const guest of guests) {
      this.#checkNothing(guest);
      if (guest.closeCode) this.#fail(`${guest.who} was closed with ${guest.closeCode}`);
    }
  }

  /**
   * When this is over, everything that was under way towards these guests has arrived: a stranger has come into rooms
   * of its own, spoken and left, by each gateway, and what roomd and historyd say is in order; then each guest has asked
   * something. Only what the gateway itself puts off is waited for, where anybody has just come or gone.
   */
  async #fence(guests) {
    await sleep(Math.max(0, this.#moved + PACE_MS - Date.now()));
    const { gateway: gateways, roomd, historyd } = this.stack.counts;
    const rooms = roomd + historyd > 2 ? FENCE_ROOMS : 1;
    await Promise.all(Array.from({ length: gateways }, (_, gateway) => this.#passBy(gateway, rooms)));
    for (const guest of guests) {
      const id = guest.ask("history", { room: "a room that nobody joins" });
      guest.flush();
      await this.#until(() => guest.replies.get(id), () => `${guest.who} gets no answer any more`);
    }
  }

  async #passBy(gateway, rooms) {
    const stranger = await Client.connect(this.stack, this.stack.counts.gateway > 1 ? { gateway } : {});
    const number = ++this.#fences;
    await Promise.all(Array.from({ length: rooms }, async (_, n) => {
      const room = this.names.there(`fence-${number}-${n}`);
      await stranger.join(this.names.there("stranger"), room);
      await stranger.say(room, "passing by");
    }));
    await stranger.close();
  }

  // ---- what befalls the services

  #service(name) {
    if (!this.stack.services.includes(name)) this.#fail("there is no such service");
    return name;
  }

  async #kill({ SERVICE }) {
    await this.stack.restart(this.#service(SERVICE));
    await this.stack.ready();
    this.#moved = Date.now();
  }

  #signal({ SERVICE }, signal) {
    process.kill(this.stack.pid(this.#service(SERVICE)), signal);
    if (signal === "SIGSTOP") this.#stopped.add(SERVICE);
    else this.#stopped.delete(SERVICE);
  }
}
