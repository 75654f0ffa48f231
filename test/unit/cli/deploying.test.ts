import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type DeployTask, deploy } from "../../../src/cli/deploying.ts";
import { Interrupted, type NatsServers } from "../../../src/cli/deployment.ts";
import { manifestsIn } from "../../../src/cli/manifest-source.ts";
import { compareLive } from "../../../src/deploy/live-comparison.ts";
import type { KubeObject } from "../../../src/deploy/object.ts";
import { type Deployment, deploymentsIn, recordOf } from "../../../src/deploy/record.ts";
import { StepFailure } from "../../../src/deploy/step.ts";
import { ConnectionFailure } from "../../../src/jetstream/api.ts";
import { LockHeld } from "../../../src/jetstream/lock.ts";
import { root } from "../../cli/circl.ts";
import { realModel } from "../../support/definitions.ts";
import { type FakeCluster, fakeCluster } from "../../support/fake-cluster.ts";

const model = realModel("production");
const { namespace } = model.environment.kubernetes;
const options = { timeout: "1000", rolloutTimeout: "60s", previous: `${root}/dist` };
const before = manifestsIn(`${root}/dist`, "production");

const edited = (edit: (text: string) => string) => ({
  digest: "of the new",
  objects: before.objects.map((object) => JSON.parse(edit(JSON.stringify(object))) as KubeObject),
});
const broken = edited((text) => text.replaceAll(/nats:(\d+\.\d+)\.\d+-alpine/g, "nats:$1.99-alpine"));
const crashes = (template: unknown) => JSON.stringify(template).includes(".99-alpine");
const reloading = edited((text) => text.replace("max_payload: 8MiB", "max_payload: 4MiB"));

const done: Deployment = {
  kind: "deploy",
  commit: "b".repeat(40),
  digest: before.digest,
  who: "alice",
  started: "2026-11-22T09:00:00.000Z",
  result: "done",
};

/** Production as `before` has left it. */
function running(deployments: readonly Deployment[] = [done]): FakeCluster {
  const cluster = fakeCluster([...before.objects, recordOf(deployments, namespace, undefined)]);
  cluster.settle();
  return cluster;
}

const confOf = (cluster: FakeCluster): string => cluster.find("ConfigMap", "nats-config")?.data?.["nats.conf"] ?? "";

/** Servers that have what they should and take over every nats.conf at once. */
const serversOf = (cluster: FakeCluster, more: Partial<NatsServers> = {}): NatsServers => ({
  connection: async () => options,
  observe: () => Promise.reject(new ConnectionFailure("nobody listens", {})),
  problems: async () => [],
  loaded: async () => new Map([0, 1, 2].map((i) => [`nats-${i}`, { config_digest: confOf(cluster) }])),
  [Symbol.dispose]: () => {},
  ...more,
});

async function run(cluster: FakeCluster, more: Partial<DeployTask> = {}) {
  const manifests = more.manifests ?? broken;
  const { fault } = cluster;
  cluster.fault = () => undefined;
  const changes = await compareLive(cluster, "production", manifests.objects);
  cluster.fault = fault;
  const ended = await deploy({
    model,
    cluster,
    servers: serversOf(cluster),
    manifests,
    commit: "c".repeat(40),
    root,
    pace: { interval: 1, silence: 60 },
    options,
    changes,
    applyStreams: async () => {},
    ...more,
  });
  const record = deploymentsIn(cluster.find("ConfigMap", "circl-deploys"));
  return {
    ...ended,
    record: record.map(({ kind, result, commit }) => `${kind} ${commit[0]} ${result}`),
    newest: record[0],
  };
}

const failing = (error: Error) => ({ manifests: reloading, applyStreams: () => Promise.reject(error) });

// Progress, of two dozen deploys.
beforeAll(() => {
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
});
afterAll(() => {
  vi.restoreAllMocks();
});

describe("a deploy", () => {
  test("that ends well is recorded so", async () => {
    const { result, record, steps } = await run(running(), { manifests: reloading });
    expect({ result, record }).toEqual({ result: "done", record: ["deploy c done", "deploy b done"] });
    expect(steps.find(({ name }) => name === "reload")?.says).toEqual(["3 servers run with the new configuration"]);
  });

  test("whose pods never get ready is put back, and both are recorded", async () => {
    const cluster = running();
    cluster.serves = (template) => !crashes(template);
    const { result, says, record } = await run(cluster);
    expect(result).toBe("rolled back");
    expect(says).toEqual([
      "nats-2 is not ready: container nats CrashLoopBackOff, 9 restarts",
      `Commit ${"b".repeat(40)} is there again, and verified. Streams stay as they are.`,
    ]);
    expect(record).toEqual(["rollback b done", "deploy c failed", "deploy b done"]);
    expect(cluster.find("StatefulSet", "nats")?.spec).toEqual(
      before.objects.find(({ kind, metadata }) => kind === "StatefulSet" && metadata.name === "nats")?.spec,
    );
  });

  test.each([
    ["a step that fails", new StepFailure("orders: no")],
    ["NATS that refuses", new StepFailure("insufficient resources", { cause: "ApiError" })],
    ["a fault of our own", new TypeError("x is not a function")],
  ])("%s after something was applied is put back", async (_, error) => {
    const cluster = running();
    const { result, record } = await run(cluster, failing(error));
    expect({ result, record }).toEqual({
      result: "rolled back",
      record: ["rollback b done", "deploy c failed", "deploy b done"],
    });
    expect(confOf(cluster)).toContain("max_payload: 8MiB");
  });

  test("that may not begin the streams, because somebody else applies, stays as it is", async () => {
    const cluster = running();
    const { result, says, record } = await run(cluster, failing(new LockHeld("alice applies since noon")));
    expect({ result, record }).toEqual({ result: "failed", record: ["deploy c failed", "deploy b done"] });
    expect(says[1]).toMatch(/^Nothing is rolled back: the manifests stand, the streams wait\./);
    expect(confOf(cluster)).toContain("max_payload: 4MiB");
  });

  test("that is interrupted in its streams is neither put back nor recorded as done", async () => {
    const { result, says, record, newest } = await run(running(), failing(new Interrupted("Interrupted: 1 of 2")));
    expect({ result, says, record }).toEqual({
      result: "interrupted",
      says: ["Interrupted: 1 of 2"],
      record: ["deploy c failed", "deploy b done"],
    });
    expect(newest?.says).toBe("Interrupted: 1 of 2");
  });

  test("that fails before anything was written says so, and so does its record", async () => {
    const cluster = running();
    cluster.fault = (operation) =>
      operation === "apply Namespace circl-backbone"
        ? { outcome: "conflict", conflicts: [{ field: "metadata.labels", owner: "bob" }] }
        : undefined;
    const { result, says, record, newest } = await run(cluster);
    expect({ result, record, untouched: newest?.untouched }).toEqual({
      result: "failed",
      record: ["deploy c failed", "deploy b done"],
      untouched: true,
    });
    expect(says).toEqual([
      "Namespace circl-backbone was not applied: metadata.labels belongs to bob",
      "Nothing was applied. Mend it and run the same command again.",
    ]);
  });
});

describe("an API server that does not answer", () => {
  const away = () => new ConnectionFailure("the server is away", { passing: true });

  test("for a moment is waited for, at every question and every write", async () => {
    const cluster = running();
    let questions = 0;
    cluster.fault = () => {
      questions += 1;
      return questions > 1 && questions % 3 === 0 ? away() : undefined;
    };
    // The first look is not part of the run that waits.
    const { result } = await run(cluster, { manifests: reloading, pace: { interval: 1, silence: 60_000 } });
    expect(result).toBe("done");
    expect(questions).toBeGreaterThan(300);
  });

  test("any more ends the run without a way back, and says how to go on", async () => {
    const cluster = running();
    cluster.fault = (operation) =>
      cluster.written.includes("apply Service nats") && !operation.includes("circl-deploys") ? away() : undefined;
    const { result, says, record } = await run(cluster);
    expect({ result, record }).toEqual({ result: "failed", record: ["deploy c failed", "deploy b done"] });
    expect(says).toEqual([
      "the server is away",
      "Nothing is rolled back while the cluster cannot be asked. Run the same command again: it goes on from there.",
    ]);
  });

  test("when the end is to be recorded leaves the report, and what to do", async () => {
    const cluster = running();
    cluster.fault = () => (cluster.written.includes("apply Service nats") ? away() : undefined);
    const { result, says } = await run(cluster);
    expect(result).toBe("failed");
    expect(says.at(-1)).toBe("The record could not be written: the server is away");
  });

  test("when a good end is to be recorded is no reason to go back", async () => {
    const cluster = running();
    let verified = false;
    const servers = serversOf(cluster, {
      problems: async () => {
        verified = true;
        return [];
      },
    });
    cluster.fault = (operation) => (verified && operation === "apply ConfigMap circl-deploys" ? away() : undefined);
    const { result, says } = await run(cluster, { servers, manifests: reloading });
    expect({ result, says }).toEqual({
      result: "failed",
      says: [
        "The record could not be written: the server is away",
        "Everything is applied and verified. Run the same command again, so that the record says so too.",
      ],
    });
    expect(confOf(cluster)).toContain("max_payload: 4MiB");
  });
});

describe("the way back", () => {
  const withExtras = (...extras: readonly KubeObject[]) => ({
    digest: "of the new",
    objects: [...broken.objects, ...extras],
  });
  const ours = (kind: string, name: string, apiVersion = "v1"): KubeObject => ({
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      labels: {
        "app.kubernetes.io/managed-by": "circl",
        "app.kubernetes.io/part-of": "circl-backbone",
        "circl.dev/environment": "production",
      },
    },
  });
  const breaking = (cluster: FakeCluster): FakeCluster => {
    cluster.serves = (template) => !crashes(template);
    return cluster;
  };

  test("takes along what the failed deploy made and holds nothing, and lists the rest", async () => {
    const cluster = breaking(running());
    cluster.put(ours("ConfigMap", "there-before"));
    const manifests = withExtras(
      ours("ConfigMap", "new-one"),
      ours("ConfigMap", "there-before"),
      ours("ExternalSecret", "new-secret", "external-secrets.io/v1"),
    );
    const { result, says } = await run(cluster, { manifests });
    expect(result).toBe("rolled back");
    expect(cluster.written.filter((what) => what.startsWith("remove ConfigMap"))).toEqual(["remove ConfigMap new-one"]);
    expect(says.slice(2)).toEqual([
      "ConfigMap there-before in circl-backbone is not part of what was put back: circl deploy --prune deletes it",
      "ExternalSecret new-secret in circl-backbone is no longer in dist, and never deleted by circl: decide, and do it by hand",
    ]);
  });

  test("that fails too is said and recorded, with what to do", async () => {
    const cluster = breaking(running());
    cluster.serves = (template, pod) =>
      !crashes(template) && !(pod === "nats-2" && cluster.written.includes("remove Pod nats-2"));
    const { result, says, record } = await run(cluster);
    expect({ result, record }).toEqual({
      result: "failed",
      record: ["rollback b failed", "deploy c failed", "deploy b done"],
    });
    expect(says.at(-1)).toBe(
      "Neither is whole now. Mend what is said above, then: circl rollback production --kubectl fake",
    );
  });

  test("that cannot begin leaves the report whole", async () => {
    const cluster = breaking(running());
    cluster.fault = (operation) =>
      operation.startsWith("try") && cluster.written.includes("the controller replaces nats-2")
        ? new ConnectionFailure("the server is away", {})
        : undefined;
    const { result, says, steps } = await run(cluster);
    expect(result).toBe("failed");
    expect(steps.at(-1)).toMatchObject({ name: "servers", outcome: "failed" });
    expect(says[1]).toBe(`The way back to ${"b".repeat(40)} could not begin: the server is away`);
  });

  test("is not gone where a stream was changed for good, though its step failed half-way", async () => {
    const cluster = running();
    const { result, says } = await run(cluster, {
      manifests: reloading,
      applyStreams: async (_steps, _interrupted, changed) => {
        changed(["orders"]);
        throw new StepFailure("devices: no");
      },
    });
    expect(result).toBe("failed");
    expect(says).toContain(
      "- stream orders was changed for good by this run: the manifests of before do not bring back its messages.",
    );
    expect(confOf(cluster)).toContain("max_payload: 4MiB");
  });

  test("is not gone where nothing was deployed well before", async () => {
    const { result, says } = await run(breaking(running([])));
    expect(result).toBe("failed");
    expect(says[1]).toBe("Nothing is rolled back: nothing was deployed before. Mend it and deploy again.");
  });
});

describe("a reload", () => {
  /** Of which nats-1 takes nothing over. */
  const refusing = (cluster: FakeCluster): NatsServers => {
    const first = confOf(cluster);
    return serversOf(cluster, {
      loaded: async () =>
        new Map(
          [0, 1, 2].map((i) => [
            `nats-${i}`,
            { config_digest: i === 1 ? first : confOf(cluster), config_load_time: "2026-11-22T09:00:00Z" },
          ]),
        ),
    });
  };

  test("that a server does not take over fails, names it, and is put back", async () => {
    const cluster = running();
    const { result, says } = await run(cluster, {
      manifests: reloading,
      servers: refusing(cluster),
      options: { ...options, rolloutTimeout: "1s" },
    });
    expect(result).toBe("rolled back");
    expect(says[0]).toBe(
      "nats-1 (loaded 2026-11-22T09:00:00Z) did not take the new nats.conf over: it has not come, or was refused. kubectl logs POD -c nats says which (after 1 s)",
    );
    expect(confOf(cluster)).toContain("max_payload: 8MiB");
  });

  /** Servers that load anew what is in the cluster, but for nats-1 where it is not to. */
  const loading = (cluster: FakeCluster, nats1: boolean): NatsServers => {
    const timeOf = () => JSON.stringify(cluster.find("ExternalSecret", "nats-auth")?.spec.target.template).length;
    const first = timeOf();
    return serversOf(cluster, {
      loaded: async () =>
        new Map(
          [0, 1, 2].map((i) => [`nats-${i}`, { config_load_time: `at ${i === 1 && !nats1 ? first : timeOf()}` }]),
        ),
    });
  };
  const accounts = edited((text) => text.replaceAll('\\"$JS.API.INFO\\"', '\\"$JS.API.INFO\\", \\"more\\"'));

  test("of accounts alone is waited for too", async () => {
    const cluster = running();
    const { result, says, steps } = await run(cluster, { manifests: accounts, servers: loading(cluster, true) });
    expect({ result, says }).toEqual({ result: "done", says: [] });
    expect(steps.find(({ name }) => name === "reload")?.says).toEqual(["3 servers run with the new configuration"]);
  });

  test("of accounts that does not come is said, and no failure: the same accounts may be written otherwise", async () => {
    const cluster = running();
    const { result, says } = await run(cluster, {
      manifests: accounts,
      servers: loading(cluster, false),
      options: { ...options, rolloutTimeout: "1s" },
    });
    expect({ result, says }).toEqual({
      result: "done",
      says: [expect.stringMatching(/^nats-1 \(loaded at \d+\) did not take the new auth\.conf over/)],
    });
  });

  test("is not waited for where nothing changes for the servers", async () => {
    const { result, steps } = await run(running(), { manifests: { ...before, digest: "of the same" } });
    expect({ result, reloads: steps.filter(({ name }) => name === "reload") }).toEqual({ result: "done", reloads: [] });
  });
});
