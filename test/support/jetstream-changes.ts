/** Changes as diff.ts makes them, of one asset, against what is on the server now. */
import type { NatsConnection } from "nats";
import type { ConsumerInfo, StreamInfo } from "../../src/jetstream/api.ts";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import { type Change, compare } from "../../src/jetstream/diff.ts";
import { normaliseConsumer, normaliseStream } from "../../src/jetstream/normalise.ts";
import { request } from "./jetstream.ts";
import { serverIsAtLeast } from "./jetstream-round-trip.ts";

type Update = Extract<Change, { action: "update" }>;

export async function streamUpdate(connection: NatsConnection, config: WireConfig): Promise<Update> {
  const name = String(config.name);
  const info = (await request(connection, `STREAM.INFO.${name}`)) as unknown as StreamInfo;
  const rules = { hasSourceWindow: !serverIsAtLeast(connection, "2.14") };
  const fields = compare(normaliseStream(info.config, rules), normaliseStream(config, rules));
  return { kind: "stream", name, stream: name, action: "update", config, fields, live: { kind: "stream", info } };
}

export async function consumerUpdate(connection: NatsConnection, stream: string, config: WireConfig): Promise<Update> {
  const info = (await request(connection, `CONSUMER.INFO.${stream}.${config.name}`)) as unknown as ConsumerInfo;
  const fields = compare(normaliseConsumer(info.config, config), normaliseConsumer(config, config));
  const name = `${stream}/${config.name}`;
  return { kind: "consumer", name, stream, action: "update", config, fields, live: { kind: "consumer", info } };
}
