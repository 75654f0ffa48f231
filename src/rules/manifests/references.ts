/** Names that one object gives another. The API server takes every one of them; the pod then waits for ever. */
import { mountedSecrets } from "../../kubernetes/secrets.ts";
import type { Rule } from "../rule.ts";
import { containersOf, inManifest, type Manifests, named, ofKind, podsOf } from "./manifest.ts";

/** Secrets that something makes: External Secrets, cert-manager, or a person in development. */
function madeSecrets({ objects, model }: Manifests): Set<string> {
  const made = [
    ...ofKind(objects, "ExternalSecret").map(({ spec }) => spec.target.name),
    ...ofKind(objects, "Certificate").map(({ spec }) => spec.secretName),
    ...ofKind(objects, "Secret").map(({ metadata }) => metadata.name),
  ];
  const byHand = model.environment.secrets.store === "kubectl" ? mountedSecrets(model) : [];
  return new Set([...made, ...byHand]);
}

const missingVolumeSource: Rule<Manifests> = {
  code: "M001",
  severity: "error",
  title: "A volume of something that does not exist",
  reason:
    "A pod whose ConfigMap or Secret is missing stays in ContainerCreating, and a rollout waits for it until it times out.",
  hint: "Let the names agree; fixed names live in src/kubernetes/names.ts.",
  *check(manifests) {
    const secrets = madeSecrets(manifests);
    for (const { owner, spec } of podsOf(manifests.objects)) {
      for (const { name, configMap, secret } of spec.volumes ?? []) {
        const place = inManifest(manifests, owner, `volume ${name}`);
        if (configMap && !named(manifests.objects, "ConfigMap", configMap.name)) {
          yield { place, says: `ConfigMap ${configMap.name} does not exist` };
        }
        if (secret && !secrets.has(secret.secretName)) {
          yield { place, says: `Secret ${secret.secretName} is made by nobody` };
        }
      }
    }
  },
};

const missingVolume: Rule<Manifests> = {
  code: "M002",
  severity: "error",
  title: "A mount of a volume that the pod does not have",
  reason: "The API server refuses the pod, and a StatefulSet then has no pods and one event.",
  hint: "Declare the volume or remove the mount.",
  *check(manifests) {
    for (const pod of podsOf(manifests.objects)) {
      const volumes = new Set([...(pod.spec.volumes ?? []).map(({ name }) => name), ...pod.claims]);
      for (const container of containersOf(pod)) {
        for (const { name, mountPath } of container.volumeMounts ?? []) {
          if (!volumes.has(name)) {
            yield {
              place: inManifest(manifests, pod.owner, `container ${container.name}`),
              says: `mounts volume ${name} at ${mountPath}, which does not exist`,
            };
          }
        }
      }
    }
  },
};

const missingOwner: Rule<Manifests> = {
  code: "M003",
  severity: "error",
  title: "A reference to an object that does not exist",
  reason:
    "Pods without their ServiceAccount or PriorityClass are refused; issuers and stores that are missing make no Secret.",
  hint: "Let the names agree; fixed names live in src/kubernetes/names.ts.",
  *check(manifests) {
    const { objects } = manifests;
    for (const { owner, spec } of podsOf(objects)) {
      for (const [kind, name] of [
        ["ServiceAccount", spec.serviceAccountName],
        ["PriorityClass", spec.priorityClassName],
      ] as const) {
        if (name !== undefined && !named(objects, kind, name)) {
          yield { place: inManifest(manifests, owner), says: `${kind} ${name} does not exist` };
        }
      }
      if (
        owner.kind === "StatefulSet" &&
        named(objects, "Service", owner.spec.serviceName)?.spec.clusterIP !== "None"
      ) {
        yield {
          place: inManifest(manifests, owner, "serviceName"),
          says: `${owner.spec.serviceName} is no headless Service`,
        };
      }
    }
    for (const object of ofKind(objects, "Certificate", "ExternalSecret", "PushSecret")) {
      const { kind, name } = object.spec.issuerRef ?? object.spec.secretStoreRef ?? object.spec.secretStoreRefs[0];
      const { namespace } = object.metadata;
      // Issuers and stores are looked for in the namespace of who names them.
      const there = ofKind(objects, kind).some(
        ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
      );
      if (!there) {
        yield { place: inManifest(manifests, object), says: `${kind} ${name} does not exist in ${namespace}` };
      }
    }
  },
};

const oneName: Rule<Manifests> = {
  code: "M004",
  severity: "error",
  title: "Two objects under one name",
  reason: "The second apply overwrites the first, and which one wins depends on the order of files.",
  hint: "Name one of them otherwise.",
  *check(manifests) {
    const seen = new Set<string>();
    for (const object of manifests.objects) {
      const { kind, apiVersion, metadata } = object;
      const key = [apiVersion, kind, metadata.namespace, metadata.name].join("/");
      if (seen.has(key)) yield { place: inManifest(manifests, object), says: "is there twice" };
      seen.add(key);
    }
  },
};

export const referenceRules = [missingVolumeSource, missingVolume, missingOwner, oneName];
