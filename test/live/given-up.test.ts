/** What NatsConsumerGaveUp reckons with: how a server counts messages that it gives no more. */
import type { NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import { realModel } from "../support/definitions.ts";
import { createAll, request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

interface Counts {
  readonly num_redelivered?: number;
  readonly num_ack_pending?: number;
}

describe.skipIf(without("nats-server", "test-ca"))("a consumer", () => {
  test("counts a message as redelivered while it is given again, and after it was given up, until the stream drops it", async () => {
    const model = realModel("production");
    await using cluster = await Cluster.start(model);
    const connection: NatsConnection = await cluster.connect();
    await createAll(connection, desiredState(model));
    const counts = async () => {
      const { num_redelivered, num_ack_pending } = (await request(
        connection,
        "CONSUMER.INFO.circl_oms.dms-orders",
      )) as Counts;
      return { redelivered: num_redelivered, pending: num_ack_pending };
    };
    const jetstream = connection.jetstream();
    for (let i = 0; i < 3; i++) await jetstream.publish("circl.oms.order.created", "{}");
    const consumer = await jetstream.consumers.get("circl_oms", "dms-orders");
    const { max_deliver: attempts = 0 } = (await consumer.info()).config;
    expect(attempts).toBeGreaterThan(1);
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await expect.poll(counts).toEqual({ redelivered: attempt > 1 ? 3 : 0, pending: 3 });
      const messages = [];
      while (messages.length < 3) {
        for await (const message of await consumer.fetch({ max_messages: 3 - messages.length, expires: 5_000 }))
          messages.push(message);
      }
      for (const message of messages) message.nak();
    }
    // It notices when somebody asks for the next.
    for await (const _ of await consumer.fetch({ max_messages: 1, expires: 2_000 })) expect.fail("given once more");
    await expect.poll(counts).toEqual({ redelivered: 3, pending: 0 });
    await request(connection, "STREAM.MSG.DELETE.circl_oms", { seq: 1 });
    await expect.poll(counts).toEqual({ redelivered: 2, pending: 0 });
    await connection.close();
  });
});
