// SPDX-License-Identifier: MIT
// bun.mjs - the chat of Bun's guide "Build a publish-subscribe WebSocket server", with a room and a name in the
// address instead of one room and a cookie. Run by Bun. Nothing is stored.

const server = Bun.serve({
  port: Number(process.env.PORT),
  hostname: "127.0.0.1",
  fetch(req, server) {
    const query = new URL(req.url).searchParams;
    const data = { room: query.get("room"), username: query.get("username") };
    if (server.upgrade(req, { data })) return undefined;
    return new Response("Hello world");
  },
  websocket: {
    open(ws) {
      ws.subscribe(ws.data.room);
    },
    message(ws, message) {
      // the server re-broadcasts incoming messages to everyone
      server.publish(ws.data.room, `${ws.data.username}: ${message}`);
    },
    close(ws) {
      ws.unsubscribe(ws.data.room);
    },
  },
});

console.log(`ready on ${server.port}`);
