/** Servers to try updates on: streams on all of them, deleted after each test. */
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection, NatsError } from "nats";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import type { Change } from "../../src/jetstream/diff.ts";
import type { Effect } from "../../src/jetstream/effect.ts";
import { realModel } from "./definitions.ts";
import { request } from "./jetstream.ts";
import { streamUpdate } from "./jetstream-changes.ts";
import { difference, lost, predicted, type Stored, state } from "./jetstream-effects.ts";
import { Cluster } from "./nats-server.ts";
import { tool } from "./tools.ts";

const LASTING = "lasting";

export interface EffectBench {
  readonly connection: () => NatsConnection;
  readonly predicted: (change: Change, counted?: boolean) => Promise<Effect[]>;
  readonly ok: (reply: ReturnType<typeof request>) => Promise<void>;
  /** Writes a stream, with as many replicas as there are servers. */
  readonly create: (config: WireConfig) => Promise<void>;
  readonly update: (config: WireConfig) => Promise<void>;
  /** What an update would be. */
  readonly change: (config: WireConfig) => ReturnType<typeof streamUpdate>;
  /** What we say of an update, and what is gone after it. */
  readonly judge: (config: WireConfig) => Promise<{ readonly effects: Effect[]; readonly gone: Stored }>;
  readonly publish: (subject: string, count: number, size?: number) => Promise<void>;
}

/** One server, or three with three replicas of every stream; started before the tests of this file, and stopped after them. */
export function effectBench(server: string, environment: "local" | "staging"): EffectBench {
  let cluster: Cluster;
  let client: NatsConnection;
  const model = realModel(environment);
  const num_replicas = model.environment.nats.servers;
  const ok = async (reply: ReturnType<typeof request>) => expect((await reply).error?.description).toBeUndefined();
  const wire = (config: WireConfig): WireConfig => ({ ...config, num_replicas });
  const bench: EffectBench = {
    connection: () => client,
    predicted: (change, counted) => predicted(cluster, change, counted),
    ok,
    create: (config) => ok(request(client, `STREAM.CREATE.${config.name}`, wire(config))),
    update: (config) => ok(request(client, `STREAM.UPDATE.${config.name}`, wire(config))),
    change: (config) => streamUpdate(client, wire(config)),
    judge: async (config) => {
      const had = await state(client, String(config.name));
      const effects = await bench.predicted(await bench.change(config));
      await bench.update(config);
      const gone = async () => difference(had, await state(client, String(config.name)));
      // Replicas delete a moment after the update, and with an age they go on doing so. What goes beyond what is foretold is
      // seen too: it is looked at once more.
      if (config.max_age === undefined) {
        for (let attempt = 0; attempt < 30 && (await gone()).messages < lost(effects); attempt++) await sleep(100);
        await sleep(100);
      }
      return { effects, gone: await gone() };
    },
    publish: async (subject, count, size = 100) => {
      const jetstream = client.jetstream();
      // A new group has nobody to take it for a moment (503), and then nothing is stored twice.
      const store = async (patience: number): Promise<unknown> =>
        jetstream.publish(subject, Buffer.alloc(size)).catch(async (error: NatsError) => {
          if (error.code !== "503" || patience === 0) throw error;
          await sleep(100);
          return store(patience - 1);
        });
      for (let i = 0; i < count; i++) await store(100);
    },
  };
  beforeAll(async () => {
    cluster = await Cluster.start(model, { binary: tool(server) });
    client = await cluster.connect();
    // With the last stream of an account the server removes their folder, and a create at that moment fails (10049).
    await bench.create({ name: LASTING });
  });
  afterAll(async () => {
    await client?.close();
    await cluster?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    const { streams } = (await request(client, "STREAM.NAMES")) as { streams?: readonly string[] | null };
    for (const name of (streams ?? []).filter((other) => other !== LASTING))
      await request(client, `STREAM.DELETE.${name}`);
  });
  return bench;
}
