/** A field that is newer than the server, whatever the environment says of its version: blocked, and nothing is applied. */
import { describe, expect, test } from "vitest";
import { withheldBy } from "../../src/cli/commands/apply.ts";
import { openWriter } from "../../src/connect/nats.ts";
import { apply } from "../../src/jetstream/apply.ts";
import { type Plan, plan } from "../../src/jetstream/plan.ts";
import type { ConsumerInput, StreamInput } from "../../src/model/stream.ts";
import { policy } from "../../src/rules/changes.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith, orders } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";

const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 60_000 };
const pushed = { name: "flow", service: "oms", ackPolicy: "flow_control", deliverSubject: "orders.flow" } as const;
const wanting = (more: Partial<StreamInput>, consumers: readonly ConsumerInput[] = []) =>
  modelWith({
    key: "local",
    environment: { name: "local", streamFigures: "staging", nats: { servers: 1, tls: false } },
    streams: [...lock, { ...orders, replicas: 1, ...more, ...(consumers.length > 0 ? { consumers } : {}) }],
  });

const said = ({ changes }: Plan): string[] =>
  changes.flatMap(({ verdicts }) => verdicts.map(({ code, says }) => `${code} ${says}`));

describe.skipIf(without("nats-server-2.12"))("nats-server 2.12, given what came with 2.14", () => {
  test.each([
    ["which it would refuse", true],
    ["which it would drop without a word", false],
  ])("%s: all of the plan is blocked before anything is applied", async (_, strict) => {
    await using cluster = await Cluster.start(wanting({}), { strict, binary: tool("nats-server-2.12") });
    await using writer = await openWriter(cluster.target());
    const planned = async (model: ReturnType<typeof wanting>) => await plan(model, writer, policy, Date.now() * 1e6);
    const fresh = { allowBatched: true, description: "with fast batches" };
    const says = [
      "P001 allow_batched: it exists since 2.14, and this server is 2.12.15 (10025)",
      'P001 ack_policy: "flow_control" exists since 2.14, and this server is 2.12.15 (10025)',
    ];

    // By the version that the environment names, all of it is sound.
    const created = await planned(wanting(fresh, [pushed]));
    expect(said(created)).toEqual(says);
    expect(created.summary).toMatchObject({ create: 1, update: 0, blocked: 2 });
    // What `circl apply` asks before it writes; there is no option that gives leave.
    expect(withheldBy(created, { allowLoss: ["orders"], allowIrreversible: ["orders"] })).toHaveLength(2);

    expect(await apply(await planned(wanting({})), writer, quiet)).toMatchObject({ failed: [], notStarted: [] });
    const updated = await planned(wanting(fresh, [pushed]));
    expect(said(updated)).toEqual(says);
    expect(updated.summary).toMatchObject({ create: 0, update: 0, blocked: 2 });
    expect(withheldBy(updated, {})).toHaveLength(2);
  });
});
