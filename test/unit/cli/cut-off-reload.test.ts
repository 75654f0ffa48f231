/** A deploy that was cut off between a new nats.conf and the look whether the servers took it over, and the one after it. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { NatsServers } from "../../../src/cli/deployment.ts";
import type { KubeObject } from "../../../src/deploy/object.ts";
import { ConnectionFailure } from "../../../src/jetstream/api.ts";
import {
  before,
  confOf,
  edited,
  everyServer,
  options,
  reloading,
  run,
  running,
  serversOf,
} from "../../support/deployed-production.ts";
import type { FakeCluster } from "../../support/fake-cluster.ts";

// Progress, of half a dozen deploys.
beforeAll(() => {
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
});
afterAll(() => {
  vi.restoreAllMocks();
});

const impatient = { ...options, rolloutTimeout: "1s" };

/** Servers that take nothing over: what they run with is what the cluster had when they were made. */
function refusing(cluster: FakeCluster): NatsServers {
  const first = confOf(cluster);
  return serversOf(cluster, { loaded: async () => everyServer({ config_digest: first }) });
}

/** Deploys `reloading` to a cluster whose API server is away for good once `written` was written. */
async function cutOff(written: string, having = refusing) {
  const cluster = running();
  const servers = having(cluster);
  cluster.fault = (operation) =>
    cluster.written.includes(written) && !operation.includes("circl-deploys")
      ? new ConnectionFailure("the server is away", { passing: true })
      : undefined;
  const { result, newest } = await run(cluster, { manifests: reloading, servers, options: impatient });
  expect(result).toBe("failed");
  cluster.fault = () => undefined;
  return { cluster, servers, newest };
}

const others = { ...edited((text) => text.replace("max_payload: 8MiB", "max_payload: 2MiB")), digest: "of others" };

describe("a nats.conf that was applied, and then the deploy was cut off", () => {
  test("is waited for by the next deploy, which does not call well what no server took over", async () => {
    const { cluster, servers, newest } = await cutOff("apply ConfigMap nats-config");
    expect(confOf(cluster)).toContain("max_payload: 4MiB");
    expect(newest?.reload).toMatchObject({
      what: "keys",
      before: [
        ["nats-0", {}],
        ["nats-1", {}],
        ["nats-2", {}],
      ],
    });
    const { result, says } = await run(cluster, { manifests: reloading, servers, options: impatient });
    expect(result).toBe("rolled back");
    expect(says[0]).toMatch(/^nats-0 .* did not take the new nats\.conf over/);
    expect(confOf(cluster)).toContain("max_payload: 8MiB");
  });

  test("is seen by the next deploy where the servers have it by then, and after that by none", async () => {
    const { cluster } = await cutOff("apply ConfigMap nats-config");
    const { result, steps, newest } = await run(cluster, { manifests: reloading });
    expect({ result, reload: newest?.reload }).toEqual({ result: "done", reload: undefined });
    expect(steps.find(({ name }) => name === "reload")?.says).toEqual(["3 servers run with the new configuration"]);
    const again = await run(cluster, { manifests: reloading });
    expect({ result: again.result, reloads: again.steps.filter(({ name }) => name === "reload") }).toEqual({
      result: "done",
      reloads: [],
    });
  });
});

describe("a nats.conf of before that is deployed again after it was replaced and then the deploy was cut off", () => {
  test.each([
    ["", [], "4MiB"],
    [", and another one after it", [others], "2MiB"],
  ])("is what servers have that never took the other over%s", async (_, between, left) => {
    const { cluster, servers } = await cutOff("apply ConfigMap nats-config");
    for (const manifests of between) {
      cluster.fault = (operation) =>
        operation === "apply Service nats" ? new ConnectionFailure("the server is away", {}) : undefined;
      expect((await run(cluster, { manifests, servers, options: impatient })).result).toBe("failed");
      cluster.fault = () => undefined;
    }
    expect(confOf(cluster)).toContain(`max_payload: ${left}`);
    const { result, steps } = await run(cluster, { manifests: before, servers, options: impatient });
    expect(result).toBe("done");
    expect(steps.find(({ name }) => name === "reload")?.says).toEqual(["3 servers run with the new configuration"]);
  });

  test("is known by the time of its load where servers say nothing else, or only comments differ", async () => {
    const servers = (cluster: FakeCluster) =>
      serversOf(cluster, { loaded: async () => everyServer({ config_load_time: "at nine" }) });
    const { cluster } = await cutOff("apply ConfigMap nats-config", servers);
    const { result } = await run(cluster, { manifests: before, servers: servers(cluster), options: impatient });
    expect(result).toBe("done");
  });

  test("is not taken for loaded by a server that runs with something else", async () => {
    const { cluster } = await cutOff("apply ConfigMap nats-config");
    const loaded = async () => everyServer({ config_digest: "of neither" });
    const servers = serversOf(cluster, { loaded });
    const { result, says } = await run(cluster, { manifests: before, servers, options: impatient });
    expect(result).toBe("failed");
    expect(says[0]).toMatch(/^nats-0 .* did not take the new nats\.conf over/);
  });
});

describe("a nats.conf that comes after one whose deploy was cut off", () => {
  /** Servers that take over what was cut off at their third look, and never what comes after it. */
  const late = (cluster: FakeCluster): NatsServers => {
    const [old, cut] = [before, reloading].map(({ objects }) => objects.find(isConf)?.data?.["nats.conf"] ?? "");
    let looks = 0;
    return serversOf(cluster, {
      loaded: async () => everyServer({ config_digest: (looks++ < 3 ? old : cut) as string }),
    });
  };
  const isConf = ({ kind, metadata }: KubeObject) => kind === "ConfigMap" && metadata.name === "nats-config";

  test("is not taken for loaded where the other one comes late", async () => {
    const { cluster } = await cutOff("apply ConfigMap nats-config");
    const servers = late(cluster);
    const { result, says, steps } = await run(cluster, { manifests: others, servers, options: impatient });
    expect(steps.find(({ name }) => name === "reload of before")?.says).toEqual([
      "3 servers have taken over what an earlier run brought",
    ]);
    expect(says[0]).toMatch(/^nats-0 .* did not take the new nats\.conf over/);
    expect(result).not.toBe("done");
  });

  test("is put back to what was there before both, and no server counts that has the one that was cut off", async () => {
    const { cluster } = await cutOff("apply ConfigMap nats-config");
    // Every server has taken it over, and takes nothing any more.
    const loaded = async () => everyServer({ config_digest: "of the one that was cut off" });
    const servers = serversOf(cluster, { loaded });
    const { result, says, record } = await run(cluster, { manifests: others, servers, options: impatient });
    expect({ result, newest: record[0] }).toEqual({ result: "failed", newest: "rollback b failed" });
    expect(says[1]).toMatch(/^nats-0 .* did not take the new nats\.conf over/);
  });

  test("is not preceded by a wait for servers of which none could be asked before", async () => {
    const silent = (cluster: FakeCluster) => serversOf(cluster, { loaded: async () => new Map() });
    const { cluster, newest } = await cutOff("apply ConfigMap nats-config", silent);
    expect(newest?.reload).toMatchObject({ before: [], unasked: ["nats-0", "nats-1", "nats-2"] });
    const { result, steps } = await run(cluster, { manifests: others, options: impatient });
    expect({ result, names: steps.map(({ name }) => name) }).toEqual({
      result: "done",
      names: expect.not.arrayContaining(["reload of before"]),
    });
  });

  test("is applied all the same where no server takes the other one", async () => {
    const { cluster, servers } = await cutOff("apply ConfigMap nats-config");
    const loaded = async () =>
      confOf(cluster).includes("max_payload: 2MiB")
        ? everyServer({ config_digest: "of others" })
        : await servers.loaded();
    const { result, steps } = await run(cluster, {
      ...{ manifests: others, options: impatient },
      servers: serversOf(cluster, { loaded }),
    });
    expect(result).toBe("done");
    expect(steps.find(({ name }) => name === "reload of before")?.says).toEqual([
      expect.stringMatching(/^nats-0 .* did not take the new nats\.conf over/),
    ]);
  });
});

test("a nats.conf that was to come and did not is waited for by nobody who deploys what is there", async () => {
  const { cluster, servers, newest } = await cutOff("apply Namespace circl-backbone");
  expect(newest?.reload).toBeDefined();
  expect(confOf(cluster)).toContain("max_payload: 8MiB");
  const { result, steps } = await run(cluster, { manifests: before, servers, options: impatient });
  expect({ result, reloads: steps.filter(({ name }) => name === "reload") }).toEqual({ result: "done", reloads: [] });
});
