// SPDX-License-Identifier: MIT
// upstack.mjs - the processes as deploy/up runs them, with the bus on Unix sockets. No service can be cut off here.
//
// See also: netstack.mjs, the same in network namespaces.

import http from "node:http";
import { Stack } from "../e2e/lib/stack.mjs";

const PROBE_MS = 1_000;
const PROBES = 6; // connections, which the system spreads over the gateways that share the port

/** What a gateway says of itself on a connection of its own: { isReady, status, gateway, body, says }. */
export function probe(url, target = "/readyz?all", timeout = PROBE_MS) {
  return new Promise((resolve) => {
    const request = http.get(url + target, { agent: false, timeout }, (response) => {
      const gateway = response.headers["x-parlor-gateway"];
      let body = "";
      response.setEncoding("utf8").on("data", (text) => { body += text; }).on("error", () => {});
      response.on("close", () => {
        const { statusCode: status } = response;
        resolve({ isReady: status === 200, status, gateway, body, says: `gateway-${gateway}: ${body.trim()}` });
      });
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", (error) => resolve({ isReady: false, says: error.message }));
  });
}

export class UpStack {
  #stack;
  #counts;

  static async start({ counts, port, gatewayOptions }) {
    const stack = new UpStack();
    const { gateway: gateways, roomd: roomds, historyd: historyds } = counts;
    stack.#counts = counts;
    stack.#stack = await Stack.start({ gateways, roomds, historyds, port, gatewayOptions });
    return stack;
  }

  get name() { return "deploy/up, Unix sockets"; }
  get data() { return this.#stack.data; }
  get services() { return this.#stack.services; }
  /** Where clients may connect. */
  get urls() { return [this.#stack.url]; }
  pid(service) { return this.#stack.pid(service); }
  log(service) { return this.#stack.log(service); }

  /** Every gateway reaches every service: undefined, or what they say otherwise. */
  async missing() {
    const answers = await Promise.all(Array.from({ length: PROBES }, () => probe(this.#stack.url)));
    const gateways = new Set(answers.map(({ gateway }) => gateway));
    if (answers.every(({ isReady }) => isReady) && gateways.size === this.#counts.gateway) return undefined;
    return [...new Set(answers.map(({ says }) => says))].join("; ");
  }

  /** Stops everything; throws when a log holds a sanitizer's report or a failed CHECK. */
  stop({ keepData }) {
    return this.#stack.stop({ keepData });
  }
}
