/** A chart is one manifest file. Chart ids carry the order in which `kubectl apply -f` takes the files. */
import { Chart } from "cdk8s";
import type { Construct } from "constructs";
import { commonLabels } from "../kubernetes/labels.ts";
import type { Model } from "../model/resolve.ts";

/** Puts namespace and common labels on every object of the chart; names are always the ones written down. */
export class BackboneChart extends Chart {
  #json: ReturnType<Chart["toJson"]> | undefined;

  constructor(scope: Construct, id: string, { environment }: Model, { clusterScoped = false } = {}) {
    super(scope, id, {
      ...(clusterScoped ? {} : { namespace: environment.kubernetes.namespace }),
      labels: commonLabels(environment),
      disableResourceNameHashes: true,
    });
  }

  /** Rules read the objects and synth writes them: they are made once. */
  override toJson(): ReturnType<Chart["toJson"]> {
    this.#json ??= super.toJson();
    return this.#json;
  }
}
