/** The environment of a container: values, references to what came before, to fields of its pod, and to Secrets. */
import type { Kept } from "../api.ts";
import type { Container, Pod, Secret } from "./objects.ts";

/** @throws Error that names what is missing; the container then waits, as under a kubelet */
export function environmentOf(container: Container, pod: Pod, secrets: Kept<Secret>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const { name, value = "", valueFrom } of container.env ?? []) {
    const { fieldRef, secretKeyRef } = valueFrom ?? {};
    const base64 =
      secretKeyRef && secrets.find(pod.metadata.namespace, secretKeyRef.name ?? "")?.data?.[secretKeyRef.key];
    const found = fieldRef ? fieldOf(pod, fieldRef.fieldPath) : base64 && Buffer.from(base64, "base64").toString();
    if (!valueFrom) result[name] = expand(value, result);
    else if (found !== undefined) result[name] = found;
    else if (!secretKeyRef?.optional) {
      const missing = JSON.stringify(valueFrom);
      throw new Error(`the variable ${name} of ${container.name} has no value: ${missing} is not there`);
    }
  }
  return result;
}

/** `metadata.name`, `status.podIP`: whatever is a text in the object. */
function fieldOf(pod: Pod, path: string): string | undefined {
  let found: unknown = pod;
  for (const key of path.split(".")) found = (found as Readonly<Record<string, unknown>> | undefined)?.[key];
  return typeof found === "string" ? found : undefined;
}

/** `$(NAME)` of what came before; `$$(NAME)` stays as `$(NAME)`, and so does what is not known. */
export const expand = (text: string, known: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$(\$|\(([^()]+)\))/g, (whole, escaped: string, name: string) =>
    escaped === "$" ? "$" : (known[name] ?? whole),
  );
