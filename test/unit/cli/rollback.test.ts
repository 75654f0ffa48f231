/** What somebody who rolls back is shown and asked before anything is written. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { rollBack } from "../../../src/cli/commands/rollback.ts";
import type { NatsServers } from "../../../src/cli/deployment.ts";
import { root } from "../../cli/circl.ts";
import { before, broken, edited, model, options, production, serversOf } from "../../support/deployed-production.ts";
import type { FakeCluster } from "../../support/fake-cluster.ts";
import { observedWith } from "../../support/observed.ts";

let [said, printed] = ["", ""];
beforeEach(() => {
  [said, printed] = ["", ""];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, "write").mockImplementation((text) => {
      said += text;
      if (stream === process.stdout) printed += text;
      return true;
    });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const larger = edited((text) => text.replace("max_file_store: 40GiB", "max_file_store: 48GiB"));

/** Puts back `before`, with somebody who says no, in a cluster that has got one object of others meanwhile. */
async function refused(
  more: Partial<NatsServers>,
  others = larger,
  name = "nats-config",
  { json = false, yes = false, cluster = production() } = {},
) {
  for (const object of others.objects.filter(({ metadata }) => metadata.name === name && metadata.namespace))
    if (["ConfigMap", "StatefulSet"].includes(object.kind)) cluster.put(object);
  cluster.settle();
  const written = cluster.written.length;
  const servers = serversOf(cluster, more);
  const confirm = vi.fn(async () => yes);
  const task = { model, cluster, servers, manifests: before, commit: "b".repeat(40), root, settling: 0 };
  const code = await rollBack(task, { ...options, json }, confirm);
  return { code, asked: confirm.mock.calls.length, written: cluster.written.slice(written) };
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

describe("the JSON of a rollback that puts nothing back says why, because", () => {
  const observe = async () => observedWith([]);
  const answered = async (more: Partial<NatsServers>, rest: { yes?: boolean; cluster?: FakeCluster } = {}) => {
    const { code, written } = await refused(more, larger, "nats-config", { json: true, ...rest });
    expect(written).toEqual([]);
    return { code, json: JSON.parse(printed) };
  };

  test("nobody says yes", async () => {
    const json = { environment: "production", summary: { update: 1 }, says: ["Nobody said yes."] };
    expect(await answered({ observe })).toMatchObject({ code: 3, json });
  });

  test("something is blocked", async () => {
    const json = { summary: { blocked: 1 }, says: ["What is marked with ! must be settled first."] };
    expect(await answered({})).toMatchObject({ code: 3, json });
  });

  test("something stands in the way", async () => {
    const cluster = production();
    await cluster.remove({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", name: "premium-rwo" });
    const says = [expect.stringContaining("wants the storage class premium-rwo, and there is none"), expect.anything()];
    expect(await answered({ observe }, { cluster })).toMatchObject({ code: 1, json: { says, obstacles: [{}, {}] } });
  });

  test("the record may not be written", async () => {
    const cluster = production();
    cluster.fault = (operation) =>
      operation === "apply ConfigMap circl-deploys"
        ? { outcome: "refused", status: 403, says: "forbidden" }
        : undefined;
    const says = ["ConfigMap circl-deploys was not written: forbidden"];
    expect(await answered({ observe }, { cluster, yes: true })).toMatchObject({ code: 1, json: { says } });
  });
});

describe("NATS that is not whole", () => {
  const servers = { observe: async () => observedWith([]), problems: async () => ["stream orders has no leader"] };
  const note =
    "note: NATS is not whole: stream orders has no leader. No pod is replaced before it is; the rollback waits at most 60s for that and then fails. circl status production shows it\n";

  test("is said before a rollback that replaces its pods, and does not stand in the way", async () => {
    expect(await refused(servers, broken, "nats")).toEqual({ code: 3, asked: 1, written: [] });
    expect(said).toContain(note);
  });

  test("is not asked about before one that replaces none", async () => {
    expect(await refused(servers)).toEqual({ code: 3, asked: 1, written: [] });
    expect(said).not.toContain("note:");
  });
});
