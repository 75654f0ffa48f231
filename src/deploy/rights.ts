/** What whoever deploys must be allowed to do: asked before, and written down for whoever makes the Role. */
import type { Kind, Right } from "./cluster.ts";
import type { KubeObject } from "./object.ts";
import { pruningOf } from "./prune.ts";

export const NAMESPACE: Kind = { apiVersion: "v1", kind: "Namespace" };
const POD: Kind = { apiVersion: "v1", kind: "Pod" };
const CLAIM: Kind = { apiVersion: "v1", kind: "PersistentVolumeClaim" };
const CONFIG_MAP: Kind = { apiVersion: "v1", kind: "ConfigMap" };

/** Every right that a deploy of `declared` takes, once each. Reading secrets is none of them. */
export function rightsFor(declared: readonly KubeObject[], prune: boolean): Right[] {
  const rights = new Map<string, Right>();
  const need = (kind: Kind, namespace: string | undefined, verbs: readonly string[], subresource?: string) => {
    for (const verb of verbs) {
      const right = {
        verb,
        kind: { apiVersion: kind.apiVersion, kind: kind.kind },
        ...(namespace ? { namespace } : {}),
        ...(subresource ? { subresource } : {}),
      };
      rights.set(JSON.stringify(right), right);
    }
  };
  // Objects of ours are looked for in every namespace that carries our mark.
  need(NAMESPACE, undefined, ["list"]);
  for (const object of declared) {
    const { namespace } = object.metadata;
    // A server-side apply is a patch, and a create where there is nothing yet. Namespaces cannot be asked about one by one.
    need(object, namespace, ["get", "create", "patch"]);
    if (prune && pruningOf([object]).prunable.length > 0) need(object, namespace, ["list", "delete"]);
    if (object.kind !== "StatefulSet") continue;
    // Volumes grow with the StatefulSet taken away from around its pods.
    need(object, namespace, ["list", "delete"]);
    need(CLAIM, namespace, ["get", "patch"]);
    need(POD, namespace, ["get", "list", "delete"]);
    need(POD, namespace, ["create"], "portforward");
    need(CONFIG_MAP, namespace, ["get", "create", "patch"]);
    need({ apiVersion: "v1", kind: "Event" }, namespace, ["list"]);
  }
  return [...rights.values()];
}
