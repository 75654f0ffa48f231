/** Labels: what selects pods, and what every object carries. */
import type { Environment } from "../model/environment.ts";

export const PART_OF = "circl-backbone";

export type Component =
  | { readonly name: "nats"; readonly component: "server" }
  | { readonly name: "tile38"; readonly component: "leader" | "follower" | "shrink" };

/** Labels that select the pods of a component. Immutable on StatefulSets, so never more than these two. */
export const selectorLabels = ({ name, component }: Component): Record<string, string> => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/component": component,
});

/** Labels of every object. They are not on pods: a new one would restart the servers. */
export const commonLabels = (environment: Environment): Record<string, string> => ({
  "app.kubernetes.io/part-of": PART_OF,
  "app.kubernetes.io/managed-by": "circl",
  "circl.dev/environment": environment.name,
});

/** Labels of a pod: what selects it, and whose it is. */
export const podLabels = (component: Component): Record<string, string> => ({
  ...selectorLabels(component),
  "app.kubernetes.io/part-of": PART_OF,
});
