// SPDX-License-Identifier: MIT
// web.mjs - the client module as Node takes it. Debian's Node 18 reads a .js file as CommonJS unless a package.json says
// otherwise, which the page needs none of, and has no `crypto` of its own; so it is given a copy with both.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const web = fileURLToPath(new URL("../../../gateway/web", import.meta.url));

globalThis.crypto ??= webcrypto;

const copy = mkdtempSync(path.join(tmpdir(), "parlor-web-"));
cpSync(web, copy, { recursive: true });
writeFileSync(path.join(copy, "package.json"), '{ "type": "module" }\n');
const { Parlor, ParlorError } = await import(pathToFileURL(path.join(copy, "parlor.js")));
rmSync(copy, { recursive: true });

export { Parlor, ParlorError };
