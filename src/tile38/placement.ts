/** On which nodes the servers go. */
import type { k8s } from "cdk8s-plus-28";
import type { Environment } from "../model/environment.ts";
import { SERVER_LABELS } from "./members.ts";

/**
 * Leader and followers keep apart where they can. Never required: the leader's disk lies in one zone, and a follower on the
 * only free node there would keep it from starting for good.
 */
export const apart: k8s.Affinity = {
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        weight: 100,
        podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: SERVER_LABELS } },
      },
    ],
  },
};

/** Followers go into the zones with the fewest servers, the leader counted. It has no such rule itself, for the same reason. */
export const overZones = ({ kubernetes }: Environment): k8s.TopologySpreadConstraint[] => [
  {
    maxSkew: 1,
    topologyKey: "topology.kubernetes.io/zone",
    whenUnsatisfiable: kubernetes.zoneSpread === "required" ? "DoNotSchedule" : "ScheduleAnyway",
    labelSelector: { matchLabels: SERVER_LABELS },
  },
];
