import { describe, expect, test } from "vitest";
import { modelWith, realModel } from "../support/definitions.ts";
import { chartsOf, objectOf, objectsOf } from "../support/manifests.ts";

const production = objectsOf(realModel("production"));
const statefulSet = objectOf(production, "StatefulSet", "nats");
const pod = statefulSet.spec.template.spec;
const container = (name: string) => pod.containers.find((candidate: { name: string }) => candidate.name === name);

describe("the servers", () => {
  test("start together, keep their claims, and roll with a pause", () => {
    expect(statefulSet.spec).toMatchObject({
      replicas: 3,
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "RollingUpdate" },
      minReadySeconds: 30,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    });
    expect(statefulSet.spec.volumeClaimTemplates[0].spec).toEqual({
      accessModes: ["ReadWriteOnce"],
      storageClassName: "premium-rwo",
      resources: { requests: { storage: "50Gi" } },
    });
  });

  test("have their claim mounted in the server itself, where the configuration stores", () => {
    expect(container("nats").volumeMounts).toContainEqual({ name: "data", mountPath: "/data" });
    expect(objectOf(production, "ConfigMap", "nats-config").data?.["nats.conf"]).toContain('store_dir: "/data"');
  });

  test("store at most 80 % of the claim, so that JetStream refuses before the disk is full", () => {
    expect(objectOf(production, "ConfigMap", "nats-config").data?.["nats.conf"]).toContain("max_file_store: 40GiB");
  });

  test("find each other before they are ready", () => {
    expect(objectOf(production, "Service", "nats-headless").spec).toMatchObject({
      clusterIP: "None",
      publishNotReadyAddresses: true,
    });
  });

  test("stop within their grace: lame duck of 30 s and 10 s, and 20 s for the rest", () => {
    expect(pod.terminationGracePeriodSeconds).toBe(60);
    expect(container("nats").lifecycle.preStop.exec.command).toEqual(["nats-server", "-sl=ldm=/var/run/nats/nats.pid"]);
    const longer = modelWith({ environment: { nats: { lameDuck: { duration: "2m" } } } });
    expect(objectOf(objectsOf(longer), "StatefulSet", "nats").spec.template.spec.terminationGracePeriodSeconds).toBe(
      150,
    );
  });

  test("are probed for what each probe decides", () => {
    const { startupProbe, readinessProbe, livenessProbe } = container("nats");
    expect(startupProbe.exec.command).toEqual(["sh", "/etc/nats-config/startup-probe.sh"]);
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(1_800);
    expect(readinessProbe.httpGet).toEqual({ path: "/healthz?js-server-only=true", port: "monitor" });
    expect(livenessProbe.httpGet).toEqual({ path: "/healthz?js-enabled-only=true", port: "monitor" });
  });

  test("know their memory", () => {
    expect(container("nats").resources).toEqual({
      requests: { cpu: "2", memory: "8Gi", "ephemeral-storage": "512Mi" },
      limits: { memory: "8Gi", "ephemeral-storage": "512Mi" },
    });
    expect(container("nats").env).toContainEqual({ name: "GOMEMLIMIT", value: "6553MiB" });
  });

  test("lie in three zones and never on one node", () => {
    expect(pod.topologySpreadConstraints).toEqual([
      {
        maxSkew: 1,
        topologyKey: "topology.kubernetes.io/zone",
        whenUnsatisfiable: "DoNotSchedule",
        minDomains: 3,
        labelSelector: { matchLabels: { "app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "server" } },
      },
    ]);
    expect(pod.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution).toEqual([
      {
        labelSelector: { matchLabels: { "app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "server" } },
        topologyKey: "kubernetes.io/hostname",
      },
    ]);
  });

  test("lose one at a time to drains, and an unready one at once", () => {
    expect(objectOf(production, "PodDisruptionBudget", "nats").spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    });
  });
});

describe("sidecars", () => {
  test("the reloader signals the server, as the same user, for every file that can change", () => {
    expect(pod.shareProcessNamespace).toBe(true);
    expect(container("reloader").args.join(" ")).toBe(
      "-pid /var/run/nats/nats.pid -config /etc/nats-config/nats.conf -config /etc/nats-auth/auth.conf " +
        "-config /etc/nats-tls/server/tls.crt -config /etc/nats-tls/server/tls.key -config /etc/nats-tls/server/ca.crt " +
        "-config /etc/nats-tls/route/tls.crt -config /etc/nats-tls/route/tls.key -config /etc/nats-tls/route/ca.crt",
    );
  });

  test("the reloader has every file that nats.conf includes: without one it ends at its start, and nothing is ever reloaded", () => {
    const conf = objectOf(production, "ConfigMap", "nats-config").data?.["nats.conf"] ?? "";
    const included = [...conf.matchAll(/^\s*include \.\.\/(\S+)\/\S+$/gm)].map(([, folder]) => `/etc/${folder}`);
    expect(included).toEqual(["/etc/nats-key", "/etc/nats-auth"]);
    const mounted = container("reloader").volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
    expect(mounted).toEqual(expect.arrayContaining(included));
  });

  test("the exporter names servers, not keys that change at every start", () => {
    expect(container("exporter").args).toEqual([
      "-port=7777",
      "-prefix=nats",
      "-use_internal_server_name",
      "-varz",
      "-connz",
      "-routez",
      "-subz",
      "-accstatz",
      "-jsz=all",
      "http://127.0.0.1:8222/",
    ]);
  });
});

describe("a restart", () => {
  const annotation = (change: Parameters<typeof modelWith>[0]) =>
    objectOf(objectsOf(modelWith(change)), "StatefulSet", "nats").spec.template.metadata.annotations[
      "circl.dev/restart-config"
    ];
  const before = annotation({});

  test("follows what a reload cannot take over", () => {
    expect(annotation({ environment: { nats: { lameDuck: { grace: "5s" } } } })).not.toBe(before);
    expect(annotation({ environment: { nats: { volume: { size: "60GiB" } } } })).not.toBe(before);
  });

  test("does not follow what it can", () => {
    expect(annotation({ environment: { nats: { maxConnections: 6_000 } } })).toBe(before);
    expect(annotation({ environment: { nats: { maxPayload: "4MiB" } } })).toBe(before);
  });
});

describe("the network", () => {
  const policy = (name: string) => objectOf(production, "NetworkPolicy", name).spec;
  const port = (number: number) => [{ protocol: "TCP", port: number }];
  const servers = {
    podSelector: { matchLabels: { "app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "server" } },
  };

  test("is closed", () => {
    expect(policy("default-deny")).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  });

  test("lets declared services, the servers themselves and Prometheus in, and nobody at the monitoring port", () => {
    expect(policy("nats").ingress).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { "circl.dev/backbone-client": "true" } },
            podSelector: {
              matchExpressions: [
                { key: "circl.dev/service", operator: "In", values: ["bff", "dms", "geo", "iot", "oms"] },
              ],
            },
          },
        ],
        ports: port(4222),
      },
      { from: [servers], ports: port(6222) },
      {
        from: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
            podSelector: { matchLabels: { "app.kubernetes.io/name": "prometheus" } },
          },
        ],
        ports: port(7777),
      },
    ]);
  });

  test("lets servers out to each other and to DNS, on GKE too", () => {
    expect(policy("nats").egress).toEqual([
      { to: [servers], ports: port(6222) },
      {
        to: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
            podSelector: {
              matchExpressions: [{ key: "k8s-app", operator: "In", values: ["kube-dns", "node-local-dns"] }],
            },
          },
          { ipBlock: { cidr: "169.254.20.10/32" } },
          { ipBlock: { cidr: "169.254.169.254/32" } },
        ],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ]);
  });
});

describe("encryption at rest", () => {
  const [init] = pod.initContainers;

  test("the key is chosen before the server starts, and the running server never sees another", () => {
    expect(init.command).toEqual(["sh", "/etc/nats-config/encryption.sh"]);
    expect(init.args).toEqual(["aes", "/etc/nats-encryption", "/data", "/etc/nats-key/key.conf"]);
    const mounts = (container: { volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[] }) =>
      container.volumeMounts.filter(({ name }) => ["encryption", "key"].includes(name));
    expect(mounts(init)).toEqual([
      { name: "encryption", mountPath: "/etc/nats-encryption", readOnly: true },
      { name: "key", mountPath: "/etc/nats-key" },
    ]);
    expect(mounts(container("nats"))).toEqual([{ name: "key", mountPath: "/etc/nats-key", readOnly: true }]);
    expect(mounts(container("reloader"))).toEqual([{ name: "key", mountPath: "/etc/nats-key", readOnly: true }]);
    const volumes = Object.fromEntries(pod.volumes.map((volume: { name: string }) => [volume.name, volume]));
    expect(volumes.encryption.secret.secretName).toBe("nats-encryption-key");
    expect(volumes.key.emptyDir.medium).toBe("Memory");
  });

  test("nats.conf takes cipher and key from that file alone", () => {
    const conf = objectOf(production, "ConfigMap", "nats-config").data?.["nats.conf"];
    expect(conf).toMatch(/jetstream \{\n {2}store_dir: "\/data"\n {2}include \.\.\/nats-key\/key\.conf\n/);
    expect(conf).not.toMatch(/cipher|prev_encryption_key/);
    expect(conf).toMatch(/\ninclude \.\.\/nats-auth\/auth\.conf\nsystem_account: \$SYSTEM_ACCOUNT\n$/);
  });

  test("both keys come from the store as files", () => {
    const { data, target } = objectOf(production, "ExternalSecret", "nats-encryption-key").spec;
    expect(target.template.data).toEqual({ current: "{{ .current }}", previous: "{{ .previous }}" });
    expect(data).toEqual(
      ["current", "previous"].map((property) => ({
        secretKey: property,
        remoteRef: { key: "production-nats-encryption-key", property },
      })),
    );
  });

  test("local has none, and does not start on a volume that has", () => {
    const local = objectOf(objectsOf(realModel("local")), "StatefulSet", "nats").spec.template.spec;
    expect(local.initContainers[0].args[0]).toBe("none");
    expect(local.initContainers[0].volumeMounts.map(({ name }: { name: string }) => name)).toEqual(["config", "data"]);
  });
});

test("local is one server without TLS, operators or their kinds", () => {
  const charts = chartsOf(realModel("local"));
  expect(Object.keys(charts)).toEqual(["00-namespace", "10-network", "30-nats", "40-tile38", "55-dashboards"]);
  const kinds = new Set(
    Object.values(charts)
      .flat()
      .map(({ kind }) => kind),
  );
  for (const kind of ["ExternalSecret", "SecretStore", "Certificate", "Issuer", "ServiceMonitor", "PrometheusRule"]) {
    expect(kinds).not.toContain(kind);
  }
  const local = objectOf(Object.values(charts).flat(), "StatefulSet", "nats");
  expect(local.spec.replicas).toBe(1);
  expect(local.spec.template.spec.volumes.map(({ name }: { name: string }) => name)).toEqual(["config", "auth", "run"]);
});
