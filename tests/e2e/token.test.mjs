// SPDX-License-Identifier: MIT
// token.test.mjs - tokens as other software makes them (npm's jose), at the real gateway: what is taken, what an attacker
// tries, and how one is shown by each kind of client.

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import * as jose from "jose";
import WebSocket from "ws";
import { Parlor } from "./lib/web.mjs";
import { Client } from "./lib/client.mjs";
import { SioClient } from "./lib/sio.mjs";
import { Stack } from "./lib/stack.mjs";
import { until } from "./lib/wait.mjs";

const AUDIENCE = "chat";
const ISSUER = "https://issuer.example";
const ALGORITHMS = ["RS256", "ES256", "EdDSA"];
const bytes = (text) => new TextEncoder().encode(text);

/** A token of an ordinary user, unless the claims say otherwise. */
function claims(more = {}) {
  return { sub: "user-1", name: "ann", iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1000) + 600, ...more };
}

const sign = (key, alg, payload = claims(), header = {}) =>
  new jose.SignJWT(payload).setProtectedHeader({ alg, typ: "JWT", ...header }).sign(key);

describe("tokens", () => {
  const pairs = {};
  let dir;
  let file;
  let stack;
  let good;

  async function publish(names) {
    const keys = await Promise.all(names.map(async (name) =>
      ({ ...await jose.exportJWK(pairs[name].publicKey), kid: name, use: "sig" })));
    writeFileSync(file, JSON.stringify({ keys }));
  }

  before(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "parlor-tokens-"));
    file = path.join(dir, "keys.json");
    for (const alg of [...ALGORITHMS, "late"]) {
      pairs[alg] = await jose.generateKeyPair(alg === "late" ? "ES256" : alg, { extractable: true });
    }
    await publish(ALGORITHMS);
    stack = await Stack.start({ gatewayOptions: ["--auth", "tokens", "--token-keys", file, "--token-audience", AUDIENCE,
      "--token-issuer", ISSUER, "--token-leeway", "0"] });
    good = await sign(pairs.ES256.privateKey, "ES256");
  });
  after(async () => {
    await stack?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** How it went: "in", or the code of the error. */
  async function tryToken(token, { username = "ann", room = "main" } = {}) {
    const client = await Client.connect(stack);
    try {
      await client.request("refreshToken", { token });
      await client.join(username, room);
      return "in";
    } catch (error) {
      if (!error.code) throw error;
      return error.code;
    } finally {
      await client.close();
    }
  }

  it("of each algorithm are taken, with and without the key's id", async () => {
    for (const alg of ALGORITHMS) {
      assert.equal(await tryToken(await sign(pairs[alg].privateKey, alg)), "in", alg);
      assert.equal(await tryToken(await sign(pairs[alg].privateKey, alg, claims(), { kid: alg })), "in", alg);
    }
  });

  it("are needed", async () => {
    const client = await Client.connect(stack);
    await assert.rejects(client.join("ann", "main"), { code: "unauthorized" });
    await client.close();
  });

  it("that an attacker makes are refused", async () => {
    const { privateKey, publicKey } = pairs.RS256;
    const pem = await jose.exportSPKI(publicKey);
    const other = await jose.generateKeyPair("ES256");
    const [header, payload, signature] = good.split(".");
    const encoded = (object) => Buffer.from(JSON.stringify(object)).toString("base64url");
    const now = Math.floor(Date.now() / 1000);
    const attempts = {
      "no signature": new jose.UnsecuredJWT(claims()).encode(),
      "alg none with a signature": `${encoded({ alg: "none" })}.${payload}.${signature}`,
      "the public key as a secret": await sign(bytes(pem), "HS256"),
      "the public key as a secret, by id": await sign(bytes(pem), "HS256", claims(), { kid: "RS256" }),
      "another's key": await sign(other.privateKey, "ES256"),
      "another's key under a known id": await sign(other.privateKey, "ES256", claims(), { kid: "ES256" }),
      "an unknown id": await sign(privateKey, "RS256", claims(), { kid: "who" }),
      "an id of another kind": await sign(privateKey, "RS256", claims(), { kid: "ES256" }),
      "its own key": await sign(other.privateKey, "ES256", claims(), { jwk: await jose.exportJWK(other.publicKey) }),
      "a key to be fetched": await sign(other.privateKey, "ES256", claims(), { jku: "https://evil.example/keys" }),
      "RS512": await sign(privateKey, "RS512").catch(() => `${encoded({ alg: "RS512" })}.${payload}.${signature}`),
      "other claims under a good signature": `${header}.${encoded(claims({ sub: "admin" }))}.${signature}`,
      "no signature behind the dot": `${header}.${payload}.`,
      "expired": await sign(pairs.ES256.privateKey, "ES256", claims({ exp: now - 1 })),
      "without an end": await sign(pairs.ES256.privateKey, "ES256", claims({ exp: undefined })),
      "not yet": await sign(pairs.ES256.privateKey, "ES256", claims({ nbf: now + 60 })),
      "for others": await sign(pairs.ES256.privateKey, "ES256", claims({ aud: "mail" })),
      "for nobody": await sign(pairs.ES256.privateKey, "ES256", claims({ aud: undefined })),
      "from others": await sign(pairs.ES256.privateKey, "ES256", claims({ iss: "https://evil.example" })),
      "of nobody": await sign(pairs.ES256.privateKey, "ES256", claims({ sub: undefined })),
      "encrypted": `${good}.${payload}.${signature}`,
      "nonsense": "nonsense",
    };
    for (const [what, token] of Object.entries(attempts)) assert.equal(await tryToken(token), "unauthorized", what);
    assert.equal(await tryToken(good), "in");
  });

  it("say who one is, and where one may be", async () => {
    assert.equal(await tryToken(good, { username: "eve" }), "username_mismatch");
    const team = await sign(pairs.EdDSA.privateKey, "EdDSA", claims({ sub: "user-2", name: "tom", rooms: ["team-*"] }));
    assert.equal(await tryToken(team, { username: "tom", room: "team-1" }), "in");
    assert.equal(await tryToken(team, { username: "tom", room: "main" }), "forbidden");
    const reader = await sign(pairs.EdDSA.privateKey, "EdDSA",
      claims({ sub: "user-3", name: "rea", rooms: { join: ["*"], write: [] } }));
    const rea = await Client.connect(stack, { query: `?token=${reader}` });
    await rea.join("rea", "main");
    await assert.rejects(rea.say("main", "psst"), { code: "forbidden" });
    await rea.close();
    const impostor = await sign(pairs.EdDSA.privateKey, "EdDSA", claims({ sub: "user-4" }));
    const ann = await Client.connect(stack, { query: `?token=${good}` });
    await ann.join("ann", "main");
    assert.equal(await tryToken(impostor), "name_taken"); // another subject of the same name
    await ann.close();
  });

  it("are shown in the URL, in Authorization, or in a frame", async () => {
    for (const options of [{ query: `?token=${good}` }, { headers: { authorization: `Bearer ${good}` } },
      { query: `?a=b&token=${good}` }, { headers: { authorization: `bearer ${good}` }, query: "?token=nonsense" }]) {
      const ann = await Client.connect(stack, options);
      await ann.join("ann", "main");
      await ann.close();
    }
    const eve = await Client.connect(stack, { query: "?token=nonsense" });
    assert.equal((await eve.take("error")).data.code, "unauthorized");
    await until("it is closed", () => eve.close_);
    assert.equal(eve.close_.code, 4003);
  });

  it("are shown by Socket.IO's clients of each generation", async () => {
    const ways = [[4, { auth: { token: good } }], [4, { query: { token: good } }],
      [4, { extraHeaders: { authorization: `Bearer ${good}` } }], [2, { query: { token: good } }], [1, { query: `token=${good}` }]];
    for (const [version, how] of ways) {
      for (const transports of [["websocket"], ["polling"]]) {
        const ann = await SioClient.join(stack, "ann", "main", { version, transports, ...how });
        await ann.close();
      }
    }
    await assert.rejects(SioClient.connect(stack, { auth: { token: "nonsense" } }), /not a signed token/);
    const guest = await SioClient.connect(stack);
    await assert.rejects(guest.join("ann", "main"), { code: "unauthorized" });
    await guest.close();
  });

  it("end, after a warning, and can be renewed before", async () => {
    const soon = (s) => sign(pairs.ES256.privateKey, "ES256", claims({ exp: Math.floor(Date.now() / 1000) + s }));
    const ann = await Client.connect(stack, { query: `?token=${await soon(4)}` });
    await ann.join("ann", "main");
    const renewed = await Client.connect(stack, { query: `?token=${await soon(4)}` });
    await renewed.join("ann", "main");
    const { expiresInMs } = await renewed.request("refreshToken", { token: await soon(62) });
    assert.ok(expiresInMs > 60_000 && expiresInMs <= 62_000);
    await until("the first is closed", () => ann.close_, 10_000);
    assert.equal(ann.close_.code, 4003);
    const { data } = await renewed.take("tokenExpires", () => true, 10_000);
    assert.ok(data.inMs > 50_000 && data.inMs <= 60_000);
    assert.equal(renewed.close_, null);
    await renewed.close();
  });

  it("are checked with new keys after a HUP, and with the old ones when the file is broken", async () => {
    const late = await sign(pairs.late.privateKey, "ES256", claims(), { kid: "late" });
    assert.equal(await tryToken(late), "unauthorized");
    const ann = await Client.connect(stack, { query: `?token=${good}` });
    await ann.join("ann", "main");
    await publish(["late"]);
    process.kill(stack.pid("gateway-0"), "SIGHUP");
    await until("the new keys are read", () => /what=token_keys count=1/.test(stack.log("gateway-0")));
    assert.equal(await tryToken(late), "in");
    assert.equal(await tryToken(good), "unauthorized");
    await ann.say("main", "still here");
    await ann.close();
    writeFileSync(file, "{\"keys\":[{}]}");
    process.kill(stack.pid("gateway-0"), "SIGHUP");
    await until("the broken file is complained of", () => /level=error .*what=token_keys/.test(stack.log("gateway-0")));
    assert.equal(await tryToken(late), "in");
    await publish(ALGORITHMS);
    process.kill(stack.pid("gateway-0"), "SIGHUP");
    await until("the old keys are back", () => /what=token_keys count=3/.test(stack.log("gateway-0")));
  });

  it("stand in no log", () => {
    for (const service of ["gateway-0", "roomd-0", "historyd-0"]) {
      assert.ok(!stack.log(service).includes(good.split(".")[1]), service);
    }
  });

  it("are shown by parlor.js on each connection, and renewed", async () => {
    let asked = 0;
    const token = async () => {
      asked++;
      return await sign(pairs.ES256.privateKey, "ES256", claims({ exp: Math.floor(Date.now() / 1000) + 61 }));
    };
    const url = `${stack.url.replace("http", "ws")}/ws`;
    class Socket extends WebSocket {
      constructor(to, protocols) { super(to, protocols, { ca: stack.ca }); }
    }
    const ann = new Parlor({ username: "ann", token, url, WebSocket: Socket });
    await ann.join("main");
    await ann.send("main", "with a token").stored;
    await until("it is renewed", () => asked >= 2, 10_000);
    ann.close();
    const eve = new Parlor({ username: "ann", token: "nonsense", url, WebSocket: Socket });
    await assert.rejects(eve.join("main"), { code: "unauthorized" });
    eve.close();
  });
});

describe("a shared secret", () => {
  it("signs tokens, beside guests", async () => {
    const dir = mkdtempSync(path.join(tmpdir(), "parlor-tokens-"));
    const file = path.join(dir, "secret");
    const secret = "a secret of thirty-two bytes or more";
    writeFileSync(file, `${secret}\n`);
    chmodSync(file, 0o600);
    const stack = await Stack.start({ gatewayOptions: ["--auth", "both", "--token-secret", file] });
    try {
      const token = await sign(bytes(secret), "HS256", claims({ aud: undefined }));
      const ann = await Client.connect(stack, { query: `?token=${token}` });
      await ann.join("ann", "main");
      const guest = await Client.join(stack, "guest", "main");
      await guest.close();
      const thief = await Client.connect(stack);
      await assert.rejects(thief.join("ann", "main", { key: "0123456789abcdef" }), { code: "name_taken" });
      await thief.close();
      await ann.close();
    } finally {
      await stack.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
