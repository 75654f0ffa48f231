/** A client as an application has it: publishes with acknowledgement, and reads from a consumer that is there. */
import { connect, headers, type NatsConnection } from "nats";
import { explainFailure } from "./failure.ts";
import { connectionOptions, type Target } from "./nats.ts";

export interface ServiceClient extends AsyncDisposable {
  /** Of the server it is connected to now. */
  readonly server: string;
  /** Sequence in the stream that stored it. @throws the error of the client where nobody acknowledges */
  publish(subject: string, payload: string, id: string): Promise<{ readonly stream: string; readonly seq: number }>;
  /** Fetches and acknowledges until a message with this id was among them. @throws Error after `timeout` ms */
  receive(stream: string, durable: string, id: string, timeout: number): Promise<void>;
}

/** @throws ConnectionFailure with the reason and the next step */
export async function openService(target: Target): Promise<ServiceClient> {
  const connection: NatsConnection = await connect(connectionOptions(target)).catch((error: unknown) => {
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
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
