/** What every pod and container here has in common: Pod Security "restricted", no token, nothing writable but its volumes. */
import { k8s } from "cdk8s-plus-28";
import type { Environment } from "../model/environment.ts";
import { PRIORITY_CLASS } from "./names.ts";
import { memory } from "./quantities.ts";

/** At least 10000, so that it is no user of the node; all containers of a pod share it because the reloader signals the server. */
export const USER = 10001;

type PodSpec = Omit<k8s.PodSpec, "securityContext" | "automountServiceAccountToken" | "enableServiceLinks">;
type Container = Omit<k8s.Container, "securityContext" | "resources" | "image" | "imagePullPolicy"> & {
  readonly image: string;
  /** CPU is requested only: throttling would look like a lost node. Memory and ephemeral storage are request and limit. */
  readonly resources: { readonly cpu: string; readonly memory: number; readonly ephemeralStorage: number };
};

export const hardenedPod = (spec: PodSpec): k8s.PodSpec => ({
  ...spec,
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  priorityClassName: spec.priorityClassName ?? PRIORITY_CLASS,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: USER,
    runAsGroup: USER,
    fsGroup: USER,
    // The volumes hold many files; changing their owner at every start would take minutes.
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  },
});

export const hardenedContainer = ({ resources, ...container }: Container): k8s.Container => {
  const bounded = {
    memory: memory(resources.memory),
    "ephemeral-storage": memory(resources.ephemeralStorage),
  };
  return {
    ...container,
    imagePullPolicy: "IfNotPresent",
    resources: { requests: { cpu: k8s.Quantity.fromString(resources.cpu), ...bounded }, limits: bounded },
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
    },
  };
};

/** `docker.io/nats:2.14.9-alpine`, with the digest where the environment names one. */
export function imageReference(environment: Environment, name: "nats" | "reloader" | "exporter" | "tile38"): string {
  const { registry } = environment.images;
  const { repository, tag, digest } = environment.images[name];
  return `${registry}/${repository}:${tag}${digest ? `@${digest}` : ""}`;
}

/** Secrets are readable by the pod's group and nobody else. */
export const SECRET_MODE = 0o440;
