// SPDX-License-Identifier: MIT
// browser_path.test.mjs - the web client under a path of its own, behind a proxy that takes the path off, as nginx does with
// `location /chat/ { proxy_pass http://gateway/; }`.

import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import { launch, Person } from "./lib/browser.mjs";
import { Stack } from "./lib/stack.mjs";

const PATH = "/chat/";

/** Passes what is under PATH on to the port, and knows nothing else. */
function proxyTo(port) {
  const strayed = [];
  const inside = (url) => {
    if (!url.startsWith(PATH)) strayed.push(url);
    return url.startsWith(PATH) ? url.slice(PATH.length - 1) : null;
  };
  const server = http.createServer((request, response) => {
    const path = inside(request.url);
    if (path === null) return response.writeHead(404).end();
    const { method, headers } = request;
    const onward = http.request({ port, path, method, headers: { ...headers, connection: "close" } }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    return request.pipe(onward);
  });
  server.on("upgrade", (request, socket, head) => {
    const path = inside(request.url);
    if (path === null) return socket.destroy();
    const onward = net.connect(port, "127.0.0.1", () => {
      const lines = request.rawHeaders.map((text, i) => (i % 2 ? `${text}\r\n` : `${text}: `)).join("");
      onward.write(`GET ${path} HTTP/1.1\r\n${lines}\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) end.on("error", () => { socket.destroy(); onward.destroy(); });
    return onward;
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({ server, strayed })));
}

describe("browser, under a path", () => {
  let stack, browser, proxy, url;
  before(async () => {
    [stack, browser] = await Promise.all([Stack.start(), launch()]);
    proxy = await proxyTo(stack.port);
    url = `http://127.0.0.1:${proxy.server.address().port}${PATH}`;
  });
  after(async () => {
    await browser?.close();
    proxy?.server.closeAllConnections();
    proxy?.server.close();
    await stack?.stop();
  });

  it("loads, talks, invites and comes back without leaving it", async () => {
    const ann = await Person.arrive(browser, url, { name: "ann", room: "main" });
    const bob = await Person.arrive(browser, `${url}?room=main`, { name: "bob" });
    await ann.say("under a path");
    await bob.reads("under a path");
    await ann.person("bob").click();
    const link = bob.page.getByRole("link", { name: /private room with ann/i });
    await link.waitFor();
    const invited = new URL(await link.getAttribute("href"), bob.page.url());
    assert.equal(invited.pathname, PATH);
    await bob.open(invited.href); // as in a new tab
    await bob.join("bob");
    await ann.meets("bob");
    await ann.say("between us");
    await bob.reads("between us");
    await bob.page.reload();
    await bob.reads("between us");
    assert.ok(new URL(bob.page.url()).pathname === PATH && bob.page.url().includes("room="));
    await bob.page.getByRole("button", { name: "Change name" }).click();
    assert.equal(new URL(bob.page.url()).pathname, PATH);
    assert.deepEqual(proxy.strayed.filter((path) => path !== "/favicon.ico"), []);
    assert.deepEqual([...ann.complaints, ...bob.complaints], []);
    for (const person of [ann, bob]) await person.leave();
  });
});
