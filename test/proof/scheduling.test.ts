/** Where the scheduler puts the servers of production, as nodes and zones come one after the other. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../src/proof/control-plane.ts";
import { bootControlPlane, distOf, eventually, live, PROGRAMS } from "../support/control-plane.ts";
import { type Claim, chosenNode, disk, list, type NodeInput, registerNodes, storageClass } from "../support/nodes.ts";
import { without } from "../support/tools.ts";

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly message?: string }[] };
}

const ZONES: Readonly<Record<string, string>> = {
  "node-a1": "zone-a",
  "node-a2": "zone-a",
  "node-b": "zone-b",
  "node-c": "zone-c",
};
const zoneOf = (node = ""): string => ZONES[node] ?? "";

describe.skipIf(without(...PROGRAMS))("production", () => {
  let plane: ControlPlane | undefined;
  const registered: AsyncDisposable[] = [];
  const kubectl = (args: readonly string[], input?: string): Promise<string> => {
    if (!plane) throw new Error("there is no control plane");
    return plane.kubectl(args, input);
  };
  const register = async (...names: readonly string[]) => {
    const nodes = names.map((name): NodeInput => ({ name, zone: zoneOf(name) }));
    registered.push(await registerNodes(kubectl, ...nodes));
  };
  const pods = (name: string) => live<Pod>(kubectl, "pods", `--selector=app.kubernetes.io/name=${name}`);
  const claims = () => live<Claim>(kubectl, "persistentvolumeclaims");
  /** Zones of the nodes that were chosen for the disks of NATS. */
  const diskZones = async () =>
    (await claims())
      .filter(({ metadata }) => metadata.name.startsWith("data-nats-"))
      .flatMap((claim) => chosenNode(claim) ?? [])
      .map(zoneOf)
      .sort();
  /** Nodes of the pods that have one. */
  const nodesOf = async (name: string) => (await pods(name)).flatMap(({ spec }) => spec.nodeName ?? []).sort();
  const makeDisks = async () => {
    const disks = (await claims()).flatMap((claim) => {
      const node = chosenNode(claim);
      return node ? [disk(claim, zoneOf(node))] : [];
    });
    await kubectl(["apply", "--server-side", "--filename=-"], list(disks));
  };

  beforeAll(async () => {
    plane = await bootControlPlane();
    await kubectl(["create", "--filename=-"], storageClass("premium-rwo"));
    // Of the services, which have their own.
    await kubectl(["create", "namespace", "circl"]);
    await kubectl(["apply", "--filename", distOf("production")]);
  });
  afterAll(async () => {
    try {
      for (const nodes of registered) await nodes[Symbol.asyncDispose]();
    } finally {
      await plane?.[Symbol.asyncDispose]();
    }
  });

  test("without nodes every pod waits, and says for what", async () => {
    const waiting = await eventually(
      () => pods("nats"),
      (found) => found.length === 3 && found.every((pod) => reason(pod) !== ""),
    );
    expect(waiting.map(reason)).toEqual(Array(3).fill("no nodes available to schedule pods"));
  });

  test("three nodes in two zones take two NATS servers: the third has no zone of its own", async () => {
    await register("node-a1", "node-a2", "node-b");
    await eventually(diskZones, (zones) => zones.length >= 2);
    // A server that waits for its disk keeps its last refusal, so the one without a chosen node is asked.
    const refusals = async () => {
      const placed = (await claims()).filter(chosenNode).map(({ metadata }) => metadata.name);
      return (await pods("nats")).filter(({ metadata }) => !placed.includes(`data-${metadata.name}`)).map(reason);
    };
    // Nodes are tainted until they are known to be ready, so the first refusals name other reasons.
    const final = /^0\/3 nodes are available: (?!.*taint).*node\(s\) didn't match pod topology spread constraints/;
    expect(await eventually(refusals, ([text = ""]) => final.test(text))).toHaveLength(1);
    expect(await diskZones()).toEqual(["zone-a", "zone-b"]);
  });

  test("a NATS server gets its node once its disk is there, and not before", async () => {
    const natsClaims = async () =>
      (await claims())
        .filter(({ metadata }) => metadata.name.startsWith("data-nats-"))
        .map(({ status }) => status.phase);
    expect(await natsClaims()).toEqual(["Pending", "Pending", "Pending"]);
    expect(await nodesOf("nats")).toEqual([]);
    await makeDisks();
    const nodes = await eventually(
      () => nodesOf("nats"),
      (found) => found.length >= 2,
    );
    expect(nodes.map(zoneOf)).toEqual(["zone-a", "zone-b"]);
    expect((await natsClaims()).sort()).toEqual(["Bound", "Bound", "Pending"]);
  });

  test("Tile38 takes these two zones as evenly as three servers can", async () => {
    await eventually(claims, (found) => found.some((claim) => isOfTile38(claim) && chosenNode(claim) !== undefined));
    await makeDisks();
    const nodes = await eventually(
      () => nodesOf("tile38"),
      (found) => found.length === 3,
    );
    const inZone = (zone: string) => nodes.filter((node) => zoneOf(node) === zone).length;
    expect([inZone("zone-a"), inZone("zone-b")].sort()).toEqual([1, 2]);
  });

  test("a third zone takes the third NATS server: one a zone, one a node", async () => {
    await register("node-c");
    expect(await eventually(diskZones, (zones) => zones.length === 3)).toEqual(["zone-a", "zone-b", "zone-c"]);
    await makeDisks();
    const nodes = await eventually(
      () => nodesOf("nats"),
      (found) => found.length === 3,
    );
    expect(new Set(nodes).size).toBe(3);
    expect(nodes.map(zoneOf)).toEqual(["zone-a", "zone-b", "zone-c"]);
  });
});

const reason = ({ status }: Pod): string =>
  status.conditions?.find(({ type }) => type === "PodScheduled")?.message?.trim() ?? "";

const isOfTile38 = ({ metadata }: Claim): boolean => metadata.name.startsWith("data-tile38-");
