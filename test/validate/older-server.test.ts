/** A field that is newer than the server: refused where requests are strict, and found missing where they are not. */
import { describe, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import { apply } from "../../src/jetstream/apply.ts";
import { plan } from "../../src/jetstream/plan.ts";
import { policy } from "../../src/rules/changes.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith, orders } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";

const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 60_000 };
const model = modelWith({
  key: "local",
  environment: { name: "local", streamFigures: "staging", nats: { servers: 1, tls: false } },
  // Fast batches came with 2.14.
  streams: [...lock, { ...orders, replicas: 1, allowBatched: true }],
});

describe.skipIf(without("nats-server-2.12"))("nats-server 2.12, given a field of 2.14", () => {
  test.each([
    [false, "orders: the server did not keep allow_batched. It may be older than these fields: see its version above."],
    [true, 'invalid JSON: json: unknown field "allow_batched" (10025)'],
  ])("strict %s", async (strict, says) => {
    await using cluster = await Cluster.start(model, { strict, binary: tool("nats-server-2.12") });
    await using writer = await openWriter(cluster.target());
    const planned = await plan(model, writer, policy, Date.now() * 1e6);
    const { done, failed } = await apply(planned, writer, quiet);
    expect(done).toEqual(["circl_lock"]);
    expect(failed.map(({ error }) => error.message)).toEqual([says]);
  });
});
