/** What somebody who rolls back is shown and asked before anything is written. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rollBack } from "../../../src/cli/commands/rollback.ts";
import type { NatsServers } from "../../../src/cli/deployment.ts";
import { root } from "../../cli/circl.ts";
import { before, edited, model, options, production, serversOf } from "../../support/deployed-production.ts";
import { observedWith } from "../../support/observed.ts";

let said = "";
beforeEach(() => {
  said = "";
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, "write").mockImplementation((text) => {
      said += text;
      return true;
    });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Puts back `before`, with somebody who says no, in a cluster whose servers have got a larger file store meanwhile. */
async function refused(more: Partial<NatsServers>) {
  const cluster = production();
  const larger = edited((text) => text.replace("max_file_store: 40GiB", "max_file_store: 48GiB"));
  for (const object of larger.objects.filter(({ metadata }) => metadata.name === "nats-config")) cluster.put(object);
  const servers = serversOf(cluster, more);
  const confirm = vi.fn(async () => false);
  const task = { model, cluster, servers, manifests: before, commit: "b".repeat(40), root };
  const code = await rollBack(task, options, confirm);
  return { code, asked: confirm.mock.calls.length, written: cluster.written };
}

test("a rollback that may be done is asked about, and not done without a yes", async () => {
  expect(await refused({ observe: async () => observedWith([]) })).toEqual({ code: 3, asked: 1, written: [] });
  expect(said).toContain("~ ConfigMap nats-config");
  expect(said).not.toContain("blocked:");
});

test("a rollback that is blocked is not asked about, and says what the servers did not answer", async () => {
  expect(await refused({})).toEqual({ code: 3, asked: 0, written: [] });
  expect(said.replaceAll(/\s+/g, " ")).toContain(
    "a store that shrinks, and how much streams reserve is not known: nobody listens",
  );
  expect(said).toContain("Nothing was applied. What is marked with ! must be settled first.");
});
