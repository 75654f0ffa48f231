/** The way back of a deploy that failed, and the reload that it may fail by. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { NatsServers } from "../../../src/cli/deployment.ts";
import type { KubeObject } from "../../../src/deploy/object.ts";
import { StepFailure } from "../../../src/deploy/step.ts";
import { ConnectionFailure } from "../../../src/jetstream/api.ts";
import {
  before,
  broken,
  confOf,
  crashes,
  edited,
  everyServer,
  namespace,
  options,
  reloading,
  restarting,
  run,
  running,
  serversOf,
} from "../../support/deployed-production.ts";
import type { FakeCluster } from "../../support/fake-cluster.ts";

// Progress, of two dozen deploys.
beforeAll(() => {
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
});
afterAll(() => {
  vi.restoreAllMocks();
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
      "ConfigMap there-before in circl-backbone is not part of what was put back: kubectl --context fake delete configmap there-before -n circl-backbone, if nothing needs it",
      "ExternalSecret new-secret in circl-backbone is not part of what was put back, and never deleted by circl: decide, and do it by hand",
    ]);
  });

  test("takes nats.conf back where the deploy failed before any server was restarted for it", async () => {
    const cluster = running();
    let refusals = 0;
    cluster.fault = (operation) => {
      if (operation !== "apply StatefulSet nats" || refusals++ > 0) return undefined;
      return { outcome: "refused", status: 403, says: "a webhook says no" };
    };
    const first = confOf(cluster);
    // As each refuses the whole file.
    const servers = serversOf(cluster, { loaded: async () => everyServer({ config_digest: first }) });
    const { result, says } = await run(cluster, { manifests: restarting, servers });
    expect({ result, says: says[0] }).toEqual({
      result: "rolled back",
      says: "StatefulSet nats was not applied: a webhook says no",
    });
    expect(cluster.written).toContain("apply ConfigMap nats-config");
    expect(confOf(cluster)).toContain('lame_duck_duration: "30s"');
    expect(cluster.written.filter((what) => what.startsWith("the controller"))).toEqual([]);
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

  test.each(["get ConfigMap circl-deploys", "try ConfigMap nats-config", "get StatefulSet nats"])(
    "waits for an API server that is away for a moment at %s",
    async (question) => {
      const cluster = breaking(running());
      let away = 0;
      const ready = () =>
        question.includes("circl-deploys") ||
        cluster.find("ConfigMap", "circl-deploys")?.data?.["deploys.json"]?.includes('"failed"');
      cluster.fault = (operation) => {
        if (operation !== question || away > 0 || !ready()) return undefined;
        away += 1;
        return new ConnectionFailure("503", { passing: true });
      };
      const { result } = await run(cluster, { pace: { interval: 1, silence: 60_000 } });
      expect({ result, away }).toEqual({ result: "rolled back", away: 1 });
    },
  );

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

  test("that replaces pods says of NATS that is not whole what it waits for", async () => {
    const cluster = running();
    const lacks = ["stream orders has no leader"];
    let failed = false;
    const servers = serversOf(cluster, { problems: async () => (failed ? lacks.splice(0) : []) });
    const { result } = await run(cluster, {
      servers,
      applyStreams: () => {
        failed = true;
        return Promise.reject(new StepFailure("devices: no"));
      },
    });
    expect(result).toBe("rolled back");
    expect(vi.mocked(process.stderr.write).mock.calls.flat()).toContain(
      "note: NATS is not whole: stream orders has no leader. No pod is replaced before it is; the rollback waits at most 60s for that and then fails. circl status production shows it\n",
    );
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

  test.each([
    [1, "a port that is not forwarded once", []],
    [
      Number.POSITIVE_INFINITY,
      "one that never is",
      ["nats-1 could not be asked before: look whether it took nats.conf over"],
    ],
  ])("is judged of a server whose answer is lost %d times, or said not to be: %s", async (times, _, left) => {
    const cluster = running();
    let looks = 0;
    const loaded = async () => {
      const all = everyServer({ config_digest: confOf(cluster) });
      return looks++ < times ? new Map([...all].filter(([pod]) => pod !== "nats-1")) : all;
    };
    const { result, says, steps } = await run(cluster, {
      ...{ manifests: reloading, options: { ...options, rolloutTimeout: "1s" } },
      servers: serversOf(cluster, { loaded }),
    });
    expect({ result, says }).toEqual({ result: "done", says: left });
    expect(steps.find(({ name }) => name === "reload")?.says).toEqual([
      `${3 - left.length} servers run with the new configuration`,
    ]);
  });

  test("is no question for a server that could not be asked before and was restarted for it", async () => {
    const cluster = running();
    const loaded = async () => new Map([["nats-0", { config_digest: confOf(cluster) }]]);
    const { result, says } = await run(cluster, {
      ...{ manifests: restarting, options: { ...options, rolloutTimeout: "5s" } },
      servers: serversOf(cluster, { loaded }),
    });
    expect({ result, says }).toEqual({ result: "done", says: [] });
  });

  test("is not waited for where nothing changes for the servers", async () => {
    const cluster = running();
    const live = cluster.find("ExternalSecret", "nats-auth");
    if (!live) throw new Error("there is no ExternalSecret nats-auth");
    // As the API server keeps it.
    const template = { ...live.spec.target.template, mergePolicy: "Replace" };
    cluster.put({ ...live, spec: { ...live.spec, target: { ...live.spec.target, template } } });
    const { result, steps } = await run(cluster, { manifests: { ...before, digest: "of the same" } });
    expect({ result, reloads: steps.filter(({ name }) => name === "reload") }).toEqual({ result: "done", reloads: [] });
  });
});
