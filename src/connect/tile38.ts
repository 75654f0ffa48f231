/** Connections to Tile38. */
import { Redis } from "ioredis";
import { ConnectionFailure } from "../jetstream/api.ts";

export interface Tile38Target {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** ms for the connection and each command. */
  readonly timeout: number;
}

export interface Tile38 extends AsyncDisposable {
  /** Sends a command and returns its answer. @throws ConnectionFailure with what the server or the network said */
  call(command: string, ...args: readonly string[]): Promise<unknown>;
}

/** @throws ConnectionFailure where nobody answers, and for a wrong password */
export async function openTile38({ host, port, password, timeout }: Tile38Target): Promise<Tile38> {
  // Tile38 speaks RESP2, knows no HELLO and no CLIENT, and answers INFO only once it is in step with its leader.
  const redis = new Redis({
    host,
    port,
    lazyConnect: true,
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    connectTimeout: timeout,
    commandTimeout: timeout,
    maxRetriesPerRequest: 1,
    retryStrategy: () => null,
  });
  // Each failure is told to who asked.
  redis.on("error", () => {});
  const call: Tile38["call"] = (command, ...args) =>
    redis.call(command, ...args).catch((cause: Error) => {
      throw new ConnectionFailure(`${command} at ${host}:${port}: ${cause.message}`, { cause });
    });
  try {
    await redis.connect().catch((cause: Error) => {
      throw new ConnectionFailure(`connecting to Tile38 at ${host}:${port}: ${cause.message}`, { cause });
    });
    // By itself: a wrong password would else be told as a closed connection.
    await call("AUTH", password);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return { call, [Symbol.asyncDispose]: async () => redis.disconnect() };
}
