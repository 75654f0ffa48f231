import { describe, expect, test } from "vitest";
import { podsOf } from "../../src/rules/manifests/manifest.ts";
import { modelWith, realModel } from "../support/definitions.ts";
import { objectOf, objectsOf } from "../support/manifests.ts";

const production = objectsOf(realModel("production"));
const leader = objectOf(production, "StatefulSet", "tile38-leader").spec;
const followers = objectOf(production, "StatefulSet", "tile38-follower").spec;
const job = objectOf(production, "CronJob", "tile38-aof-shrink").spec;
const container = (set: typeof leader) => set.template.spec.containers[0];
const isTile38 = ({ metadata }: { metadata: { name: string } }) => metadata.name.startsWith("tile38");

describe("the leader", () => {
  test("is one, keeps its claim, and can be mended while it does not start", () => {
    expect(leader).toMatchObject({
      replicas: 1,
      serviceName: "tile38-leader-headless",
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "RollingUpdate" },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    });
    expect(leader.volumeClaimTemplates).toEqual([
      {
        metadata: { name: "data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "premium-rwo",
          resources: { requests: { storage: "50Gi" } },
        },
      },
    ]);
    const local = objectOf(objectsOf(realModel("local")), "StatefulSet", "tile38-leader").spec;
    expect(local.volumeClaimTemplates[0].spec).not.toHaveProperty("storageClassName");
  });

  test("prepares at every start of its container, not once for its pod", () => {
    expect(leader.template.spec).not.toHaveProperty("initContainers");
    expect(container(leader).command).toEqual([
      "sh",
      "/etc/tile38-scripts/prepare.sh",
      "leader",
      "/etc/tile38/config",
      "/run/tile38/config",
      "/data/appendonly.aof",
      "tile38-server",
    ]);
    expect(container(leader).args.join(" ")).toBe(
      "-p 9851 -d /run/tile38 --appendfilename /data/appendonly.aof --queuefilename /data/queue.db --metrics-addr :4321 -l json",
    );
  });

  test("reads its password from a Secret, and keeps it in memory", () => {
    expect(leader.template.spec.volumes).toEqual([
      { name: "document", secret: { secretName: "tile38-leader-config", defaultMode: 0o440 } },
      { name: "scripts", configMap: { name: "tile38-scripts" } },
      { name: "run", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    ]);
    expect(container(leader).volumeMounts).toEqual([
      { name: "document", mountPath: "/etc/tile38", readOnly: true },
      { name: "scripts", mountPath: "/etc/tile38-scripts", readOnly: true },
      { name: "run", mountPath: "/run/tile38" },
      { name: "data", mountPath: "/data" },
    ]);
  });

  test("knows its memory and its processors", () => {
    expect(container(leader).env).toEqual([
      { name: "GOMEMLIMIT", value: "1331MiB" },
      { name: "GOMAXPROCS", value: "2" },
    ]);
    expect(container(leader).resources).toEqual({
      requests: { cpu: "1", memory: "2Gi", "ephemeral-storage": "256Mi" },
      limits: { memory: "2Gi", "ephemeral-storage": "256Mi" },
    });
  });

  test("is not evicted to save a node", () => {
    expect(leader.template.metadata.annotations).toMatchObject({
      "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    });
    expect(followers.template.metadata.annotations).not.toHaveProperty(
      "cluster-autoscaler.kubernetes.io/safe-to-evict",
    );
  });
});

describe("followers", () => {
  test("own nothing that outlives them", () => {
    expect(followers).toMatchObject({
      replicas: 2,
      serviceName: "tile38-follower-headless",
      podManagementPolicy: "Parallel",
    });
    expect(followers).not.toHaveProperty("volumeClaimTemplates");
    expect(followers.template.spec.volumes).toContainEqual({ name: "data", emptyDir: { sizeLimit: "20Gi" } });
    expect(followers.template.spec.volumes[0].secret.secretName).toBe("tile38-follower-config");
    expect(container(followers).command[2]).toBe("follower");
  });

  test("have room for data and log together, which the kubelet counts as one", () => {
    expect(container(followers).resources.limits).toEqual({ memory: "2Gi", "ephemeral-storage": "20736Mi" });
  });

  test("spread over zones, and never bind the leader, whose disk lies in one", () => {
    const zones = (environment: "production" | "staging") =>
      objectOf(objectsOf(realModel(environment)), "StatefulSet", "tile38-follower").spec.template.spec
        .topologySpreadConstraints;
    expect(zones("production")).toEqual([
      {
        maxSkew: 1,
        topologyKey: "topology.kubernetes.io/zone",
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchLabels: { "circl.dev/tile38": "server" } },
      },
    ]);
    expect(zones("staging")).toMatchObject([{ whenUnsatisfiable: "ScheduleAnyway" }]);
    expect(leader.template.spec).not.toHaveProperty("topologySpreadConstraints");
    for (const set of [leader, followers]) {
      expect(set.template.spec.affinity).toEqual({
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              podAffinityTerm: {
                topologyKey: "kubernetes.io/hostname",
                labelSelector: { matchLabels: { "circl.dev/tile38": "server" } },
              },
            },
          ],
        },
      });
    }
  });

  test("may be none: then nothing of them is there and reads go to the leader", () => {
    const alone = objectsOf(modelWith({ environment: { tile38: { followers: { count: 0 } } } }));
    const names = alone.filter(isTile38).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(names.filter((name) => name.includes("follower"))).toEqual([]);
    expect(JSON.stringify(objectOf(alone, "NetworkPolicy", "tile38-leader"))).not.toContain("follower");
    expect(objectOf(alone, "Service", "tile38-read").spec.selector).toEqual({ "circl.dev/tile38": "server" });
  });
});

describe.each([
  ["leader", leader],
  ["followers", followers],
])("every server (%s)", (_, set) => {
  test("lives while it answers and serves while it is level", () => {
    expect(container(set)).toMatchObject({
      startupProbe: {
        httpGet: { path: "/ping", port: "tile38" },
        periodSeconds: 2,
        timeoutSeconds: 3,
        failureThreshold: 30,
      },
      livenessProbe: {
        httpGet: { path: "/ping", port: "tile38" },
        periodSeconds: 10,
        timeoutSeconds: 3,
        failureThreshold: 6,
      },
      readinessProbe: {
        httpGet: { path: "/healthz", port: "tile38" },
        periodSeconds: 5,
        timeoutSeconds: 3,
        failureThreshold: 2,
      },
    });
  });

  test("waits before it closes its listener, and has time to sync its file", () => {
    expect(container(set).lifecycle.preStop.exec.command).toEqual(["sleep", "5"]);
    expect(set.template.spec.terminationGracePeriodSeconds).toBe(60);
  });

  test("says in its status why it did not start", () => {
    expect(container(set).terminationMessagePolicy).toBe("FallbackToLogsOnError");
  });
});

test.each(["tile38-leader", "tile38-follower"])(
  "%s loses one pod at a time to drains, and an unready one at once",
  (name) => {
    expect(objectOf(production, "PodDisruptionBudget", name).spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    });
  },
);

describe("Services", () => {
  const service = (name: string) => objectOf(production, "Service", name);
  const selectedBy = (name: string) =>
    podsOf(production)
      .filter(({ labels }) =>
        Object.entries(service(name).spec.selector).every(([key, value]) => labels[key] === value),
      )
      .map(({ owner }) => owner.metadata.name);

  test.each([
    ["tile38", ["tile38-leader"]],
    ["tile38-read", ["tile38-leader", "tile38-follower"]],
    ["tile38-metrics", ["tile38-leader", "tile38-follower"]],
    ["tile38-leader-headless", ["tile38-leader"]],
    ["tile38-follower-headless", ["tile38-follower"]],
  ])("%s reaches %j and never the job", (name, expected) => {
    expect(selectedBy(name)).toEqual(expected);
  });

  test("those of clients name ready servers only, those of operators and Prometheus all", () => {
    for (const name of ["tile38", "tile38-read"]) {
      expect(service(name).spec).not.toHaveProperty("publishNotReadyAddresses");
      expect(service(name).spec.ports).toEqual([
        { name: "tile38", port: 9851, targetPort: "tile38", protocol: "TCP", appProtocol: "tcp" },
      ]);
    }
    for (const name of ["tile38-leader-headless", "tile38-follower-headless", "tile38-metrics"]) {
      expect(service(name).spec).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: true });
    }
  });

  test("one alone is labelled for the monitor, so that no server is scraped twice", () => {
    const labelled = production.filter(
      ({ kind, metadata }) => kind === "Service" && metadata.labels?.["app.kubernetes.io/component"] === "metrics",
    );
    expect(labelled.filter(isTile38).map(({ metadata }) => metadata.name)).toEqual(["tile38-metrics"]);
    expect(service("tile38-metrics").spec.ports).toMatchObject([{ name: "metrics", port: 4321 }]);
  });
});

describe("the shrink job", () => {
  test("never runs twice at a time, gives up in good time, and tells by failing", () => {
    expect(job).toMatchObject({
      schedule: "17 * * * *",
      timeZone: "Etc/UTC",
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 300,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: { spec: { backoffLimit: 1, activeDeadlineSeconds: 1_320 } },
    });
    expect(job.jobTemplate.spec.template.spec.restartPolicy).toBe("Never");
  });

  test("asks the leader, with its document, from 2 GiB on, for ten minutes", () => {
    const [shrink] = job.jobTemplate.spec.template.spec.containers;
    expect([...shrink.command, ...shrink.args]).toEqual([
      "sh",
      "/etc/tile38-scripts/shrink.sh",
      "tile38.circl-backbone.svc.cluster.local",
      "9851",
      "/etc/tile38/config",
      "2147483648",
      "600",
    ]);
    expect(shrink).not.toHaveProperty("env");
    expect(job.jobTemplate.spec.template.spec.volumes[0]).toEqual({
      name: "document",
      secret: { secretName: "tile38-leader-config", defaultMode: 0o440 },
    });
  });
});

test("everything has an account of its own, without a token", () => {
  expect(
    podsOf(production)
      .filter(({ owner }) => isTile38(owner))
      .map(({ spec }) => spec.serviceAccountName),
  ).toEqual(["tile38-leader", "tile38-follower", "tile38-aof-shrink"]);
  for (const name of ["tile38-leader", "tile38-follower", "tile38-aof-shrink"]) {
    expect(objectOf(production, "ServiceAccount", name)).toMatchObject({ automountServiceAccountToken: false });
  }
});

describe("a restart", () => {
  const annotation = (objects: typeof production, name: string) =>
    objectOf(objects, "StatefulSet", name).spec.template.metadata.annotations["circl.dev/start-script"];

  test("follows a new start script, which both kinds of servers share", () => {
    expect(annotation(production, "tile38-leader")).toMatch(/^[0-9a-f]{16}$/);
    expect(annotation(production, "tile38-leader")).toBe(annotation(production, "tile38-follower"));
  });

  test("does not follow a change of the job", () => {
    const changed = objectsOf(modelWith({ environment: { tile38: { shrink: { above: "1GiB" } } } }));
    expect(objectOf(changed, "StatefulSet", "tile38-leader").spec).toEqual(leader);
  });
});
