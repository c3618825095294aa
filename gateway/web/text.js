// SPDX-License-Identifier: MIT
//
// text.js - values into words: times, days, lists of names, sizes. Knows nothing of the page.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const weekday = new Intl.DateTimeFormat(undefined, {
  weekday: "long", day: "numeric", month: "long",
});
const longDay = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const encoder = new TextEncoder();
const DAY_MS = 86_400_000;

export const clockTime = (ms) => clock.format(ms);

export const fullTime = (ms) => moment.format(ms);

/** A number that is the same for all moments of one local day. */
export const dayOf = (ms) => new Date(ms).setHours(0, 0, 0, 0);

/** Until the next day begins here. */
export const untilTomorrow = () => new Date().setHours(24, 0, 0, 0) - Date.now();

/** "today", "yesterday", "Monday, 3 March", and with the year when it is not this one. */
export function dayName(ms) {
  const days = Math.round((dayOf(ms) - dayOf(Date.now())) / DAY_MS);
  if (days === 0 || days === -1) return capitalized(relative.format(days, "day"));
  const sameYear = new Date(ms).getFullYear() === new Date().getFullYear();
  return (sameYear ? weekday : longDay).format(ms);
}

const capitalized = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);

export const byteLength = (text) => encoder.encode(text).length;

export const count = (n) => n.toLocaleString();

export const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;

/** What is wrong with a name of a person or a room, in words, or "". */
export function nameFault(what, name, maxBytes) {
  if (name === "") return `Enter a ${what}.`;
  if (byteLength(name) > maxBytes) return `This ${what} is too long: at most ${maxBytes} bytes.`;
  return /\p{Cc}/u.test(name) ? `This ${what} has a character that cannot be used.` : "";
}

/** A name as the gateway wants it. */
export const tidyName = (text) => text.trim().normalize("NFC");

export function typingSentence(names) {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return "Several people are typing…";
}

/** Splits text into { text } and { text, url } pieces; only http and https make a url. */
export function splitLinks(text) {
  const pieces = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(/\bhttps?:\/\/[^\s<>"'`]+/giu)) {
    const url = withoutTail(found);
    if (!URL.canParse(url)) continue;
    if (index > end) pieces.push({ text: text.slice(end, index) });
    pieces.push({ text: url, url });
    end = index + url.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

const BRACKETS = { ")": "(", "]": "[", "}": "{" };

/** Punctuation after a link is the sentence's; so is a bracket that the link did not open. */
function withoutTail(url) {
  const isSentences = (kept) => {
    const last = kept.at(-1);
    const opening = BRACKETS[last];
    if (opening) return kept.split(last).length > kept.split(opening).length;
    return /[.,;:!?…]/u.test(last);
  };
  let kept = url;
  while (kept !== "" && isSentences(kept)) kept = kept.slice(0, -1);
  return kept;
}
