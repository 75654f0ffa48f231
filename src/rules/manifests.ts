import type { ApiObject } from "cdk8s";
import type { Model } from "../model/resolve.ts";
import type { Rule } from "./rule.ts";

/** A Kubernetes object as it is written to dist. */
export type Manifest = ReturnType<ApiObject["toJson"]>;
export interface Manifests {
  readonly model: Model;
  readonly objects: readonly Manifest[];
}

export const manifestRules: readonly Rule<Manifests>[] = [];
