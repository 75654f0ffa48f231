/** A chart is one manifest file. Chart ids carry the order in which `kubectl apply -f` takes the files. */
import { Chart } from "cdk8s";
import type { Construct } from "constructs";
import { commonLabels } from "../kubernetes/labels.ts";
import type { Environment } from "../model/environment.ts";
import type { Model } from "../model/resolve.ts";
import { deliver } from "./delivery.ts";

/** Puts namespace and common labels on every object of the chart; names are always the ones written down. */
export class BackboneChart extends Chart {
  #json: ReturnType<Chart["toJson"]> | undefined;
  readonly #environment: Environment;

  constructor(scope: Construct, id: string, { environment }: Model, { clusterScoped = false } = {}) {
    super(scope, id, {
      ...(clusterScoped ? {} : { namespace: environment.kubernetes.namespace }),
      labels: commonLabels(environment),
      disableResourceNameHashes: true,
    });
    this.#environment = environment;
  }

  /** Rules read the objects and synth writes them: they are made once. */
  override toJson(): ReturnType<Chart["toJson"]> {
    this.#json ??= super.toJson().map((object) => deliver(object, this.node.id, this.#environment));
    return this.#json;
  }
}
