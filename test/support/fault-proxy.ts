/**
 * Stands between a client and a real server and spoils answers: drops, delays, doubles or holds them, cuts the connection, or
 * makes them up.
 */
import { once } from "node:events";
import { createServer, connect as dial, type Server, type Socket } from "node:net";

/** `hold`: until `release`. `cut`: this answer and everything after it is lost, and nobody is let in again. */
export type Fault = "drop" | "delay" | "double" | "hold" | "cut" | "none";

/** @param answer its number, from 0 @param subject what was asked */
export type ChooseFault = (answer: number, subject: string) => Fault;

/** An answer that is made up, where the request never gets to the server; undefined where it does. */
export type MakeUp = (subject: string) => object | undefined;

export class FaultProxy implements AsyncDisposable {
  /** What was asked where the answer was spoiled, in that order. */
  readonly spoiled: string[] = [];
  /** Resolves when the connection was cut. */
  readonly cut: Promise<void>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #held: (() => void)[] = [];

  private constructor(upstream: number, choose: ChooseFault, makeUp: MakeUp) {
    let answers = 0;
    let reportCut = () => {};
    this.cut = new Promise((done) => {
      reportCut = done;
    });
    this.#server = createServer((client) => {
      const server = dial(upstream, "127.0.0.1");
      const asked = new Map<string, string>();
      // Answers come to one subscription for all of them.
      let inboxes = "";
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => {
          client.destroy();
          server.destroy();
        });
      }
      client.on(
        "data",
        eachFrame((frame, [verb, subject = "", inbox = ""]) => {
          if (verb === "SUB") inboxes = inbox;
          const made = verb === "PUB" ? makeUp(subject) : undefined;
          if (made) {
            const payload = JSON.stringify(made);
            this.spoiled.push(subject);
            client.write(`MSG ${inbox} ${inboxes} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
            return;
          }
          if (verb === "PUB" || verb === "HPUB") asked.set(inbox, subject);
          server.write(frame);
        }),
      );
      server.on(
        "data",
        eachFrame((frame, [verb, inbox = ""]) => {
          const subject = verb === "MSG" || verb === "HMSG" ? asked.get(inbox) : undefined;
          const fault = subject === undefined ? "none" : choose(answers++, subject);
          if (subject !== undefined && fault !== "none") this.spoiled.push(subject);
          const pass = () => client.write(frame);
          if (fault === "delay") setTimeout(pass, 150);
          else if (fault === "hold") this.#held.push(pass);
          else if (fault === "none" || fault === "double") pass();
          if (fault === "double") pass();
          if (fault === "cut") {
            this.#server.close();
            for (const socket of this.#sockets) socket.destroy();
            reportCut();
          }
        }),
      );
    });
  }

  static async start(upstream: number, choose: ChooseFault, makeUp: MakeUp = () => undefined): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream, choose, makeUp);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Lets go what is held, in the order it came. */
  release(): void {
    for (const pass of this.#held.splice(0)) pass();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server.close(), "close");
  }
}

/** Calls `each` with every whole protocol message and the words of its first line, whatever pieces the bytes come in. */
function eachFrame(each: (frame: Buffer, words: readonly string[]) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let frame = cutFrame(rest); frame; frame = cutFrame(rest)) {
      rest = rest.subarray(frame.length);
      each(frame, frame.subarray(0, frame.indexOf("\r\n")).toString("latin1").split(" "));
    }
  };
}

/** The first whole protocol message of `data`: a line, and the payload that it announces. */
function cutFrame(data: Buffer): Buffer | undefined {
  const end = data.indexOf("\r\n");
  if (end < 0) return undefined;
  const line = data.subarray(0, end).toString("latin1");
  const payload = /^H?(MSG|PUB) /.test(line) ? Number(line.split(" ").at(-1)) + 2 : 0;
  const length = end + 2 + payload;
  return data.length < length ? undefined : data.subarray(0, length);
}
