// SPDX-License-Identifier: MIT
//
// dom.js - small pieces of the page that several views use. Text from people becomes text nodes
// only, never markup.

import { splitLinks } from "./text.js";

/** Makes an element: `make("button", { type: "button", class: "quiet" }, "Retry")`. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const byId = (id) => document.getElementById(id);

/** One of the drawings that index.html defines. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** A person's hue, the same on every screen. */
export function hueOf(name) {
  let hash = 2166136261; // FNV-1a: names that look alike get hues far apart
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0), 16777619);
  return (hash >>> 8) % 360;
}

/** A disc with a person's first letter; decoration beside the name. */
export function avatar(name) {
  const [letter = "?"] = name;
  const disc = make("span", { class: "avatar", "aria-hidden": "true" }, letter.toLocaleUpperCase());
  disc.style.setProperty("--hue", hueOf(name));
  return disc;
}

/** Text from people, its web addresses made into links. */
export function richText(text) {
  return splitLinks(text).map((piece) => piece.url
    ? make("a", {
        href: piece.url, target: "_blank", rel: "noopener noreferrer nofollow", dir: "ltr",
      }, piece.text)
    : piece.text);
}
