// SPDX-License-Identifier: MIT
// room.mjs - a room as one client has seen it, put together from history and live messages.

import assert from "node:assert/strict";

/** Every message of the room that the client was given, by seq, from msgHistory and updateChat frames. */
export function messagesSeen(client, room) {
  const frames = client.frames.filter((frame) => frame.room === room);
  return frames.flatMap((frame) => {
    if (frame.event === "msgHistory") return frame.data;
    return frame.event === "updateChat" ? [frame.data] : [];
  });
}

/** Fails unless the seqs are first, first+1, … without a gap or a repetition. */
export function assertGapFree(messages, first = 1) {
  messages.forEach(({ seq }, i) => assert.equal(seq, first + i, `message ${i} has seq ${seq}`));
}

/** The whole room from its beginning, page by page. */
export async function wholeRoom(client, room) {
  const messages = [];
  for (let more = true; more;) {
    const page = await client.request("history", { room, after: messages.at(-1)?.seq ?? 0, limit: 200 });
    messages.push(...page.messages);
    more = page.more;
    assert.ok(!more || page.messages.length > 0, "a page with `more` and nothing in it");
  }
  assertGapFree(messages);
  return messages;
}

/** Every acked message stands in the room exactly once, where its ack said. */
export function assertStoredOnce(messages, acked) {
  const bySeq = new Map(messages.map((message) => [message.seq, message]));
  const bodies = new Map();
  for (const { body } of messages) bodies.set(body, (bodies.get(body) ?? 0) + 1);
  for (const { body, seq, time } of acked) {
    assert.equal(bodies.get(body), 1, `"${body}" is stored ${bodies.get(body) ?? 0} times`);
    assert.equal(bySeq.get(seq)?.body, body, `seq ${seq} holds something else`);
    if (time !== undefined) assert.equal(bySeq.get(seq).time, time);
  }
}
