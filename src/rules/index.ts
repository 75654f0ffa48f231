/** All rules, and the two ways to run them. */
import type { Model } from "../model/resolve.ts";
import { changeRules } from "./changes.ts";
import { environmentRules } from "./environment/index.ts";
import { type Manifests, manifestRules } from "./manifests/index.ts";
import { order, type Problem, type Rule, runRules } from "./rule.ts";
import { shapeRules } from "./shape.ts";
import { streamRules } from "./streams/index.ts";

/** Every rule there is, by code. */
export const allRules: readonly Omit<Rule<never>, "check">[] = [
  ...Object.values(shapeRules).flatMap((room) => Object.values(room)),
  ...environmentRules,
  ...streamRules,
  ...manifestRules,
  ...changeRules,
].sort((a, b) => order(a.code, b.code));

/** What is wrong with an environment and its streams, before anything is built from them. */
export const checkModel = (model: Model): Problem[] => runRules([...environmentRules, ...streamRules], model);

/** What is wrong with the manifests that were built: references that point nowhere. */
export const checkManifests = (manifests: Manifests): Problem[] => runRules(manifestRules, manifests);
