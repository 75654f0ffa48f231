/** The one server that takes writes. Nothing takes its place by itself: a second writer would be two histories. */
import { k8s } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { selectorLabels } from "../kubernetes/labels.ts";
import { TILE38 } from "../kubernetes/names.ts";
import { memory } from "../kubernetes/quantities.ts";
import type { Model } from "../model/resolve.ts";
import { MiB } from "../units.ts";
import { LEADER, serverLabels } from "./members.ts";
import { apart } from "./placement.ts";
import { podAnnotations, serverPod } from "./pod.ts";

export class Leader extends Construct {
  constructor(scope: Construct, id: string, { model }: { readonly model: Model }) {
    super(scope, id);
    const { volume, ...resources } = model.environment.tile38.leader;

    new k8s.KubeServiceAccount(this, "service-account", {
      metadata: { name: TILE38.leader },
      automountServiceAccountToken: false,
    });
    new k8s.KubePodDisruptionBudget(this, "disruption-budget", {
      metadata: { name: TILE38.leader },
      spec: {
        // A drain stops writes until the disk is attached elsewhere and the file is loaded. To forbid that would forbid drains.
        maxUnavailable: k8s.IntOrString.fromNumber(1),
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels: selectorLabels(LEADER) },
      },
    });
    new k8s.KubeStatefulSet(this, "server", {
      metadata: { name: TILE38.leader },
      spec: {
        serviceName: TILE38.leaderHeadlessService,
        replicas: 1,
        selector: { matchLabels: selectorLabels(LEADER) },
        // OrderedReady waits for ever for a pod that never gets ready, even with a corrected template at hand.
        podManagementPolicy: "Parallel",
        updateStrategy: { type: "RollingUpdate" },
        revisionHistoryLimit: 10,
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        template: {
          metadata: {
            labels: serverLabels(LEADER),
            annotations: {
              ...podAnnotations,
              // Saving a node is not worth an interruption of all writes.
              "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            },
          },
          spec: serverPod(model, {
            ...resources,
            role: "leader",
            serviceAccount: TILE38.leader,
            secret: TILE38.leaderSecret,
            ephemeralStorage: 256 * MiB,
            affinity: apart,
          }),
        },
        volumeClaimTemplates: [
          {
            metadata: { name: TILE38.dataClaim },
            spec: {
              accessModes: ["ReadWriteOnce"],
              ...(volume.storageClass ? { storageClassName: volume.storageClass } : {}),
              resources: { requests: { storage: memory(volume.size) } },
            },
          },
        ],
      },
    });
  }
}
