/** A client as an application has it: publishes with acknowledgement, and reads from a consumer that is there. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConsumerMessages, connect, Events, type NatsConnection, nkeyAuthenticator } from "nats";
import { explainFailure } from "./failure.ts";
import { connectionOptions, type Target } from "./nats.ts";

export interface Received {
  readonly text: string;
  /** Sequence in the stream. */
  readonly seq: number;
}

export interface ServiceClient extends AsyncDisposable {
  /** @throws the error of the client where nobody acknowledges */
  publish(subject: string, payload: string, id: string): Promise<{ readonly stream: string; readonly seq: number }>;
  /** Gives each message to `take` and acknowledges it, until `signal` ends it; what cuts it off is tried again. */
  consume(stream: string, durable: string, take: (message: Received) => void, signal: AbortSignal): Promise<void>;
  /** Fetches and acknowledges until a message with this id was among them. @throws Error after `patience` ms */
  receive(stream: string, durable: string, id: string, patience: number): Promise<void>;
}

/** ms: a request for messages that dies with its server is sent again once two heartbeats are missing, after as long as this. */
const EXPIRES = 5_000;
/** ms between a failed attempt to read and the next. */
const PAUSE = 250;

/** @throws ConnectionFailure with the reason and the next step */
export async function openService(target: Target): Promise<ServiceClient> {
  // As an application: it outlives the server that it is connected to.
  const connection = await connect({ ...connectionOptions(target), maxReconnectAttempts: -1 }).catch(
    (error: unknown) => {
      throw explainFailure(error, "connecting", target.servers.join(", "));
    },
  );
  return serviceOf(connection, target.timeout);
}

/**
 * Connects as docs/security.md tells services to: with what lies in the folder of their Secret, and nothing set beyond that.
 *
 * @param secret folder with `nats.json`, `nats.nk` and, where servers have TLS, `ca.crt`
 * @throws Error where a file is missing; the error of the client
 */
export async function openFromSecret(secret: string): Promise<ServiceClient> {
  const { servers, name, inboxPrefix } = JSON.parse(readFileSync(`${secret}/nats.json`, "utf8"));
  const connection = await connect({
    servers,
    name,
    inboxPrefix,
    authenticator: nkeyAuthenticator(() => readFileSync(`${secret}/nats.nk`)),
    ...(String(servers[0]).startsWith("tls://") ? { tls: { caFile: `${secret}/ca.crt` } } : {}),
    maxReconnectAttempts: -1,
  });
  return serviceOf(connection);
}

/** A client on a connection, which it closes with itself. @param timeout of requests in ms. @default what the package has */
export function serviceOf(connection: NatsConnection, timeout?: number): ServiceClient {
  const jetstream = connection.jetstream(timeout === undefined ? {} : { timeout });
  return {
    publish: (subject, payload, id) => jetstream.publish(subject, payload, { msgID: id }),
    async receive(stream, durable, id, patience) {
      const consumer = await jetstream.consumers.get(stream, durable);
      for (const end = Date.now() + patience; Date.now() < end; ) {
        for await (const message of await consumer.fetch({ max_messages: 100, expires: 1_000 })) {
          await message.ackAck();
          if (message.headers?.get("Nats-Msg-Id") === id) return;
        }
      }
      throw new Error(`${durable} of ${stream} was given no message ${id} within ${patience / 1000} s`);
    },
    async consume(stream, durable, take, signal) {
      let messages: ConsumerMessages | undefined;
      const close = () => void messages?.close();
      signal.addEventListener("abort", close, { once: true });
      // Reconnected while it looks for its consumer, the package watches for missed heartbeats no more: begun anew it does.
      onReconnect(connection, close);
      while (!signal.aborted) {
        try {
          const consumer = await jetstream.consumers.get(stream, durable);
          messages = await consumer.consume({ max_messages: 500, expires: EXPIRES });
          // It may have been ended while the consumer was asked for, of which nobody tells any more.
          if (signal.aborted) close();
          for await (const message of messages) {
            take({ text: message.string(), seq: message.seq });
            message.ack();
          }
        } catch {
          // Nobody answers while there is no leader; what was not acknowledged comes again.
          await sleep(PAUSE);
        }
      }
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

async function onReconnect(connection: NatsConnection, act: () => void): Promise<void> {
  for await (const { type } of connection.status()) if (type === Events.Reconnect) act();
}
