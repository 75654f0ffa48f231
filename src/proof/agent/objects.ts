/** Objects of Kubernetes as its server hands them out: what every stored object has is there, and so are its defaults. */
import type * as core from "kubernetes-types/core/v1.d.ts";
import type * as discovery from "kubernetes-types/discovery/v1.d.ts";
import type { ObjectMeta } from "kubernetes-types/meta/v1.d.ts";
import type * as networking from "kubernetes-types/networking/v1.d.ts";

export type { ContainerState, PodCondition as Condition, Probe, Volume } from "kubernetes-types/core/v1.d.ts";
export type { LabelSelector as Selector } from "kubernetes-types/meta/v1.d.ts";
export type { NetworkPolicyPeer as Peer, NetworkPolicyPort as PolicyPort } from "kubernetes-types/networking/v1.d.ts";

interface Metadata extends ObjectMeta {
  readonly name: string;
  readonly uid: string;
}
export interface KubeObject {
  readonly metadata: Metadata;
}
interface Named {
  readonly metadata: Metadata & { readonly namespace: string };
}

export interface Container extends core.Container {
  readonly image: string;
}
export interface PodSpec extends core.PodSpec {
  readonly restartPolicy: "Always" | "OnFailure" | "Never";
  readonly terminationGracePeriodSeconds: number;
  readonly initContainers?: Container[];
  readonly containers: Container[];
}
export interface Pod extends Named {
  readonly spec: PodSpec;
  readonly status: core.PodStatus & { readonly phase: string };
}

export type ConfigMap = core.ConfigMap & Named;
/** Values are base64. */
export type Secret = core.Secret & Named;
export type Service = core.Service & Named & { readonly spec: core.ServiceSpec };
/** Endpoints are null where there is none. */
export type EndpointSlice = Omit<discovery.EndpointSlice, "endpoints"> &
  Named & { readonly endpoints: discovery.Endpoint[] | null };
export type NetworkPolicy = Named & { readonly spec: networking.NetworkPolicySpec };

export interface Claim extends Named {
  readonly spec: core.PersistentVolumeClaimSpec & {
    readonly resources: { readonly requests: { readonly storage: string } };
  };
  readonly status: core.PersistentVolumeClaimStatus;
}
export interface PersistentVolume extends KubeObject {
  readonly spec: core.PersistentVolumeSpec;
  readonly status: core.PersistentVolumeStatus;
}
