/** Rollouts of production under load: what changes the configuration, what changes the version, and what may hold one up. */
import { afterEach, describe, test } from "vitest";
import { tools } from "../../../tools/tool.js";
import { realModel } from "../../support/definitions.ts";
import { cannotBoot } from "../../support/environment.ts";
import { changedModel, type Site, useSite } from "./site.ts";
import { type Fault, outlives } from "./traffic.ts";

const production = realModel("production");
/** A setting that no reload takes, so that every server must start anew. */
const longerGoodbye = changedModel("production", { nats: { lameDuck: { grace: "10s", duration: "35s" } } });
const nextMinor = changedModel("production", {
  images: { nats: { tag: `${tools["nats-server-2.15"]?.version}-alpine` } },
});

const rollOut = (model: typeof production) => (site: Site) => async () => {
  await site.apply(model);
  await site.ready();
};

const FAULTS: readonly Fault[] = [
  { name: "a rolling update with a setting that needs a restart", blows: (site) => [rollOut(longerGoodbye)(site)] },
  {
    name: "a rolling update to the next minor of NATS, and back",
    blows: (site) => [rollOut(nextMinor)(site), rollOut(production)(site)],
  },
];

describe.skipIf(cannotBoot("nats-server-2.15"))("production", () => {
  const site = useSite(production);
  // A rollout that failed leaves two versions, or two configurations, and the next one is to begin with one.
  afterEach(() => rollOut(production)(site())());

  test.each(FAULTS)("$name", (fault) => outlives(site(), fault));
});
