// SPDX-License-Identifier: MIT
// report.mjs - what a run has shown, as text for people.

const most = (list, key) => list.reduce((max, each) => Math.max(max, each[key]), 0);

export function reportText({ options, seconds, faults, ledger, audit }) {
  const kinds = [...new Set(faults.map(({ kind }) => kind))].sort();
  const rows = kinds.map((kind) => {
    const those = faults.filter((fault) => fault.kind === kind);
    return `| ${kind} | ${those.length} | ${most(those, "all")} | ${most(those, "room")} | ${most(those, "presence")} |`;
  });
  return [
    "",
    `tests/chaos/run --seconds ${options.seconds} --every ${options.every} --kinds ${options.kinds} --seed ${options.seed}`,
    "",
    "| fault | times | longest without an ack, all rooms (ms) | in the worst room (ms) | presence right after, at most (ms) |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
    `${seconds} s, ${faults.length} faults, ${ledger.ackedCount} messages acked, ${audit.messages} in the history, `
      + `${ledger.unavailable} answered unavailable and sent again`,
    `${audit.lost} lost, ${audit.twice} twice, ${audit.disorder} out of order, ${ledger.failures.length} promises broken`,
    "",
    ledger.failures.length ? `FAILED\n${ledger.failures.join("\n")}` : "PASSED",
    "",
  ].join("\n");
}
