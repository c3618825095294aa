// SPDX-License-Identifier: MIT
// tls.test.mjs - the configurations in deploy/ by which a proxy gets a certificate by itself, up to where a public name is
// needed: nginx answers certbot's question and serves by TLS with files where certbot would put them; Caddy does so with its
// own CA instead of a public one.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";
import { makeCertificates } from "../e2e/lib/certificates.mjs";
import { Program } from "../e2e/lib/program.mjs";
import { freePort, REPO, Stack } from "../e2e/lib/stack.mjs";
import { until, within } from "../e2e/lib/wait.mjs";
import { PROGRAMS } from "./proxies.mjs";

const QUESTION = "/.well-known/acme-challenge/token";

const get = (url, { ca } = {}) => within(new Promise((resolve, reject) => {
  const { request } = url.startsWith("https") ? https : http;
  request(url, { agent: false, ca }, (answer) => {
    let body = "";
    answer.setEncoding("utf8").on("data", (text) => { body += text; })
      .on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body }));
  }).on("error", reject).end();
}), url);

describe("proxies that get a certificate by themselves", () => {
  let stack, dir, made;
  before(async () => {
    [stack, made] = await Promise.all([Stack.start({ tls: false }), makeCertificates()]);
    dir = mkdtempSync(path.join(tmpdir(), "parlor-proxy-"));
  });
  after(async () => {
    await stack?.stop();
    made?.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The text of a file in deploy/, with each of the replacements, none of which may be missing. */
  function deployed(file, replacements) {
    let text = readFileSync(path.join(REPO, "deploy", file), "utf8");
    for (const [from, to] of replacements) {
      assert.ok(text.includes(from), `${from} in ${file}`);
      text = text.replaceAll(from, to);
    }
    return text;
  }

  const gateways = () => [11, 12, 13].map((host) => [`10.0.0.${host}:8080`, `127.0.0.1:${stack.port}`]);

  /** Pages and WebSockets of the page's own origin. */
  async function assertServes(url, ca) {
    await until("it serves", async () => (await get(`${url}/readyz`, { ca }).catch(() => ({}))).status === 200);
    const page = await get(`${url}/`, { ca });
    assert.match(page.body, /<!doctype html>/i);
    const ws = new WebSocket(`${url.replace("https", "wss")}/ws`, { origin: url, ca });
    await within(new Promise((resolve, reject) => { ws.on("open", resolve).on("error", reject); }), "a WebSocket");
    ws.terminate();
    return page;
  }

  it("nginx", { skip: !existsSync(PROGRAMS.nginx) && "not installed" }, async () => {
    const [plain, port] = [await freePort(), await freePort()];
    const answers = path.join(dir, "acme");
    mkdirSync(path.join(answers, path.dirname(QUESTION)), { recursive: true });
    writeFileSync(path.join(answers, QUESTION), "proof");
    const text = deployed("nginx/parlor.conf", [["listen 80;", `listen 127.0.0.1:${plain};`], ["/var/www/acme", answers], ...gateways()]) +
      deployed("nginx/parlor-tls.conf", [["listen 443 ", `listen 127.0.0.1:${port} `],
        ["/etc/letsencrypt/live/chat.example/fullchain.pem", made.cert], ["/etc/letsencrypt/live/chat.example/privkey.pem", made.key]]);
    const file = path.join(dir, "nginx.conf");
    writeFileSync(file, `daemon off; master_process off; pid ${dir}/pid; error_log stderr; events {}\nhttp { access_log off;\n${
      ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${dir}/${name};`).join("\n")}\n${text}}\n`);
    const proxy = new Program(PROGRAMS.nginx, ["-p", dir, "-c", file, "-e", "stderr"]);
    try {
      const page = await assertServes(`https://127.0.0.1:${port}`, made.ca);
      assert.ok(page.headers["strict-transport-security"]);
      assert.equal((await get(`http://127.0.0.1:${plain}${QUESTION}`)).body, "proof");
      assert.equal((await get(`http://127.0.0.1:${plain}/readyz`)).status, 200);
    } finally {
      await proxy.stop("SIGKILL");
    }
  });

  it("Caddy", { skip: !existsSync(PROGRAMS.caddy) && "not installed" }, async () => {
    const port = await freePort();
    const text = deployed("caddy/Caddyfile", [["chat.example {", `https://127.0.0.1:${port} {\n\ttls internal`], ...gateways()]);
    const file = path.join(dir, "Caddyfile");
    writeFileSync(file, `{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tstorage file_system ${dir}/caddy\n}\n${text}`);
    const proxy = new Program(PROGRAMS.caddy, ["run", "--config", file, "--adapter", "caddyfile"], { env: { HOME: dir } });
    try {
      const root = path.join(dir, "caddy/pki/authorities/local/root.crt");
      await until("it has made its CA", () => existsSync(root));
      await assertServes(`https://127.0.0.1:${port}`, readFileSync(root));
    } finally {
      await proxy.stop("SIGKILL");
    }
  });
});
