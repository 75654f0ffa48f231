/** A typed custom resource: what the CRD calls spec, under the name and labels that everything here carries. */
import { ApiObject } from "cdk8s";
import type { Construct } from "constructs";

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

interface Props<Spec> {
  readonly name: string;
  /** @default the chart's */
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly spec: Spec;
}

/** A constructor function for one kind: `(scope, id, {name, labels, spec}) => ApiObject`. */
export const customResource =
  <Spec extends object>({ apiVersion, kind }: Kind) =>
  (scope: Construct, id: string, { name, namespace, labels, spec }: Props<Spec>): ApiObject =>
    new ApiObject(scope, id, {
      apiVersion,
      kind,
      metadata: { name, ...(namespace ? { namespace } : {}), ...(labels ? { labels } : {}) },
      spec,
    });
