/** What a deploy says before its first write, of servers that are all ready. */
import { describe, expect, test } from "vitest";
import { lookFirst } from "../../../src/cli/first-look.ts";
import { isBlocked } from "../../../src/deploy/comparison.ts";
import type { Plan } from "../../../src/jetstream/plan.ts";
import { ServerTooOld } from "../../../src/jetstream/server-age.ts";
import { root } from "../../cli/circl.ts";
import { modelWith } from "../../support/definitions.ts";
import {
  before,
  broken,
  edited,
  model,
  options,
  production,
  reloading,
  restarting,
  serversOf,
} from "../../support/deployed-production.ts";
import type { FakeCluster } from "../../support/fake-cluster.ts";
import { observedWith } from "../../support/observed.ts";

const lacks = ["stream circl_iot: circl-production-nats-1 is offline", "stream circl_oms: it has no leader"];
const said = lacks.join("; ");

/** Looks at servers that lack something in each of the first `times` looks. */
async function look(
  manifests: typeof before,
  {
    times = Number.POSITIVE_INFINITY,
    settling = 0,
    of = model,
    cluster = production(),
    planStreams = async () => ({}) as Plan,
  } = {},
) {
  let looks = 0;
  const servers = serversOf(cluster, {
    observe: async () => observedWith([]),
    problems: async () => (looks++ < times ? lacks : []),
  });
  const found = await lookFirst({
    ...{ model: of, cluster, servers, manifests, options, settling, commit: "c".repeat(40), root },
    planStreams,
  });
  return { obstacles: [], notes: [], ...found, looks, written: cluster.written };
}

/** Other volumes, and other pods with them. */
const resized = (size: string) =>
  edited((text) =>
    text
      .replaceAll('"storage":"50Gi"', `"storage":"${size}"`)
      .replaceAll(/nats:(\d+\.\d+)\.\d+-alpine/g, "nats:$1.99-alpine"),
  );

describe("NATS that lacks something though every pod is ready", () => {
  test("stands in the way of a deploy that replaces its pods, with the way out", async () => {
    expect(await look(broken)).toMatchObject({
      obstacles: [
        {
          says: `every pod of nats is ready, but NATS is not whole, and none is replaced until it is: ${said}`,
          hint: expect.stringContaining("run this again then. circl status production shows how far they are"),
        },
      ],
      written: [],
    });
  });

  test("is looked at again, as elections take seconds", async () => {
    expect(await look(broken, { times: 1, settling: 60_000 })).toMatchObject({ obstacles: [], notes: [], looks: 2 });
  });

  test.each([
    ["replaces none", reloading],
    ["grows volumes, which a full one is mended by", resized("60Gi")],
    ["is blocked anyhow", resized("10Gi")],
  ])("is no more than said before a deploy that %s", async (_, manifests) => {
    expect(await look(manifests)).toMatchObject({
      obstacles: [],
      notes: [`NATS is not whole, and a deploy ends well only once it is: ${said}`],
    });
  });

  test("is a newer version, and then their streams are planned once the new ones answer", async () => {
    const tooOld = async () => {
      throw new ServerTooOld("n runs nats-server 2.11.17");
    };
    const { obstacles, notes } = await look(resized("50Gi"), { times: 0, planStreams: tooOld });
    expect(obstacles).toEqual([]);
    expect(notes).toContain("streams are planned once the servers answer");
  });

  test("is not asked for of servers that are only to come", async () => {
    const of = modelWith({ environment: { nats: { servers: 5 } } });
    expect(await look(broken, { of })).toMatchObject({ obstacles: [], looks: 0 });
  });
});

test("volumes that may not grow stand in the way, before the nats.conf that counts on them is there", async () => {
  expect(await look(resized("60Gi"), { times: 0, cluster: production(false) })).toMatchObject({
    obstacles: ["nats-0", "nats-1", "nats-2", "tile38-leader-0"].map((pod) => ({
      says: `data-${pod} cannot grow: storage class premium-rwo does not allow it`,
      hint: "Set allowVolumeExpansion on the class, if its driver can.",
    })),
    written: [],
  });
});

describe("a nats.conf that no server was restarted for", () => {
  /** As a deploy leaves it that fails between the two. */
  const halfWay = (): FakeCluster => {
    const cluster = production();
    for (const object of restarting.objects.filter(({ metadata }) => metadata.name === "nats-config"))
      cluster.put(object);
    return cluster;
  };

  test("does not stand in the way of what was deployed before it", async () => {
    const found = await look(before, { times: 0, cluster: halfWay() });
    const impacts = "comparison" in found ? found.comparison.changes.flatMap(({ impacts }) => impacts) : [];
    expect(impacts).toEqual([
      {
        consequence: "reload",
        says: "only a restart takes over lame_duck_duration, and no server was restarted for what is there now: they run with this one still",
      },
    ]);
  });

  test("stands in the way of others that leave it to a restart nobody plans", async () => {
    const found = await look({ ...before, digest: "of others" }, { times: 0, cluster: halfWay() });
    expect("comparison" in found && isBlocked(found.comparison.changes)).toBe(true);
  });
});
