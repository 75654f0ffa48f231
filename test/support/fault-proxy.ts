/** Stands between a client and a real server and spoils replies of the JetStream API: drops, delays or doubles them. */
import { once } from "node:events";
import { createServer, connect as dial, type Server, type Socket } from "node:net";

export type Fault = "drop" | "delay" | "double" | "none";

export class FaultProxy implements AsyncDisposable {
  /** How many replies have been spoiled. */
  spoiled = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(upstream: number, choose: (reply: number) => Fault) {
    let replies = 0;
    this.#server = createServer((client) => {
      const server = dial(upstream, "127.0.0.1");
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => {
          client.destroy();
          server.destroy();
        });
      }
      client.pipe(server);
      let rest = Buffer.alloc(0);
      server.on("data", (chunk) => {
        rest = Buffer.concat([rest, chunk]);
        for (let frame = cutFrame(rest); frame; frame = cutFrame(rest)) {
          rest = rest.subarray(frame.length);
          const fault = isReply(frame) ? choose(replies++) : "none";
          if (fault !== "none") this.spoiled += 1;
          if (fault === "delay") setTimeout(() => client.write(frame), 150);
          else if (fault !== "drop") client.write(frame);
          if (fault === "double") client.write(frame);
        }
      });
    });
  }

  /** @param choose what becomes of the n-th reply */
  static async start(upstream: number, choose: (reply: number) => Fault): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream, choose);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server.close(), "close");
  }
}

/** The first whole protocol message of `data`: a line, and for MSG and HMSG the payload that it announces. */
function cutFrame(data: Buffer): Buffer | undefined {
  const end = data.indexOf("\r\n");
  if (end < 0) return undefined;
  const line = data.subarray(0, end).toString("latin1");
  const payload = /^H?MSG /.test(line) ? Number(line.split(" ").at(-1)) + 2 : 0;
  const length = end + 2 + payload;
  return data.length < length ? undefined : data.subarray(0, length);
}

const isReply = (frame: Buffer): boolean => /^H?MSG _INBOX/.test(frame.subarray(0, 64).toString("latin1"));
