/** Rollouts under load: one that changes the configuration, one that changes the version, and back. */
import { afterEach, describe, expect, test } from "vitest";
import type { Model } from "../../../src/model/resolve.ts";
import { tools } from "../../../tools/tool.js";
import { realModel } from "../../support/definitions.ts";
import { cannotBoot } from "../../support/environment.ts";
import { changedModel, type Site, useSite } from "./site.ts";
import { allCurrent, serversOf, uidsOf, varzOf } from "./strikes.ts";
import { type Fault, outlives } from "./traffic.ts";

const bring = async (site: Site, model: Model): Promise<void> => {
  await site.apply(model);
  await site.ready();
};

/** Brings servers to a model that takes other pods, and expects that all of them are other ones, in the version that it names. */
const rollOut = (site: Site, model: Model) => async () => {
  const servers = serversOf(site);
  const before = uidsOf(site, servers);
  await bring(site, model);
  const versions = await Promise.all(servers.map(async (pod) => (await varzOf<Varz>(site, pod)).version));
  expect({ kept: uidsOf(site, servers).filter((uid) => before.includes(uid)), versions }).toEqual({
    kept: [],
    versions: servers.map(() => model.environment.images.nats.tag.replace("-alpine", "")),
  });
  await allCurrent(site);
};

interface Varz {
  readonly version: string;
}

describe.skipIf(cannotBoot("nats-server-2.15")).each(["production", "staging"] as const)("%s", (name) => {
  const model = realModel(name);
  /** A setting that no reload takes, so that every server must start anew. */
  const longerGoodbye = changedModel(name, { nats: { lameDuck: { grace: "10s", duration: "35s" } } });
  const nextMinor = changedModel(name, {
    images: { nats: { tag: `${tools["nats-server-2.15"]?.version}-alpine` } },
  });
  const faults: readonly Fault[] = [
    { name: "a rolling update with a setting that needs a restart", blows: (site) => [rollOut(site, longerGoodbye)] },
    {
      name: "a rolling update to the next minor of NATS, and back",
      blows: (site) => [rollOut(site, nextMinor), rollOut(site, model)],
    },
  ];
  const site = useSite(model);
  // A rollout that failed leaves two versions, or two configurations, and the next one is to begin with one.
  afterEach(() => bring(site(), model));

  test.each(faults)("$name", (fault) => outlives(site(), fault));
});
