/** Free ports of loopback. */
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Ports that nobody listens on now, below those that the system hands out by itself: one of these could be taken as the
 * near end of some connection before the server binds it.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer().listen(port, "127.0.0.1");
    const free = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (free) await once(server.close(), "close");
    if (free && !ports.includes(port)) ports.push(port);
  }
  return ports;
}
