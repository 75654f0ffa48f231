import { describe, expect, test } from "vitest";
import { openReader, openWriter } from "../../src/connect/nats.ts";
import type { StreamInfo, Writer } from "../../src/jetstream/api.ts";
import { apply, type Outcome } from "../../src/jetstream/apply.ts";
import { observe } from "../../src/jetstream/observe.ts";
import { type Plan, type PlanScope, plan } from "../../src/jetstream/plan.ts";
import { policy } from "../../src/rules/changes.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith, orders } from "../support/definitions.ts";
import { Cluster, type RunningServer, stop } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 20_000 };
const local = {
  key: "local",
  environment: { name: "local", streamFigures: "staging", nats: { servers: 1, tls: false } },
} as const;

/** Streams by name, with their subjects. */
const holding = (subjects: Readonly<Record<string, readonly string[]>>) =>
  modelWith({
    ...local,
    streams: [
      ...lock,
      ...Object.entries(subjects).map(([name, of]) => ({
        ...{ ...orders, name, replicas: 1, subjects: of, publishers: [] },
      })),
    ],
  });
type Model = ReturnType<typeof holding>;

describe.skipIf(without("nats-server"))("subjects that move", () => {
  async function onServer(
    before: Model,
    work: (
      applied: (model: Model, scope?: PlanScope) => Promise<Outcome>,
      planned: (model: Model, scope?: PlanScope) => Promise<Plan>,
      writer: Writer,
    ) => Promise<void>,
  ) {
    await using cluster = await Cluster.start(before);
    await using writer = await openWriter(cluster.target());
    const planNow = (model: Model, scope: PlanScope = {}): Promise<Plan> =>
      plan(model, writer, policy, Date.now() * 1e6, scope);
    const applyNow = async (model: Model, scope: PlanScope = {}): Promise<Outcome> =>
      apply(await planNow(model, scope), writer, quiet);
    expect((await applyNow(before)).failed).toEqual([]);
    await work(applyNow, planNow, writer);
  }
  const refusalsOf = ({ changes }: Plan) =>
    changes.flatMap(({ change, refusals }) => refusals.map(({ errCode, says }) => [change.name, errCode, says]));

  test("along a chain: the last lets go first, whatever the names", async () => {
    const before = holding({ a: ["a1"], b: ["b1", "b2"], c: ["c1", "c2"], d: ["d1", "d2"] });
    const after = holding({ a: ["a1", "b2"], b: ["b1", "c2"], c: ["c1", "d2"], d: ["d1"] });
    await onServer(before, async (applied, planned) => {
      expect(await applied(after)).toEqual({ done: ["a", "b", "c", "d"], failed: [], notStarted: [] });
      expect((await planned(after)).summary.unchanged).toBe(5);
    });
  });

  test("in a circle are refused, and move in two applies", async () => {
    const before = holding({ a: ["a1", "a2"], b: ["b1", "b2"], c: ["c1"] });
    const between = holding({ a: ["a1"], b: ["b1"], c: ["c1"] });
    const after = holding({ a: ["a1", "b2"], b: ["b1", "a2"], c: ["c1"] });
    await onServer(before, async (applied, planned) => {
      expect(refusalsOf(await planned(after))).toEqual([
        ["a", 10065, "it exchanges subjects with b, and none of them can take before another lets go"],
        ["b", 10065, "it exchanges subjects with a, and none of them can take before another lets go"],
      ]);
      expect((await applied(after)).failed.map(({ error }) => error.message)).toEqual([
        expect.stringContaining("(10065)"),
      ]);
      expect((await applied(between)).failed).toEqual([]);
      expect(refusalsOf(await planned(after))).toEqual([]);
      expect(await applied(after)).toEqual({ done: ["a", "b"], failed: [], notStarted: [] });
    });
  });

  test("go with a stream that is deleted to the one that replaces it", async () => {
    const before = holding({ old: ["x.>"], other: ["y"] });
    const after = holding({ new: ["x.>"], other: ["y"] });
    await onServer(before, async (applied, planned) => {
      expect(refusalsOf(await planned(after))).toEqual([["new", 10065, "old captures x.>, or a part of it"]]);
      const leave = { deletions: ["old"] };
      expect(refusalsOf(await planned(after, leave))).toEqual([]);
      expect(await applied(after, leave)).toEqual({ done: ["new", "old"], failed: [], notStarted: [] });
      expect((await planned(after)).summary).toMatchObject({ unchanged: 3, unmanaged: 0 });
    });
  });

  test("go with a stream that is deleted, and a consumer of it that is named as well goes with it", async () => {
    const before = holding({ old: ["x.>"], other: ["y"] });
    const after = holding({ new: ["x.>"], other: ["y"] });
    await onServer(before, async (applied, planned, writer) => {
      const config = { durable_name: "reader", ack_policy: "explicit", metadata: { "circl.dev/environment": "local" } };
      await writer.write("CONSUMER.CREATE", ["old", "reader"], { stream_name: "old", config });
      const leave = { deletions: ["old", "old/reader"] };
      expect((await planned(after, leave)).notes).toEqual(["--allow-delete old/reader: it goes with old"]);
      expect(await applied(after, leave)).toEqual({ done: ["new", "old"], failed: [], notStarted: [] });
    });
  });
});

describe.skipIf(without("nats-server", "test-ca"))("subjects that move on three servers", () => {
  test("are captured by the taker while a server is away", { timeout: 180_000 }, async () => {
    const replicated = (subjects: Readonly<Record<string, readonly string[]>>) =>
      modelWith({
        streams: [
          ...lock.map((one) => ({ ...one, replicas: 3 })),
          ...Object.entries(subjects).map(([name, of]) => ({ ...orders, name, subjects: of, publishers: [] })),
        ],
      });
    const before = replicated({ giver: ["a1", "a2"], taker: ["b1"] });
    const after = replicated({ giver: ["a1"], taker: ["b1", "a2"] });
    await using cluster = await Cluster.start(before);
    const applied = async (model: Model, servers: readonly string[], readyTimeout: number) => {
      await using writer = await openWriter({ ...cluster.target(), servers });
      const planned = await plan(model, writer, policy, Date.now() * 1e6);
      return await apply(planned, writer, { ...quiet, readyTimeout, lockWait: 50_000 });
    };
    expect((await applied(before, cluster.target().servers, 60_000)).failed).toEqual([]);

    await stop((cluster.servers[2] as RunningServer).process);
    const left = cluster.target().servers.slice(0, 2);
    await using reader = await openReader({ ...cluster.target(), servers: left });
    const groups = async () =>
      (await observe(reader, [])).streams.map((stream) =>
        stream.status === "known" ? stream.info.cluster?.replicas?.filter(({ offline }) => offline).length : "unknown",
      );
    await expect.poll(groups, { timeout: 50_000 }).toEqual([1, 1, 1]);

    const { failed, notStarted } = await applied(after, left, 3_000);
    const { config } = await reader.read<StreamInfo>("STREAM.INFO", ["taker"]);
    expect(config.subjects).toEqual(["b1", "a2"]);
    expect(notStarted).toEqual([]);
    expect(failed.map(({ error }) => error.message).sort()).toEqual(
      ["giver", "taker"].map((name) =>
        expect.stringContaining(`${name} was written, but its replicas are not all current`),
      ),
    );
  });
});
