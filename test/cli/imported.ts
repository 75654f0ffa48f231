/** What a plan of imported definitions says to the server that they came from. */
import { expect } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import type { Imported } from "../../src/jetstream/import.ts";
import { type Plan, plan } from "../../src/jetstream/plan.ts";
import { resolveModel } from "../../src/model/resolve.ts";
import { policy } from "../../src/rules/changes.ts";
import { realDefinitions } from "../support/definitions.ts";
import type { Cluster } from "../support/nats-server.ts";

export async function planAfterImport(cluster: Cluster, streams: readonly Imported[]): Promise<Plan> {
  const definitions = { ...realDefinitions, streams: { imported: streams.map(({ definition }) => definition) } };
  const { model, faults } = resolveModel("local", definitions);
  expect(faults).toEqual([]);
  if (!model) throw new Error("no model");
  await using reader = await openReader(cluster.target());
  return await plan(model, reader, policy, Date.now() * 1e6);
}

/** Fields in which a plan of the imported definitions differs from the server, by asset. */
export async function changesAfterImport(cluster: Cluster, streams: readonly Imported[]): Promise<string[]> {
  const { changes } = await planAfterImport(cluster, streams);
  return changes.map(({ change }) =>
    change.action === "update"
      ? `${change.name}: ${change.fields.map(({ field }) => field)}`
      : `${change.name}: ${change.action}`,
  );
}
