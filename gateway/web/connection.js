// SPDX-License-Identifier: MIT
//
// connection.js - one WebSocket that is kept alive: connecting, coming back after a loss, requests
// and their replies. It knows frames, but no rooms and no messages: those are parlor.js, which is
// also the module to import from other pages.

const FIRST_RETRY_MS = 300;
const LAST_RETRY_MS = 5000;
const REPLY_MS = 10_000; // the gateway answers within 5 s; one that says nothing for longer is gone
const BUSY_MS = 1000; // pause after `unavailable`
const QUIET_MS = 25_000; // after this long without a frame, a page that wakes up asks
const TOO_LARGE = 1009; // the close code for a frame over the gateway's limit
const FRAME_BYTES = 65_536; // that limit, unless the gateway was told another

/** What went wrong: `code` is the protocol's, or "timeout", "offline", "left" from this side. */
export class ParlorError extends Error {
  constructor({ code, message, retryAfterMs }) {
    super(message ?? code);
    this.name = "ParlorError";
    this.code = code;
    this.retryAfterMs = retryAfterMs ?? BUSY_MS;
  }

  /** True when the same request may succeed later as it is. */
  get temporary() {
    return ["timeout", "offline", "unavailable", "rate_limited"].includes(this.code);
  }
}

const tooLarge = () => new ParlorError({ code: "too_large", message: "It is too large to be sent." });

const encoder = new TextEncoder();

const lost = () => new ParlorError({ code: "offline", message: "There is no connection." });

export class Connection {
  /** "closed" | "connecting" | "open" | "offline" (a try has failed; more follow by themselves). */
  state = "closed";

  #url;
  #hooks;
  #Socket;
  #socket = null;
  #waiting = new Map(); // id → { resolve, reject, onAck, timer }
  #lastId = 0;
  #failures = 0; // since the last answer
  #retryTimer;
  #heardAt = 0;
  #suspect = 0; // bytes of the large frame that was under way when a connection was lost
  #listening;

  /**
   * @param {object} hooks  onState(state), onOpen(), onLost(), onFrame(frame) for all but replies,
   *                        onWake(): the page woke up and a question should test the connection,
   *                        isWanted(): whether a lost connection is to be made anew
   * @param {function} Socket  WebSocket, or what behaves like it
   */
  constructor(url, hooks, Socket) {
    this.#url = url;
    this.#hooks = hooks;
    this.#Socket = Socket;
  }

  /** For how long nothing has come. */
  get quietMs() {
    return Date.now() - this.#heardAt;
  }

  open() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    globalThis.addEventListener?.("online", () => this.#retryNow(), { signal });
    // A socket can outlive its network for minutes; it is better to begin again at once.
    globalThis.addEventListener?.("offline", () => this.#lost(this.#socket), { signal });
    globalThis.document?.addEventListener("visibilitychange", () => this.#wake(), { signal });
    this.#failures = 0;
    this.#connect();
  }

  close() {
    this.#listening?.abort();
    clearTimeout(this.#retryTimer);
    this.#setState("closed");
    this.#disconnect();
  }

  reconnect() {
    this.#disconnect();
    this.#connect();
  }

  /** Goes to another gateway after a random share of `ms`, so that not all go at once. */
  reconnectWithin(ms = 0) {
    const socket = this.#socket;
    setTimeout(() => socket === this.#socket && this.reconnect(), Math.random() * ms);
  }

  /** Sends a frame that wants no reply; lost when there is no connection. */
  write(frame) {
    this.#send(JSON.stringify(frame));
  }

  #send(text) {
    if (this.#socket?.readyState === this.#Socket.OPEN) this.#socket.send(text);
  }

  /**
   * Sends a frame and promises the data of its ack. `onAck` is called with it before the next frame
   * is looked at (a promise resolves later), for those whose order among the frames matters.
   */
  request(event, data, onAck) {
    return new Promise((resolve, reject) => {
      if (this.state !== "open") return reject(lost());
      const id = ++this.#lastId;
      const timer = setTimeout(() => this.#expire(id), REPLY_MS);
      const text = JSON.stringify({ event, data, id });
      this.#waiting.set(id, { resolve, reject, onAck, timer, bytes: encoder.encode(text).length });
      return this.#send(text);
    });
  }

  // ---- the socket

  #connect() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    if (this.state !== "offline") this.#setState("connecting");
    const socket = new this.#Socket(this.#url, "parlor.v1");
    const deadline = setTimeout(() => this.#lost(socket), REPLY_MS);
    this.#socket = socket;
    socket.onopen = () => {
      clearTimeout(deadline);
      if (socket === this.#socket) this.#opened();
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = Date.now();
      for (const line of data.split("\n")) {
        // an earlier line of this frame may have ended the connection
        if (line && socket === this.#socket) this.#receive(JSON.parse(line));
      }
    };
    socket.onclose = ({ code }) => {
      clearTimeout(deadline);
      this.#lost(socket, code);
    };
    socket.onerror = () => {}; // a close follows
  }

  #opened() {
    this.#heardAt = Date.now();
    this.#setState("open");
    this.#hooks.onOpen();
  }

  /** Puts the socket away now; its own `close` event may come minutes later. */
  #disconnect(code) {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#hooks.onLost();
    this.#refuseLargest(code);
    for (const id of [...this.#waiting.keys()]) this.#settle(id).reject(lost());
  }

  /**
   * Sent again, a frame over the limit would end every connection. Of those under way it is the
   * largest. The close code may be lost on the way: a large one does not end two connections.
   */
  #refuseLargest(code) {
    let largest = { bytes: 0 };
    for (const [id, { bytes }] of this.#waiting) if (bytes > largest.bytes) largest = { id, bytes };
    const { id, bytes } = largest;
    const withoutId = bytes - String(id).length; // which is another when it is sent again
    const isSuspect = bytes > FRAME_BYTES && withoutId === this.#suspect;
    if (isSuspect || (code === TOO_LARGE && bytes > 0)) this.#settle(id).reject(tooLarge());
    else if (bytes > FRAME_BYTES) this.#suspect = withoutId;
  }

  #lost(socket, code) {
    if (!socket || socket !== this.#socket) return;
    this.#disconnect(code);
    if (!this.#hooks.isWanted()) {
      this.close();
      return;
    }
    this.#failures += 1;
    const offline = this.#failures > 1 || globalThis.navigator?.onLine === false;
    this.#setState(offline ? "offline" : "connecting");
    const most = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    const wait = most * (0.5 + Math.random() / 2);
    this.#retryTimer = setTimeout(() => this.#connect(), wait);
  }

  #retryNow() {
    if (this.#retryTimer !== undefined) this.#connect();
  }

  /** A socket that slept with its machine may be dead without knowing. */
  #wake() {
    if (document.hidden) return;
    this.#retryNow();
    if (this.state === "open" && this.quietMs > QUIET_MS) this.#hooks.onWake();
  }

  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.#hooks.onState(state);
  }

  // ---- frames

  #receive(frame) {
    const request = frame.id === undefined ? undefined : this.#settle(frame.id);
    if (frame.event === "ack") {
      this.#failures = 0;
      request?.onAck?.(frame.data);
      request?.resolve(frame.data);
    } else if (request && frame.event === "error") {
      request.reject(new ParlorError(frame.data));
    } else {
      this.#hooks.onFrame(frame);
    }
  }

  #settle(id) {
    const request = this.#waiting.get(id);
    clearTimeout(request?.timer);
    this.#waiting.delete(id);
    return request;
  }

  #expire(id) {
    this.#settle(id)?.reject(new ParlorError({ code: "timeout", message: "No answer came." }));
    this.#lost(this.#socket);
  }
}
