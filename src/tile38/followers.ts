/** Servers that answer reads. They fetch everything from the leader at every start, so they own nothing. */
import { k8s } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { selectorLabels } from "../kubernetes/labels.ts";
import { TILE38 } from "../kubernetes/names.ts";
import { memory } from "../kubernetes/quantities.ts";
import type { Model } from "../model/resolve.ts";
import { MiB } from "../units.ts";
import { FOLLOWER, serverLabels } from "./members.ts";
import { apart, overZones } from "./placement.ts";
import { podAnnotations, serverPod } from "./pod.ts";

export class Followers extends Construct {
  constructor(scope: Construct, id: string, { model }: { readonly model: Model }) {
    super(scope, id);
    const { environment } = model;
    const { count, scratch, ...resources } = environment.tile38.followers;

    new k8s.KubeServiceAccount(this, "service-account", {
      metadata: { name: TILE38.followers },
      automountServiceAccountToken: false,
    });
    new k8s.KubePodDisruptionBudget(this, "disruption-budget", {
      metadata: { name: TILE38.followers },
      spec: {
        maxUnavailable: k8s.IntOrString.fromNumber(1),
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels: selectorLabels(FOLLOWER) },
      },
    });
    new k8s.KubeStatefulSet(this, "servers", {
      metadata: { name: TILE38.followers },
      spec: {
        serviceName: TILE38.followersHeadlessService,
        replicas: count,
        selector: { matchLabels: selectorLabels(FOLLOWER) },
        // No follower waits for another, and OrderedReady would stop at the first that never gets ready.
        podManagementPolicy: "Parallel",
        updateStrategy: { type: "RollingUpdate" },
        revisionHistoryLimit: 10,
        template: {
          metadata: { labels: serverLabels(FOLLOWER), annotations: podAnnotations },
          spec: serverPod(model, {
            ...resources,
            role: "follower",
            serviceAccount: TILE38.followers,
            secret: TILE38.followersSecret,
            // The kubelet counts data and log together.
            ephemeralStorage: scratch + 256 * MiB,
            // A disk that outlives the pod would bring back objects that were deleted meanwhile (tidwall/tile38#688, #740).
            dataVolume: { name: TILE38.dataClaim, emptyDir: { sizeLimit: memory(scratch) } },
            affinity: apart,
            topologySpreadConstraints: overZones(environment),
          }),
        },
      },
    });
  }
}
