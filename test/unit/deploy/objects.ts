/** Objects as they lie in dist, and copies of them in which one thing is different. */
import type { KubeObject } from "../../../src/deploy/object.ts";
import { realModel } from "../../support/definitions.ts";
import { objectsOf } from "../../support/manifests.ts";

export const production: readonly KubeObject[] = JSON.parse(JSON.stringify(objectsOf(realModel("production"))));

/** @throws Error where there is none */
export function objectNamed(kind: string, name: string): KubeObject {
  const found = production.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

/** A copy in which `from` is `to` wherever it stands in the text. @throws Error where it stands nowhere */
export function replacing(object: KubeObject, from: string, to: string): KubeObject {
  const text = JSON.stringify(object);
  if (!text.includes(from)) throw new Error(`${from} is not in ${object.kind} ${object.metadata.name}`);
  return JSON.parse(text.replaceAll(from, to));
}

/** A copy with other fields in its spec. */
export const withSpec = (object: KubeObject, spec: object): KubeObject => ({
  ...object,
  spec: { ...object.spec, ...spec },
});
