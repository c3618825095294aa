// SPDX-License-Identifier: MIT
// workloads.mjs - what is measured: the generator's options for each workload, and which numbers of its report count.
//
// A workload is for bench-load and a server of the table, unless it names its `program` and `server`.
// A metric: { key, title, more: true when more is better, isDelay, isAside: not in the plot, get(report) }.

import { HISTORYD } from "./servers.mjs";

const ms = (us) => us / 1000;
const delay = (share) => ({
  key: share, title: `${share}, ms`, isDelay: true,
  get: ({ delivery_us }) => (delivery_us.count ? ms(delivery_us[share]) : NaN),
});

const cpu = { key: "cpu", title: "µs of CPU a delivery", get: (report) => report.us_per_delivery };
/** Of Parlor's processes the last two are historyd and roomd; another server is one process. */
const gateways = {
  key: "gateways", title: "µs of the gateways' CPU a delivery", isAside: true,
  get: ({ each_cpu_s: each, us_per_delivery }) => {
    const sum = (list) => list.reduce((a, b) => a + b, 0);
    return each.length < 3 ? undefined : (us_per_delivery * sum(each.slice(0, -2))) / sum(each);
  },
};
const p50 = delay("p50");
const p99 = delay("p99");

/** Those that every server does. `window` and the like are in ms: [whole, quick]. */
export const SHARED = [
  {
    id: "A",
    title: "one room of 1,000, 128-byte bodies, 100 messages/s",
    load: { workload: "chat", rooms: 1, members: 1000, rate: 100, window: [10000, 1300] },
    metrics: [cpu, p50, p99],
  },
  {
    id: "A-max",
    title: "the same room, the most that is held with p99 < 200 ms",
    load: { workload: "search", rooms: 1, members: 1000, rate: 100, warm: [500, 100], window: [3000, 500], precision: [5, 30] },
    metrics: [
      { key: "held", title: "deliveries/s", more: true, get: (report) => report.held_deliveries_per_s },
      { key: "p99", title: "p99 then, ms", isAside: true, get: (report) => ms(report.held_p99) },
    ],
  },
  {
    id: "B",
    title: "5,000 clients in 500 rooms of 10, 5,000 messages/s",
    load: { workload: "chat", rooms: 500, members: 10, rate: 5000, window: [10000, 1300] },
    metrics: [cpu, gateways, p50, p99],
  },
  {
    id: "C",
    title: "50 rooms of 2, 100 messages/s in all",
    load: { workload: "chat", rooms: 50, members: 2, rate: 100, window: [20000, 1800] },
    metrics: [p50, p99],
  },
  {
    id: "D",
    title: "idle clients that have joined, in rooms of 10",
    load: { workload: "idle", clients: [19000, 2000], members: 10, window: [30000, 1200] },
    metrics: [
      {
        key: "memory", title: "KiB of memory a client",
        get: (report) => (report.server_kib - report.open.server_kib_before) / report.open.clients,
      },
      { key: "joins", title: "joins/s", more: true, get: (report) => report.open.joins_per_s },
      { key: "join", title: "µs of CPU a join", get: ({ open }) => (1e6 * open.server_cpu_s) / open.clients },
      { key: "idle", title: "idle CPU, %", get: (report) => 100 * report.server_share },
    ],
  },
];

/** Those that only Parlor does. */
export const OWN = [
  {
    id: "W",
    title: "durable writes: 1,000 rooms, one historyd, acks with p99 < 200 ms",
    load: { workload: "search", rooms: 1000, members: 1, rate: 8000, warm: [500, 100], window: [3000, 500], precision: [5, 30] },
    metrics: [
      { key: "acked", title: "acked messages/s", more: true, get: (report) => report.held_rate },
      { key: "p99", title: "ack p99 then, ms", get: (report) => ms(report.held_p99) },
    ],
  },
  {
    id: "Wb",
    title: "durable writes at the bus: 10,000 rooms, one historyd, acks with p99 < 20 ms",
    program: "bench-bus",
    server: HISTORYD,
    load: { rooms: 10000, body: 128, rate: 20000, limit: 20, warm: [1000, 200], window: [3000, 500], precision: [5, 30] },
    metrics: [
      { key: "acked", title: "acked messages/s", more: true, get: (report) => report.held_acked_per_s },
      { key: "p99", title: "ack p99 then, ms", get: (report) => ms(report.held_p99) },
      { key: "cpu", title: "µs of historyd's CPU a message", get: (report) => report.held_us_per_message },
    ],
  },
  {
    id: "J",
    title: "joins into a room of 1,000 with 100 messages/s",
    load: { workload: "join", rooms: 1, members: 1000, rate: 100, joiners: [200, 30], window: [10000, 1300] },
    metrics: [
      { key: "p50", title: "join p50, ms", get: (report) => ms(report.join_us.p50) },
      { key: "p99", title: "join p99, ms", get: (report) => ms(report.join_us.p99) },
    ],
  },
  {
    id: "H",
    title: "pages of 50 messages, warm",
    load: { workload: "history", rooms: [200, 100], members: 1, fill: [500, 100], rate: 10000, window: [5000, 1200] },
    metrics: [
      { key: "pages", title: "pages/s", more: true, get: (report) => report.pages_per_s },
      { key: "cpu", title: "µs of CPU a page", get: (report) => (1e6 * report.server_cpu_s) / report.pages },
    ],
  },
  {
    id: "G",
    title: "B with two gateways",
    gateways: 2,
    load: { workload: "chat", rooms: 500, members: 10, rate: 5000, window: [10000, 1300] },
    metrics: [cpu, gateways, p50, p99],
  },
];

const growth = (title, load, metrics, more) => ({ id: "growth", title, load: { workload: "chat", window: [5000, 1000], ...load }, metrics, ...more });

/** One thing grows, the deliveries a second stay: what a delivery or a page costs should stay too. */
export const GROWTH = [
  ...[10, 100, 1000, 5000].map((members) =>
    growth(`rooms of ${members}, 5,000 clients, 40,000 deliveries/s`, { rooms: 5000 / members, members, rate: 40000 / members }, [cpu, p50, p99])),
  ...[50, 500, 1500].map((rooms) =>
    growth(`${rooms} rooms of 10, 2,000 messages/s`, { rooms, members: 10, rate: 2000 }, [cpu, p50, p99])),
  ...[1, 2, 4].map((gateways) =>
    growth(`${gateways} gateways on one core, 500 rooms of 10, 2,000 messages/s`, { rooms: 500, members: 10, rate: 2000 }, [cpu, p50, p99], { gateways })),
  ...[100, 1000, 10000].map((fill) =>
    growth(`pages of 50 from 50 rooms of ${fill} messages`, { workload: "history", rooms: 50, members: 1, fill, rate: 10000 }, [
      { key: "pages", title: "pages/s", more: true, get: (report) => report.pages_per_s },
      { key: "cpu", title: "µs of CPU a page", get: (report) => (1e6 * report.server_cpu_s) / report.pages },
    ])),
];

/** Historyd's core and store, without the rest (bench-rooms): the same number of messages in many rooms and in few. */
export const ROOMS = {
  id: "R",
  title: "historyd with very many rooms",
  few: 1000,
  many: [1000000, 50000],
  messages: [5000000, 250000],
  writes: [200000, 20000],
  reads: [50000, 5000],
};

/** The arguments of the workload's program. */
export function loadArguments({ load, program }, quick, descriptors) {
  const pick = (value) => (Array.isArray(value) ? value[quick ? 1 : 0] : value);
  const { clients, ...rest } = load;
  const ofClients = program ? {} : { quiet: quick ? 350 : 1000 };
  const options = { warm: quick ? 300 : 2000, patience: quick ? 1200 : 15000, ...ofClients, ...rest };
  if (clients) options.rooms = Math.floor(Math.min(pick(clients), descriptors - 500) / load.members);
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(pick(value))]);
}
