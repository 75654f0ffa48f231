/** Clusters with twenty messages on them, and what is left of those. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { NatsConnection } from "nats";
import { AckPolicy } from "nats";
import type { Model } from "../../src/model/resolve.ts";
import { Cluster, type RunningServer } from "./nats-server.ts";

export const PAYLOAD = "POSITION-OF-A-DEVICE";
/** Files of a server in which `text` stands. */
export const filesWith = (server: RunningServer | undefined, text: string): string[] =>
  readdirSync(join(server?.root ?? "", "data"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));

/** Twenty messages, of which the durable has acknowledged five. */
export async function fill(connection: NatsConnection, replicas: number): Promise<void> {
  const manager = await connection.jetstreamManager();
  await manager.streams.add({ name: "S", subjects: ["s.>"], num_replicas: replicas });
  await manager.consumers.add("S", { durable_name: "d", ack_policy: AckPolicy.Explicit });
  const js = connection.jetstream();
  for (let i = 0; i < 20; i++) await js.publish("s.a", `${PAYLOAD}-${i}`);
  const consumer = await js.consumers.get("S", "d");
  for (let i = 0; i < 5; i++) await (await consumer.next())?.ackAck();
}

/** Servers with that on them. */
export async function filled(model: Model): Promise<Cluster> {
  const cluster = await Cluster.start(model);
  const connection = await cluster.connect();
  await fill(connection, model.environment.nats.servers);
  await connection.close();
  return cluster;
}

export async function state(connection: NatsConnection) {
  const manager = await connection.jetstreamManager();
  const first = await manager.streams.getMessage("S", { seq: 1 });
  return {
    messages: (await manager.streams.info("S")).state.messages,
    first: first.string(),
    acknowledged: (await manager.consumers.info("S", "d")).ack_floor.stream_seq,
  };
}

export const WHOLE = { messages: 20, first: `${PAYLOAD}-0`, acknowledged: 5 };

export async function look(cluster: Cluster) {
  const connection = await cluster.connect();
  try {
    return await state(connection);
  } finally {
    await connection.close();
  }
}
