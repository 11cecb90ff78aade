// Node's Socket.IO: `node server.js PORT RATE SIZE`; ticks after SIGUSR2. As benchmarks/fan_out/tick.py has it.

import { createServer } from "node:http";
import { Server } from "socket.io";

const [port, rate, size] = process.argv.slice(2).map(Number);
const bare = '42["tick",{"at":1700000000000000,"pad":""}]'.length;
const server = createServer();
const io = new Server(server, { transports: ["websocket"] });
let due = 0;

function tell() {
  const at = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  io.emit("tick", { at, pad: "x".repeat(size - bare) });
  const now = performance.now();
  due = Math.max(due + 1000 / rate, now);
  if (due > now) setTimeout(tell, due - now);
  else setImmediate(tell);
}

process.once("SIGUSR2", () => {
  due = performance.now();
  tell();
});
server.listen(port, "127.0.0.1");
