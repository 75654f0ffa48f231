/** A client as an application has it: publishes with acknowledgement, and reads from a consumer that is there. */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, headers, type NatsConnection } from "nats";
import { explainFailure } from "./failure.ts";
import { connectionOptions, type Target } from "./nats.ts";

export interface Received {
  /** What its publisher called it. */
  readonly id: string;
  /** Sequence in the stream. */
  readonly seq: number;
}

export interface ServiceClient extends AsyncDisposable {
  /** Of the server it is connected to now. */
  readonly server: string;
  /** Sequence in the stream that stored it. @throws the error of the client where nobody acknowledges */
  publish(subject: string, payload: string, id: string): Promise<{ readonly stream: string; readonly seq: number }>;
  /** Gives each message to `take` and acknowledges it, until `signal` ends it; what cuts it off is tried again. */
  consume(stream: string, durable: string, take: (message: Received) => void, signal: AbortSignal): Promise<void>;
  /** Fetches and acknowledges until a message with this id was among them. @throws Error after `timeout` ms */
  receive(stream: string, durable: string, id: string, timeout: number): Promise<void>;
}

/** @throws ConnectionFailure with the reason and the next step */
export async function openService(target: Target): Promise<ServiceClient> {
  const connection: NatsConnection = await connect({
    ...connectionOptions(target),
    // As an application: it outlives the server that it is connected to.
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
  }).catch((error: unknown) => {
    throw explainFailure(error, "connecting", target.servers.join(", "));
  });
  const jetstream = connection.jetstream({ timeout: target.timeout });
  return {
    server: connection.info?.server_name ?? "",
    async publish(subject, payload, id) {
      const marked = headers();
      marked.set("Nats-Msg-Id", id);
      return jetstream.publish(subject, payload, { headers: marked });
    },
    async receive(stream, durable, id, timeout) {
      const consumer = await jetstream.consumers.get(stream, durable);
      for (const end = Date.now() + timeout; Date.now() < end; ) {
        for await (const message of await consumer.fetch({ max_messages: 100, expires: 1_000 })) {
          await message.ackAck();
          if (message.headers?.get("Nats-Msg-Id") === id) return;
        }
      }
      throw new Error(`${durable} of ${stream} was given no message ${id} within ${timeout / 1000} s`);
    },
    async consume(stream, durable, take, signal) {
      while (!signal.aborted) {
        try {
          const consumer = await jetstream.consumers.get(stream, durable);
          const messages = await consumer.consume({ max_messages: 1_000 });
          const stop = () => messages.stop();
          signal.addEventListener("abort", stop, { once: true });
          for await (const message of messages) {
            take({ id: message.headers?.get("Nats-Msg-Id") ?? "", seq: message.seq });
            message.ack();
          }
          signal.removeEventListener("abort", stop);
        } catch {
          // A leader that is being elected, a server that goes: what was not acknowledged comes again.
          await sleep(100);
        }
      }
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
