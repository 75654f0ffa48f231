/** The environment of a container: values, references to them, and what they are taken from. */

import type { Kept } from "./api.ts";
import { fieldOf } from "./fields.ts";
import type { ConfigMap, Container, Pod, Secret } from "./objects.ts";

export interface Sources {
  readonly configMaps: Kept<ConfigMap>;
  readonly secrets: Kept<Secret>;
}

/** @throws Error that names what is missing; the container then waits, as under a kubelet */
export function environmentOf(
  container: Container,
  pod: Pod,
  address: string,
  sources: Sources,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (!valueFrom) {
      result[name] = expand(value ?? "", result);
      continue;
    }
    const { fieldRef, secretKeyRef, configMapKeyRef } = valueFrom;
    const found = fieldRef
      ? fieldOf(pod, fieldRef.fieldPath, address)
      : secretKeyRef
        ? decoded(sources.secrets.find(pod.metadata.namespace, secretKeyRef.name)?.data?.[secretKeyRef.key])
        : configMapKeyRef
          ? sources.configMaps.find(pod.metadata.namespace, configMapKeyRef.name)?.data?.[configMapKeyRef.key]
          : undefined;
    if (found !== undefined) result[name] = found;
    else if (!(secretKeyRef ?? configMapKeyRef)?.optional) {
      throw new Error(
        `the variable ${name} of ${container.name} has no value: ${JSON.stringify(valueFrom)} is not there`,
      );
    }
  }
  return result;
}

/** `$(NAME)` of what came before; `$$(NAME)` stays as `$(NAME)`, and so does what is not known. */
export const expand = (text: string, known: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$(\$|\(([^()]+)\))/g, (whole, escaped: string, name: string) =>
    escaped === "$" ? "$" : (known[name] ?? whole),
  );

const decoded = (base64: string | undefined): string | undefined =>
  base64 === undefined ? undefined : Buffer.from(base64, "base64").toString();
