/** Production in a cluster in memory, as a deploy has left it, and deploys of what comes next. */
import { type DeployTask, deploy } from "../../src/cli/deploying.ts";
import type { NatsServers } from "../../src/cli/deployment.ts";
import { manifestsIn } from "../../src/cli/manifest-source.ts";
import { compareLive } from "../../src/deploy/live-comparison.ts";
import type { KubeObject } from "../../src/deploy/object.ts";
import { type Deployment, deploymentsIn, recordOf } from "../../src/deploy/record.ts";
import type { Loaded, LoadedByPod } from "../../src/deploy/reload.ts";
import { ConnectionFailure } from "../../src/jetstream/api.ts";
import { root } from "../cli/circl.ts";
import { realModel } from "./definitions.ts";
import { type FakeCluster, fakeCluster } from "./fake-cluster.ts";

export const model = realModel("production");
export const { namespace } = model.environment.kubernetes;
/** As a deploy takes them; `previous` is where `before` lies. */
export const options = { timeout: "1000", rolloutTimeout: "60s", previous: `${root}/dist` };
/** What is deployed. */
export const before = manifestsIn(`${root}/dist`, "production");

/** Its manifests with another text. */
export const edited = (edit: (text: string) => string) => ({
  digest: "of the new",
  objects: before.objects.map((object) => JSON.parse(edit(JSON.stringify(object))) as KubeObject),
});
/** Pods of NATS that never get ready. */
export const broken = edited((text) => text.replaceAll(/nats:(\d+\.\d+)\.\d+-alpine/g, "nats:$1.99-alpine"));
/** Whether a pod template is one of `broken`. */
export const crashes = (template: unknown) => JSON.stringify(template).includes(".99-alpine");
/** A nats.conf that a reload takes over. */
export const reloading = edited((text) => text.replace("max_payload: 8MiB", "max_payload: 4MiB"));

/** A nats.conf that only a restart takes over, and pods that are restarted for it. */
export const restarting = edited((text) =>
  text
    .replace('lame_duck_duration: \\"30s\\"', 'lame_duck_duration: \\"60s\\"')
    .replace(/("circl\.dev\/restart-config":)"[^"]+"/, '$1"of the new"'),
);

const done: Deployment = {
  kind: "deploy",
  commit: "b".repeat(40),
  digest: before.digest,
  who: "alice",
  started: "2026-11-22T09:00:00.000Z",
  result: "done",
};

/** Production as `before` has left it. */
export function running(deployments: readonly Deployment[] = [done]): FakeCluster {
  const cluster = fakeCluster([...before.objects, recordOf(deployments, namespace, undefined)]);
  cluster.settle();
  return cluster;
}

/** Production with what is not ours: its storage class and the namespaces of services. */
export function production(allowVolumeExpansion = true): FakeCluster {
  const cluster = running();
  cluster.put({
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "premium-rwo", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    ...{ allowVolumeExpansion },
  });
  for (const { metadata } of before.objects) {
    if (metadata.namespace && metadata.namespace !== namespace)
      cluster.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: metadata.namespace } });
  }
  return cluster;
}

/** The nats.conf that the cluster has. */
export const confOf = (cluster: FakeCluster): string =>
  cluster.find("ConfigMap", "nats-config")?.data?.["nats.conf"] ?? "";

/** What each server says. */
export const everyServer = (loaded: Loaded): LoadedByPod => new Map([0, 1, 2].map((i) => [`nats-${i}`, loaded]));

/** Servers that have what they should and take over every nats.conf at once. */
export const serversOf = (cluster: FakeCluster, more: Partial<NatsServers> = {}): NatsServers => ({
  connection: async () => options,
  observe: () => Promise.reject(new ConnectionFailure("nobody listens", {})),
  problems: async () => [],
  loaded: async () => everyServer({ config_digest: confOf(cluster) }),
  [Symbol.dispose]: () => {},
  ...more,
});

/** Deploys `broken`, unless another task is given, and tells how it ended and what was recorded. */
export async function run(cluster: FakeCluster, more: Partial<DeployTask> = {}) {
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
