/** M: references between manifests that point nowhere. What our constructs always write is held by tests instead. */
import { referenceRules } from "./references.ts";
import { trafficRules } from "./traffic.ts";

export type { Manifests } from "./manifest.ts";
export const manifestRules = [...referenceRules, ...trafficRules];
