/** The cdk8s app of one environment. */
import { App } from "cdk8s";
import type { Model } from "./model/resolve.ts";

/** Builds every chart of `model`; `app.synth()` writes them to `outdir`. Pure: reads nothing but the model. */
export function buildApp(_model: Model, outdir: string): App {
  const app = new App({ outdir });
  return app;
}
