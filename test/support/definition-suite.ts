/** Definitions that nobody thought of, applied to a real server: whatever no rule objects to works, and is no change afterwards. */
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import { apply } from "../../src/jetstream/apply.ts";
import { plan, type Summary } from "../../src/jetstream/plan.ts";
import type { Model } from "../../src/model/resolve.ts";
import { policy } from "../../src/rules/changes.ts";
import { anyDefinitions, soundModel } from "./any-definitions.ts";
import { versionOf } from "./create-refusal-suite.ts";
import { request } from "./jetstream.ts";
import { Cluster } from "./nats-server.ts";
import { tool } from "./tools.ts";

const RUNS = 60;
/** Set CIRCL_SEED to the seed of a failure to see it again; what is reported is the smallest that fails. */
const seed = Number(process.env.CIRCL_SEED ?? Date.now() % 1_000_000);
const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 20_000 };
const NOTHING: Omit<Summary, "unchanged"> = {
  create: 0,
  update: 0,
  recreate: 0,
  delete: 0,
  blocked: 0,
  unknown: 0,
  unmanaged: 0,
};

export function definitionSuite(server: string): void {
  const version = versionOf(server);
  let cluster: Cluster;
  let connection: NatsConnection;
  beforeAll(async () => {
    const model = soundModel([], version);
    if (!model) throw new Error("the lock breaks a rule");
    cluster = await Cluster.start(model, { binary: tool(server) });
    connection = await cluster.connect();
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  const emptied = async () => {
    const { streams } = (await request(connection, "STREAM.NAMES")) as { streams?: readonly string[] | null };
    for (const name of streams ?? []) await request(connection, `STREAM.DELETE.${name}`);
  };
  /** Does what there is to do, leave given for everything, and looks again; nothing where the plan says that the server refuses. */
  const converge = async (model: Model, tries = 20): Promise<"blocked" | "done"> => {
    await using writer = await openWriter(cluster.target());
    const planNow = (scope = {}) => plan(model, writer, policy, Date.now() * 1e6, scope);
    const superfluous = (await planNow()).changes.filter(({ change }) => change.action === "unmanaged");
    const planned = await planNow({ deletions: superfluous.map(({ change }) => change.name) });
    if (planned.summary.blocked > 0) return "blocked";
    const { failed, notStarted } = await apply(planned, writer, quiet);
    // A busy machine still takes the old folder away as the new stream comes.
    if (tries > 0 && failed.some(({ error }) => error.message.includes("(10049)"))) {
      await sleep(250);
      return await converge(model, tries - 1);
    }
    expect([failed.map(({ name, error }) => `${name}: ${error.message}`), notStarted]).toEqual([[], []]);
    const { changes, summary } = await planNow();
    expect(changes.filter(({ change }) => change.action === "update").map(({ change }) => change)).toEqual([]);
    expect(summary).toMatchObject(NOTHING);
    expect(summary.unchanged).toBe(model.streams.length + model.streams.flatMap(({ consumers }) => consumers).length);
    return "done";
  };

  test(`${RUNS} sets of definitions (CIRCL_SEED=${seed}): applied, they are no change`, async () => {
    await fc.assert(
      fc.asyncProperty(anyDefinitions, async (streams) => {
        const model = soundModel(streams, version);
        fc.pre(model !== undefined);
        await emptied();
        expect(await converge(model)).toBe("done");
      }),
      { numRuns: RUNS, seed },
    );
  });

  test(`${RUNS} changes from one set to another (CIRCL_SEED=${seed}): blocked, or applied and no change`, async () => {
    const ends: string[] = [];
    await fc.assert(
      fc.asyncProperty(anyDefinitions, anyDefinitions, async (before, after) => {
        const [from, to] = [before, after].map((streams) => soundModel(streams, version));
        fc.pre(from !== undefined && to !== undefined);
        await emptied();
        expect(await converge(from)).toBe("done");
        ends.push(await converge(to));
      }),
      { numRuns: RUNS, seed },
    );
    expect(new Set(ends)).toEqual(new Set(["blocked", "done"]));
  });
}
