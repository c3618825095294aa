// SPDX-License-Identifier: MIT
// socketio.mjs - the chat of Socket.IO's tutorial, with rooms. Nothing is stored, unless DATABASE names a file: then each
// message is first inserted into SQLite, as the tutorial's "Server delivery" does.

import { createServer } from "node:http";
import { Server } from "socket.io";

async function openDatabase(filename) {
  const { open } = await import("sqlite");
  const { default: sqlite3 } = await import("sqlite3");
  const db = await open({ filename, driver: sqlite3.Database });
  await db.exec(`
    CREATE TABLE IF NOT EXISTS messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      client_offset TEXT UNIQUE,
      content TEXT
    );
  `);
  return db;
}

const db = process.env.DATABASE ? await openDatabase(process.env.DATABASE) : undefined;
const server = createServer();
const io = new Server(server);

io.on("connection", (socket) => {
  let room;
  socket.on("join", (name, joined) => {
    room = name;
    socket.join(room);
    joined();
  });
  socket.on("chat message", async (msg) => {
    if (!db) {
      io.to(room).emit("chat message", msg);
      return;
    }
    const result = await db.run("INSERT INTO messages (content) VALUES (?)", msg);
    io.to(room).emit("chat message", msg, result.lastID);
  });
});

server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log(`ready on ${process.env.PORT}`));
