// SPDX-License-Identifier: MIT
//
// app.js - the page as a whole: who is signed in, which rooms are open, which one is shown. It ties
// the connection (parlor.js) to the views; each view has a file of its own.

import { Composer } from "./composer.js";
import { byId, make } from "./dom.js";
import { Entrance, roomFault } from "./entrance.js";
import { Kept } from "./kept.js";
import { Notices } from "./notices.js";
import { Parlor, randomText } from "./parlor.js";
import { PeopleList } from "./people.js";
import { ChatRoom } from "./room.js";
import { RoomList, roomUrl } from "./rooms.js";
import {
  clearSession, guestKey, loadSession, rememberName, rememberedName, saveSession,
} from "./session.js";
import { Sidebar } from "./sidebar.js";
import { plural, tidyName, typingSentence, untilTomorrow } from "./text.js";

const FIRST_ROOM = "main";
const STATE_WORDS = {
  closed: "",
  connecting: "Connecting…",
  open: "Online",
  offline: "Offline, trying again…",
};

let parlor = null;
let kept = null; // what the browser keeps for the person
let shown = null; // the ChatRoom in sight
const rooms = new Map(); // name → ChatRoom
const privateRooms = new Map(); // person → name of the private room with them

const entrance = new Entrance(signIn);
const notices = new Notices();
const sidebar = new Sidebar({
  // Back closes the drawer: it is a place of its own.
  opened: () => history.pushState({ room: shown.name, drawer: true }, ""),
  leave: () => (history.state?.drawer ? history.back() : sidebar.close()),
});
const peopleList = new PeopleList(talkTo);
const roomList = new RoomList({ show: go, open: openByName });
const composer = new Composer({
  send: (body) => send(shown, body),
  typing: () => parlor.typing(shown.name),
});

const isMe = (name) => name === parlor?.username;

// ---- signing in and out

function connect(username) {
  parlor = new Parlor({ username, key: guestKey() });
  kept = new Kept(username);
  parlor.on("state", showState);
  parlor.on("health", ({ well }) => showState(parlor, well));
  parlor.on("messages", messagesCame);
  parlor.on("people", (people) => withRoom(people, (room) => room.setPeople(people)));
  parlor.on("join", (who) => withRoom(who, (room) => room.joined(who.username)));
  parlor.on("leave", (who) => withRoom(who, (room) => room.left(who.username)));
  parlor.on("typing", (who) => isMe(who.username) ||
    withRoom(who, (room) => room.typists.started(who.username)));
  parlor.on("stopped", (who) => withRoom(who, (room) => room.typists.stopped(who.username)));
  parlor.on("invitation", invited);
  parlor.on("refused", ({ room, error }) => {
    if (error.code === "forbidden") kept.forgetTalk(room);
    removeRoom(room, explain(error));
  });
  parlor.on("error", ({ error }) => error.temporary || notices.error(explain(error)));
}

function signIn(username, name) {
  connect(username);
  entrance.wait(true, "Connecting…");
  parlor.join(name).then(() => {
    rememberName(parlor.username);
    showChat(name);
    openKept();
  }, () => {}); // the event `refused` has brought the form back
  addRoom(name, kept.talks.find(({ room }) => room === name)?.peer);
  sendKept(name);
}

/** What the person had: private rooms that they have not left, invitations without an answer. */
function openKept() {
  for (const { peer, room, open, read } of kept.talks) {
    privateRooms.set(peer, room);
    if (open) openQuietly(room, peer, read);
  }
  for (const invitation of kept.invitations) invited(invitation);
  showRooms();
}

/** After a reload: back into all rooms of this tab. */
function resume({ name: username, rooms: known }, name) {
  connect(username);
  for (const { name: other, peer, read } of known) openQuietly(other, peer, read);
  openQuietly(name);
  showChat(name);
  openKept();
}

function showChat(name) {
  entrance.hide();
  byId("chat").hidden = false;
  byId("me").textContent = parlor.username;
  showState(parlor);
  show(name);
}

function signOut({ name = parlor.username, room = FIRST_ROOM, error } = {}) {
  parlor.close();
  for (const gone of rooms.values()) gone.typists.clear();
  parlor = null;
  shown = null;
  rooms.clear();
  kept = null;
  privateRooms.clear();
  notices.clear();
  clearSession();
  sidebar.close();
  byId("chat").hidden = true;
  byId("log-place").replaceChildren();
  document.title = "Parlor";
  history.replaceState(null, "", location.pathname);
  entrance.show({ name, room, error });
}

function showState({ state }, well = true) {
  const isTroubled = state === "open" && !well;
  byId("connection").textContent = isTroubled ? "Not storing, trying again…" : STATE_WORDS[state];
  document.body.dataset.connection = isTroubled ? "offline" : state;
  if (byId("chat").hidden) entrance.wait(state !== "closed", STATE_WORDS[state]);
  if (state !== "open") for (const room of rooms.values()) room.typists.clear();
}

/** What an error means to the one who reads it. */
function explain({ code, message }) {
  const words = {
    name_taken: "This name is in use by someone else. Choose another one.",
    forbidden: "This is a private room of others.",
    room_taken: "This room is already in use.",
    too_large: "The message is too long.",
    offline: "There is no connection. Try again in a moment.",
    timeout: "There was no answer. Try again in a moment.",
  };
  return words[code] ?? message;
}

// ---- rooms

function addRoom(name, peer, read) {
  const room = new ChatRoom({
    name,
    peer,
    read,
    isMe,
    loadPage: (range) => parlor.history(name, range),
    retry: ({ body, cid }) => send(room, body, cid),
    typistsChanged: () => room === shown && showTyping(),
  });
  rooms.set(name, room);
  if (peer) {
    privateRooms.set(peer, name);
    kept.setTalk(peer, { room: name, open: true });
  }
  kept.answered(name);
  notices.withdraw(name);
}

function openQuietly(name, peer, read) {
  if (rooms.has(name)) return;
  addRoom(name, peer, read);
  parlor.join(name).catch(() => {}); // see the event `refused`
  sendKept(name);
}

function openRoom(name, peer) {
  openQuietly(name, peer);
  go(name);
}

/** Returns whether the text was a name to go on with. */
function openByName(text) {
  const name = tidyName(text);
  const fault = roomFault(name);
  if (fault) notices.error(fault);
  else openRoom(name);
  return !fault;
}

function removeRoom(name, error) {
  const room = rooms.get(name);
  if (!room) return;
  if (rooms.size === 1) {
    signOut({ room: name, error });
    return;
  }
  room.typists.clear();
  rooms.delete(name);
  if (error) notices.error(`${name}: ${error}`);
  if (room === shown) show([...rooms.keys()].at(-1));
  else showRooms();
}

function leave() {
  const { name, peer } = shown;
  parlor.leave(name);
  kept.setDraft(name, "");
  kept.removeUnsent(({ room }) => room === name);
  if (peer) kept.setTalk(peer, { open: false });
  removeRoom(name);
}

/** Shows a room that was chosen: Back leads to the one before. */
function go(name) {
  if (shown && shown.name !== name && !history.state?.drawer) history.pushState(null, "");
  show(name);
}

function show(name) {
  const room = rooms.get(name);
  shown?.log.hiding();
  if (shown !== room) shown?.log.lookAway();
  shown = room;
  look();
  const title = room.peer ?? name;
  byId("room-title").textContent = title;
  byId("room-kind").textContent = room.peer ? "Private room with" : "Room";
  byId("log-place").replaceChildren(room.log.element);
  room.log.shown();
  composer.switchTo(name, `Write to ${title}`, kept);
  composer.focus();
  history.replaceState({ room: name }, "", roomUrl(name));
  sidebar.close();
  showPeople();
  showTyping();
  showRooms();
}

/** What is shown is seen, when the page is. */
function look() {
  if (document.hidden) return;
  shown.unread = 0;
  shown.log.lookAt();
}

function withRoom({ room: name }, change) {
  const room = rooms.get(name);
  if (!room) return;
  change(room);
  if (room === shown) showPeople();
}

function showPeople() {
  const { names, total } = shown;
  peopleList.show({ names, total, me: parlor.username });
  byId("room-people").textContent = total > 0 ? plural(total, "person", "people") : "";
}

function showTyping() {
  const sentence = typingSentence(shown.typists.names);
  const bubble = make("span", { class: "dots", "aria-hidden": "true" });
  byId("typing").replaceChildren(...(sentence ? [bubble, make("bdi", {}, sentence)] : []));
}

/** The list of rooms, and all else that follows from which there are and what is unread. */
function showRooms() {
  const all = [...rooms.values()];
  roomList.show(all.map((room) => {
    const { name, peer, unread } = room;
    return { name, peer, unread, current: room === shown };
  }));
  const unread = all.reduce((sum, room) => sum + room.unread, notices.invitations);
  sidebar.mark(all.some((room) => room !== shown && room.unread > 0));
  const title = shown.peer ?? shown.name;
  document.title = `${unread > 0 ? `(${unread}) ` : ""}${title} · Parlor`;
  save();
}

function save() {
  saveSession({
    name: parlor.username,
    rooms: [...rooms.values()].map(({ name, peer, read }) => ({ name, peer, read })),
  });
  for (const { name, peer, read } of rooms.values()) {
    if (peer) kept.setTalk(peer, { room: name, read });
  }
}

// ---- messages

function send(room, body, known) {
  const { cid, stored } = parlor.send(room.name, body, { cid: known });
  const keeper = kept;
  const done = () => keeper.removeUnsent((message) => message.cid === cid);
  keeper.addUnsent({ room: room.name, cid, body });
  stored.then(done, (error) => {
    // what was given up with the connection is for the next visit
    if (!error.temporary && error.code !== "left") done();
    room.log.fail(cid, explain(error));
  });
  if (known) return stored; // it stands in the log already
  room.log.addWaiting({ username: parlor.username, body, time: Date.now(), cid });
  return stored;
}

/** What a reload or a closed tab has left behind is sent again; its `cid` is stored once. */
function sendKept(name) {
  const room = rooms.get(name);
  for (const { cid, body } of kept.unsentIn(name)) {
    room.log.addWaiting({ username: parlor.username, body, time: Date.now(), cid });
    send(room, body, cid).then(() => room.log.settle(cid), () => {});
  }
}

function messagesCame(batch) {
  const room = rooms.get(batch.room);
  if (!room) return;
  room.add(batch);
  if (room === shown && !document.hidden) {
    look();
    return;
  }
  const isNew = ({ username, seq }) => !isMe(username) && seq > room.log.seen;
  const fresh = batch.messages.filter(isNew).length;
  room.unread = (batch.first ? 0 : room.unread) + fresh;
  if (shown && fresh > 0) showRooms();
}

// ---- private rooms

/** Opens the private room with a person, and asks them in when they are not there. */
async function talkTo(peer) {
  const known = privateRooms.get(peer);
  const name = known ?? `private-${randomText(16)}`;
  privateRooms.set(peer, name);
  if (rooms.has(name)) go(name);
  if (rooms.get(name)?.names.includes(peer)) return;
  const asking = parlor;
  try {
    await asking.invite(peer, name);
    if (asking === parlor && !rooms.has(name)) openRoom(name, peer);
  } catch (error) {
    if (asking !== parlor) return;
    if (!known) privateRooms.delete(peer);
    notices.error(`${peer} could not be invited. ${explain(error)}`);
  }
}

function invited({ username, room }) {
  if (isMe(username)) return;
  privateRooms.set(username, room); // clicking the person leads there too
  kept.setTalk(username, { room });
  if (rooms.has(room)) return;
  kept.addInvitation({ username, room });
  notices.invite({ username, room }, () => openRoom(room, username), () => {
    kept.answered(room);
    showRooms();
  });
  if (shown) showRooms();
}

// ---- the page

/** Also after a night in which the machine slept: timers are late then, not lost. */
function awaitTomorrow() {
  setTimeout(() => {
    for (const room of rooms.values()) room.log.dayChanged();
    awaitTomorrow();
  }, untilTomorrow());
}
awaitTomorrow();

byId("leave").addEventListener("click", leave);
byId("sign-out").addEventListener("click", () => signOut({ room: shown.name }));
document.addEventListener("visibilitychange", () => {
  if (!shown) return;
  if (document.hidden) shown.log.lookAway();
  look();
  showRooms();
});
addEventListener("popstate", ({ state }) => {
  if (!shown) return;
  sidebar.close();
  if (rooms.has(state?.room)) show(state.room);
  else history.replaceState({ room: shown.name }, "", roomUrl(shown.name)); // it was left meanwhile
});
addEventListener("pagehide", () => shown && save());

const asked = new URLSearchParams(location.search).get("room");
const session = loadSession();
if (session && asked) resume(session, asked);
else entrance.show({ name: rememberedName(), room: asked ?? FIRST_ROOM });
