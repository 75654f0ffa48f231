/** The manifests of an environment as they are written to dist. */
import { buildApp } from "../../src/app.ts";
import type { Model } from "../../src/model/resolve.ts";
import type { Manifest } from "../../src/rules/manifests/manifest.ts";

/** Objects by chart id: `30-nats`. */
export const chartsOf = (model: Model): Record<string, Manifest[]> =>
  Object.fromEntries(buildApp(model, "unused").charts.map((chart) => [chart.node.id, chart.toJson()]));

export const objectsOf = (model: Model): Manifest[] => Object.values(chartsOf(model)).flat();

/** @throws if there is none */
export function objectOf(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
}
