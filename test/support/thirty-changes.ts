/** An apply of thirty changes of every kind, with messages that none of them may lose: before, after, and what is given leave for. */
import { AckPolicy, type NatsConnection } from "nats";
import { expect, vi } from "vitest";
import type { ConsumerInfo, StreamInfo } from "../../src/jetstream/api.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import type { PlanScope } from "../../src/jetstream/plan.ts";
import { defineBucket, defineObjectStore } from "../../src/model/bucket.ts";
import type { Model } from "../../src/model/resolve.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { lock, modelWith, orders } from "./definitions.ts";
import { createAll, request } from "./jetstream.ts";

/** A model on servers without TLS, so that a proxy can read along. */
const plainModel = (servers: 1 | 3, version: string, streams: readonly StreamInput[]): Model =>
  modelWith({
    environment: {
      development: true,
      certificates: "none",
      images: { nats: { tag: `${version}-alpine` } },
      nats: { servers, tls: false },
    },
    streams: streams.map((stream) => ({ ...stream, replicas: servers })),
  });

const stream = (name: string, more: Partial<StreamInput> = {}): StreamInput => ({
  ...orders,
  name,
  subjects: [`${name}.>`],
  maxBytes: "1MiB",
  publishers: [],
  ...more,
});
const reads = (name: string, more: object = {}) =>
  ({ name, service: "oms", ackPolicy: "explicit", maxDeliver: 3, ...more }) as const;
/** The policy cannot be changed in place. */
const again = (replayPolicy: "instant" | "original") => reads("again", { replayPolicy });
const settings = { bucket: "settings", history: 3 } as const;

const BEFORE: readonly StreamInput[] = [
  lock,
  stream("audit", { consumers: [reads("slow"), again("instant"), reads("gone")] }),
  stream("billing", { consumers: [reads("slow"), reads("gone")] }),
  stream("giver", { subjects: ["giver.>", "moved.>"], consumers: [reads("gone")] }),
  stream("taker", { consumers: [reads("slow"), reads("gone")] }),
  stream("interest", { retention: "interest", consumers: [again("instant")] }),
  stream("old", { subjects: ["succession.>"] }),
  stream("older"),
  defineBucket({ ...settings, maxBytes: "1MiB" }),
  defineBucket({ bucket: "old", maxBytes: "1MiB" }),
];

const AFTER: readonly StreamInput[] = [
  lock,
  stream("audit", { maxMsgs: 5_000, consumers: [reads("slow", { maxDeliver: 5 }), again("original")] }),
  stream("billing", { description: "Bills", consumers: [reads("slow", { ackWait: "1m" }), reads("quick")] }),
  stream("giver", { subjects: ["giver.>"] }),
  stream("taker", {
    subjects: ["taker.>", "moved.>"],
    consumers: [reads("slow", { maxAckPending: 7 }), reads("moved", { filterSubject: "moved.>" })],
  }),
  stream("interest", { retention: "interest", maxAge: "8d", consumers: [again("original")] }),
  defineBucket({ ...settings, maxBytes: "2MiB" }),
  stream("new", { consumers: [reads("one", { filterSubject: "new.a" }), reads("two", { filterSubject: "new.b" })] }),
  stream("sink", {
    subjects: [],
    maxMsgSize: "2MiB",
    sources: [{ name: "new" }],
    duplicateWindow: "1m",
    consumers: [reads("one")],
  }),
  stream("mirror", { subjects: [], mirror: { name: "new" } }),
  stream("successor", { subjects: ["succession.>"], consumers: [reads("one")] }),
  defineBucket({ bucket: "new", maxBytes: "1MiB" }),
  defineObjectStore({ bucket: "new", maxBytes: "1MiB" }),
];

export const before = (servers: 1 | 3, version: string): Model => plainModel(servers, version, BEFORE);
export const after = (servers: 1 | 3, version: string): Model => plainModel(servers, version, AFTER);

export const LEAVE: PlanScope = {
  deletions: ["old", "older", "KV_old", "audit/gone", "billing/gone", "giver/gone", "taker/gone"],
  recreations: ["audit/again", "interest/again"],
};

/** Nothing but the streams of `model`, with messages of which two are acknowledged. */
export async function begin(connection: NatsConnection, model: Model): Promise<void> {
  const { streams } = (await request(connection, "STREAM.NAMES")) as { streams?: readonly string[] | null };
  for (const name of streams ?? []) await request(connection, `STREAM.DELETE.${name}`);
  // A busy machine still takes the old folder away as the new stream comes: 10049 until it has.
  await vi.waitFor(
    async () => {
      const replies = await createAll(connection, desiredState(model));
      for (const [name, { error }] of replies) expect(error, name).toBeUndefined();
    },
    { timeout: 50_000, interval: 250 },
  );
  const js = connection.jetstream();
  const subjects = ["audit.a", "billing.a", "giver.a", "moved.a", "taker.a", "interest.a", "$KV.settings.a"];
  for (const subject of subjects) for (let i = 0; i < 3; i++) await js.publish(subject, String(i));
  for (const name of ["audit", "interest"]) {
    const message = await (await js.consumers.get(name, "again")).next();
    expect(await message?.ackAck()).toBe(true);
  }
}

/** Messages of each stream, and what is left to do for the consumers that were recreated. */
export async function expectNothingLost(connection: NatsConnection): Promise<void> {
  const messages = async (name: string) =>
    ((await request(connection, `STREAM.INFO.${name}`)) as unknown as StreamInfo).state.messages;
  const left = async (name: string) => {
    const info = (await request(connection, `CONSUMER.INFO.${name}.again`)) as unknown as ConsumerInfo;
    expect(info.config.ack_policy).toBe(AckPolicy.Explicit);
    return info.num_pending + info.num_ack_pending;
  };
  const names = ["audit", "billing", "giver", "taker", "interest", "KV_settings"];
  expect(await Promise.all(names.map(messages))).toEqual([3, 3, 6, 3, 2, 3]);
  expect(await Promise.all(["audit", "interest"].map(left))).toEqual([2, 2]);
}

/** When each stream was created, by name. */
export async function births(connection: NatsConnection): Promise<ReadonlyMap<string, string>> {
  const { streams } = (await request(connection, "STREAM.LIST")) as { streams?: readonly StreamInfo[] | null };
  return new Map((streams ?? []).map(({ config, created }) => [config.name, created]));
}
