/** Creates one asset with the raw API, reads it back by LIST as `circl plan` does, and says which fields a plan would change. */

import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import { compare } from "../../src/jetstream/diff.ts";
import { type ConsumerLimits, normaliseConsumer, normaliseStream } from "../../src/jetstream/normalise.ts";
import { atLeast, parseVersion } from "../../src/model/version.ts";
import { type Reply, request } from "./jetstream.ts";

/** Fields that differ, as diff.ts compares them; or what the server said instead of creating it. */
export type Differences = Readonly<Record<string, { readonly live: unknown; readonly asked: unknown }>> | string;

interface Lists {
  readonly streams?: readonly { readonly config: WireConfig }[];
  readonly consumers?: readonly { readonly name: string; readonly config: WireConfig }[];
}

let names = 0;
/** A name that was not used before, so that what an earlier case left behind cannot be meant. */
export const freshName = (): string => `T_${++names}`;

export const serverIsAtLeast = (connection: NatsConnection, version: string): boolean =>
  atLeast(parseVersion(connection.info?.version ?? "") ?? { major: 0, minor: 0, patch: 0 }, version);

/** @returns {} where a plan would be empty. The stream is deleted again. */
export async function streamRoundTrip(connection: NatsConnection, config: WireConfig): Promise<Differences> {
  const created = await request(connection, `STREAM.CREATE.${config.name}`, config);
  return created.error ? refusal(created.error) : readBack(connection, config);
}

/** The same for what an update makes of a stream. */
export async function normalisedUpdate(
  connection: NatsConnection,
  before: WireConfig,
  after: WireConfig,
): Promise<Differences> {
  await request(connection, `STREAM.CREATE.${before.name}`, before);
  const updated = await request(connection, `STREAM.UPDATE.${after.name}`, after);
  return updated.error ? refusal(updated.error) : readBack(connection, after);
}

async function readBack(connection: NatsConnection, config: WireConfig): Promise<Differences> {
  const { streams = [] } = (await request(connection, "STREAM.LIST")) as Reply & Lists;
  const live = streams.find((stream) => stream.config.name === config.name)?.config;
  await request(connection, `STREAM.DELETE.${config.name}`);
  if (!live) return "it is not listed";
  const rules = { hasSourceWindow: !serverIsAtLeast(connection, "2.14") };
  return differences(normaliseStream(live, rules), normaliseStream(config, rules));
}

/** The same for a consumer of `stream`. */
export async function consumerRoundTrip(
  connection: NatsConnection,
  stream: string,
  config: WireConfig,
  limits?: ConsumerLimits,
): Promise<Differences> {
  const filter = config.filter_subject ? `.${config.filter_subject}` : "";
  const subject = `CONSUMER.CREATE.${stream}.${config.name}${filter}`;
  const created = await request(connection, subject, { stream_name: stream, config, action: "create" });
  if (created.error) return refusal(created.error);
  const listed = async () => {
    const { consumers = [] } = (await request(connection, `CONSUMER.LIST.${stream}`)) as Reply & Lists;
    return consumers.find(({ name }) => name === config.name)?.config;
  };
  // In a cluster another server than the one that made it answers, and may hear of it a moment later.
  let live = await listed();
  for (let attempt = 0; !live && attempt < 50; attempt++) {
    await sleep(100);
    live = await listed();
  }
  await request(connection, `CONSUMER.DELETE.${stream}.${config.name}`);
  if (!live) return "it is not listed";
  return differences(normaliseConsumer(live, config, limits), normaliseConsumer(config, config, limits));
}

const refusal = ({ err_code, description }: NonNullable<Reply["error"]>): string =>
  `refused: ${description} (${err_code})`;

export const differences = (live: WireConfig, asked: WireConfig): Exclude<Differences, string> =>
  Object.fromEntries(compare(live, asked).map(({ field, from, to }) => [field, { live: from, asked: to }]));
