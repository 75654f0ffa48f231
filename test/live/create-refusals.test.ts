import { describe, expect, test, vi } from "vitest";
import { createPairSuite } from "../support/create-pair-suite.ts";
import { createRefusalSuite } from "../support/create-refusal-suite.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { createConsumer } from "../support/jetstream-refusal-suite.ts";
import { restart } from "../support/jetstream-restart.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { transformSuite } from "../support/transform-suite.ts";

describe.skipIf(without("nats-server"))("what a rule says that the server refuses, it refuses", () => {
  createRefusalSuite("nats-server", 1);
});

describe.skipIf(without("nats-server", "test-ca"))("the same of what only a cluster refuses", () => {
  createRefusalSuite("nats-server", 3);
});

describe.skipIf(without("nats-server"))("every pair of settings", () => {
  createPairSuite("nats-server");
});

describe.skipIf(without("nats-server"))("we call faulty what the server refuses, and nothing else", () => {
  transformSuite("nats-server");
});

describe.skipIf(without("nats-server"))("what we refuse although the server takes it", () => {
  test("a backoff that begins with 0s: the message never comes back", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    await request(connection, "STREAM.CREATE.T", { name: "T", subjects: ["T.>"] });
    const deliveries = new Map<string, number>();
    const readers = await Promise.all(
      [0, 100e6].map(async (first) => {
        const name = `first-${first}`;
        const config = { name, durable_name: name, ack_policy: "explicit", backoff: [first, 100e6], max_deliver: 5 };
        expect((await createConsumer(connection, "T", config)).error).toBeUndefined();
        const consumer = await connection.jetstream().consumers.get("T", name);
        return consumer.consume({ callback: () => deliveries.set(name, (deliveries.get(name) ?? 0) + 1) });
      }),
    );
    await connection.jetstream().publish("T.x");
    await vi.waitFor(() => expect(deliveries.get("first-100000000")).toBe(5), { timeout: 30_000, interval: 50 });
    expect(deliveries.get("first-0")).toBe(1);
    for (const reader of readers) reader.stop();
    await connection.close();
  });

  test("an interest stream without consumers: what it acknowledges is not there", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    await request(connection, "STREAM.CREATE.T", { name: "T", subjects: ["T.>"], retention: "interest" });
    expect((await connection.jetstream().publish("T.x")).seq).toBe(1);
    expect(await request(connection, "STREAM.INFO.T")).toMatchObject({ state: { messages: 0, last_seq: 1 } });
    await connection.close();
  });

  test("a republish that comes back: one message becomes a hundred", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    for (const [name, from, to] of [
      ["A", "a.>", "b.>"],
      ["B", "b.>", "a.>"],
    ]) {
      const config = { name, subjects: [from], max_msgs: 1_000, republish: { src: ">", dest: to } };
      expect((await request(connection, `STREAM.CREATE.${name}`, config)).error).toBeUndefined();
    }
    await connection.jetstream().publish("a.x");
    await vi.waitFor(
      async () => {
        const info = (await request(connection, "STREAM.INFO.A")) as { state?: { messages: number } };
        expect(info.state?.messages).toBeGreaterThan(100);
      },
      { timeout: 30_000, interval: 50 },
    );
    await connection.close();
  });

  test("a counter with delete markers: it cannot be updated, and is gone after a restart", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    const config = { name: "T", subjects: ["T.>"], allow_msg_counter: true, subject_delete_marker_ttl: 60e9 };
    expect((await request(connection, "STREAM.CREATE.T", config)).error).toBeUndefined();
    expect((await request(connection, "STREAM.UPDATE.T", config)).error).toMatchObject({ err_code: 10052 });
    await connection.close();
    await restart(cluster);
    const again = await cluster.connect();
    expect((await request(again, "STREAM.INFO.T")).error).toMatchObject({ err_code: 10059 });
    await again.close();
  });
});
