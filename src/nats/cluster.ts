/** The NATS cluster: configuration, servers, their Services and what protects them from drains. */
import { createHash } from "node:crypto";
import { k8s } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { podLabels, selectorLabels } from "../kubernetes/labels.ts";
import { NATS } from "../kubernetes/names.ts";
import { memory } from "../kubernetes/quantities.ts";
import type { Model } from "../model/resolve.ts";
import { encryptionScript } from "./encryption-script.ts";
import { natsPod, SERVER } from "./pod.ts";
import { renderServerConfig, restartConfig } from "./server-config.ts";
import { NatsServices } from "./services.ts";
import { startupProbe } from "./startup-probe.ts";

export class NatsCluster extends Construct {
  constructor(scope: Construct, id: string, { model }: { readonly model: Model }) {
    super(scope, id);
    const { nats } = model.environment;

    new k8s.KubeServiceAccount(this, "service-account", {
      metadata: { name: NATS.name },
      automountServiceAccountToken: false,
    });
    new k8s.KubeConfigMap(this, "config", {
      metadata: { name: NATS.configMap },
      data: {
        "nats.conf": renderServerConfig(model),
        "startup-probe.sh": startupProbe,
        "encryption.sh": encryptionScript,
      },
    });
    new NatsServices(this, "services");
    new k8s.KubePodDisruptionBudget(this, "disruption-budget", {
      metadata: { name: NATS.name },
      spec: {
        maxUnavailable: k8s.IntOrString.fromNumber(1),
        // A server that never became ready must not block the drain of its node.
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels: selectorLabels(SERVER) },
      },
    });
    new k8s.KubeStatefulSet(this, "servers", {
      metadata: { name: NATS.name },
      spec: {
        serviceName: NATS.headlessService,
        replicas: nats.servers,
        selector: { matchLabels: selectorLabels(SERVER) },
        // One after the other would never start: the first server is healthy only with a quorum (nats-io/k8s#594).
        podManagementPolicy: "Parallel",
        updateStrategy: { type: "RollingUpdate" },
        // A server may report health before it knows how far it lags (nats-server#4875).
        minReadySeconds: 30,
        revisionHistoryLimit: 10,
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        template: {
          metadata: {
            labels: podLabels(SERVER),
            annotations: {
              "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
              // Restarts the servers for what a reload cannot take over, and only then.
              "circl.dev/restart-config": digest(restartConfig(model)),
            },
          },
          spec: natsPod(model),
        },
        volumeClaimTemplates: [
          {
            metadata: { name: NATS.dataClaim },
            spec: {
              accessModes: ["ReadWriteOnce"],
              ...(nats.volume.storageClass ? { storageClassName: nats.volume.storageClass } : {}),
              resources: { requests: { storage: memory(nats.volume.size) } },
            },
          },
        ],
      },
    });
  }
}

const digest = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
