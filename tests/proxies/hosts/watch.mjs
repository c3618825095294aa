// SPDX-License-Identifier: MIT
// watch.mjs - what balancers see while a host is cut off: /readyz and /readyz?all of each other gateway, and what a request
// through the proxy gets. Asked twice a second.

import { probe } from "../../chaos/upstack.mjs";

const EVERY_MS = 500;
const PATIENCE_MS = 10_000; // of a request through the proxy

const wordOf = ({ status, body }) => {
  try {
    return `${status} ${JSON.parse(body).status}`;
  } catch {
    return status ? String(status) : "no answer";
  }
};

export class Watch {
  /** target → gateway → [{ ms, word }], one for each change. */
  said = { "/readyz": {}, "/readyz?all": {} };
  through = { count: 0, failed: {}, longestMs: 0 };
  #timer;
  #asked = [];

  /**
   * @param gateways  [{ id, url }], those that are not cut off
   * @param proxy     its URL
   */
  constructor(gateways, proxy, from) {
    const ask = () => {
      for (const { id, url } of gateways) {
        for (const target of Object.keys(this.said)) this.#asked.push(this.#askGateway(id, url, target, from));
      }
      this.#asked.push(this.#askProxy(proxy));
    };
    ask();
    this.#timer = setInterval(ask, EVERY_MS);
  }

  async #askGateway(id, url, target, from) {
    const word = wordOf(await probe(url, target));
    const said = (this.said[target][id] ??= []);
    if (said.at(-1)?.word !== word) said.push({ ms: Date.now() - from, word });
  }

  async #askProxy(proxy) {
    const start = Date.now();
    const answer = await probe(proxy, "/healthz", PATIENCE_MS);
    this.through.count += 1;
    this.through.longestMs = Math.max(this.through.longestMs, Date.now() - start);
    if (answer.status === 200) return;
    const why = answer.status ?? answer.says;
    this.through.failed[why] = (this.through.failed[why] ?? 0) + 1;
  }

  async stop() {
    clearInterval(this.#timer);
    await Promise.all(this.#asked);
  }

  /** All gateways together where they said the same in the same order: "200 ready, 200 degraded after 2.1 s, …". */
  inWords(target) {
    const ways = new Map(); // the words → the latest time of each
    for (const [id, said] of Object.entries(this.said[target])) {
      const key = said.map(({ word }) => word).join();
      const way = ways.get(key) ?? { ids: [], said: said.map(({ word, ms }) => ({ word, ms })) };
      way.ids.push(id);
      way.said.forEach((step, i) => { step.ms = Math.max(step.ms, said[i].ms); });
      ways.set(key, way);
    }
    return [...ways.values()].map(({ ids, said }) =>
      `${ids.join(", ")}: ${said.map(({ word, ms }, i) => (i === 0 ? word : `${word} at ${(ms / 1000).toFixed(1)} s`)).join(", ")}`).join("; ");
  }
}
