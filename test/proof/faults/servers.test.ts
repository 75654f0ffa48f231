/** Production with servers that die, are stopped, lose their volume or cannot be reached: nothing that was acknowledged is lost. */
import { describe, test } from "vitest";
import { NATS } from "../../../src/kubernetes/names.ts";
import { realModel } from "../../support/definitions.ts";
import { cannotBoot } from "../../support/environment.ts";
import { type Site, useSite } from "./site.ts";
import { allCurrent, allReady, cutOff, kill, losePower, loseVolume, remove, serversOf } from "./strikes.ts";
import { type Fault, outlives } from "./traffic.ts";

const inTurn = (blow: (site: Site, pod: string) => Promise<void>) => (site: Site) =>
  serversOf(site).map((pod) => async () => {
    await blow(site, pod);
    await allReady(site, NATS.name);
    // A server is ready before it has caught up, and one that was cut off may never have been unready.
    await allCurrent(site);
  });

const FAULTS: readonly Fault[] = [
  { name: "each server killed in turn", blows: inTurn((site, pod) => kill(site, pod, NATS.name)) },
  { name: "each server stopped in turn", blows: inTurn(remove) },
  {
    name: "each server without its volume in turn",
    blows: inTurn((site, pod) => loseVolume(site, pod, NATS.dataClaim)),
  },
  { name: "each node cut off in turn, and back", blows: inTurn(cutOff) },
  { name: "two of three nodes without power, and back", blows: (site) => [() => losePower(site)] },
];

describe.skipIf(cannotBoot())("production", () => {
  const site = useSite(realModel("production"));

  test.each(FAULTS)("$name", (fault) => outlives(site(), fault));
});
