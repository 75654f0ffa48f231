/** What a real control plane makes of dist: everything up to the node that would run the pods. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../src/proof/control-plane.ts";
import type { Manifest } from "../../src/rules/manifests/manifest.ts";
import { bootControlPlane, distOf, eventually, live, objectsInDist, PROGRAMS } from "../support/control-plane.ts";
import { objectOf } from "../support/manifests.ts";
import { type BarePod, podsOf, withContainers } from "../support/pods.ts";
import { without } from "../support/tools.ts";

/** How many pods the controllers make of each StatefulSet, and each disruption budget guards. */
const PODS = {
  production: { nats: 3, "tile38-leader": 1, "tile38-follower": 2 },
  staging: { nats: 3, "tile38-leader": 1, "tile38-follower": 1 },
  local: { nats: 1, "tile38-leader": 1, "tile38-follower": 1 },
} as const;

/** Objects without a spec have no generation: their whole content is compared by the tests that read it back. */
interface Versioned {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly generation?: number };
}
interface Budget {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly expectedPods: number };
}

describe.skipIf(without(...PROGRAMS)).each(["production", "staging", "local"] as const)("%s", (environment) => {
  let plane: ControlPlane;
  const manifests = ["--filename", distOf(environment)];
  const kubectl = (...args: readonly string[]) => plane.kubectl(args);
  const declared = (kind: string, name: string) => objectOf(objectsInDist(environment), kind, name);
  const stored = <T>() => live<T>(plane.kubectl, ...manifests);
  const generations = async () =>
    (await stored<Versioned>()).map(({ kind, metadata }) => `${kind}/${metadata.name}: ${metadata.generation ?? "-"}`);
  const dryRun = (pod: BarePod) =>
    plane.kubectl(["create", "--dry-run=server", "--filename=-", "--output=name"], JSON.stringify(pod));

  beforeAll(async () => {
    plane = await bootControlPlane();
    // Of the services, and not ours: docs/first-deploy.md says that it must be there.
    await kubectl("create", "namespace", "circl");
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test("is applied as docs/first-deploy.md says, object for object", async () => {
    const said = await kubectl("apply", ...manifests);
    expect(said.trim().split("\n")).toHaveLength(objectsInDist(environment).length);
    expect(said.match(/ created$/gm)).toHaveLength(objectsInDist(environment).length);
  });

  test("is read back without a field dropped or changed", async () => {
    expect(await stored()).toEqual(objectsInDist(environment).map(including));
  });

  test("would be refused with an unknown field, and seen to lose one that the server drops", async () => {
    const typo = { ...declared("StatefulSet", "nats"), spec: { minReadySecond: 30 } };
    await expect(plane.kubectl(["apply", "--filename=-"], JSON.stringify(typo))).rejects.toThrow(
      'unknown field "spec.minReadySecond"',
    );
    const priority = { ...declared("PriorityClass", "circl-backbone"), globalDefault: false };
    await plane.kubectl(["apply", "--filename=-"], JSON.stringify(priority));
    const [dropped] = await live(plane.kubectl, "priorityclass/circl-backbone");
    expect(dropped).not.toEqual(including(priority));
    await kubectl("apply", ...manifests);
  });

  test("gives pods that Pod Security admits, of every template", async () => {
    const pods = podsOf(objectsInDist(environment));
    expect(pods.map(({ metadata }) => metadata.name)).toEqual([
      "nats",
      "tile38-leader",
      "tile38-follower",
      "tile38-aof-shrink",
    ]);
    for (const pod of pods) expect(await dryRun(pod)).toBe(`pod/${pod.metadata.name}\n`);
  });

  test("lies in a namespace whose Pod Security refuses a privileged pod, and one that may run as root", async () => {
    for (const pod of podsOf(objectsInDist(environment))) {
      const privileged = { privileged: true, allowPrivilegeEscalation: true };
      await expect(dryRun(withContainers(pod, privileged))).rejects.toThrow(
        /violates PodSecurity "restricted:v1\.33": privileged/,
      );
      await expect(dryRun(withContainers(pod, { runAsNonRoot: false }))).rejects.toThrow(/runAsNonRoot != true/);
    }
  });

  test("is turned into pods by the controllers, which wait for nodes", async () => {
    const expected = Object.entries(PODS[environment]).flatMap(([name, count]) =>
      Array.from({ length: count }, (_, i) => `${name}-${i} Pending`),
    );
    // The hour's shrink may be due meanwhile: what a job makes is no pod of these.
    const ours = ["pods", "--selector=!job-name"] as const;
    const pods = async () =>
      (await live<{ metadata: { name: string }; status: { phase: string } }>(plane.kubectl, ...ours)).map(
        ({ metadata, status }) => `${metadata.name} ${status.phase}`,
      );
    expect(await eventually(pods, (names) => names.length >= expected.length)).toEqual(expected.toSorted());
  });

  test("has a job of its CronJob create its pod", async () => {
    await kubectl("create", "job", "shrink-now", "--from=cronjob/tile38-aof-shrink", "--namespace=circl-backbone");
    const pods = () => live<Manifest>(plane.kubectl, "pods", "--selector=job-name=shrink-now");
    expect(await eventually(pods, (found) => found.length > 0)).toHaveLength(1);
    await kubectl("delete", "job", "shrink-now", "--namespace=circl-backbone");
  });

  test("has disruption budgets that guard exactly these pods", async () => {
    const budgets = async () =>
      Object.fromEntries(
        (await live<Budget>(plane.kubectl, "poddisruptionbudgets")).map(({ metadata, status }) => [
          metadata.name,
          status?.expectedPods,
        ]),
      );
    const wanted = PODS[environment];
    const settled = await eventually(budgets, (found) => JSON.stringify(found) === JSON.stringify(sorted(wanted)));
    expect(settled).toEqual(wanted);
  });

  test("has its network policies", async () => {
    const policies = await live<Manifest>(plane.kubectl, "networkpolicies");
    expect(policies.map(({ metadata }) => metadata.name)).toEqual([
      "default-deny",
      "nats",
      "tile38-aof-shrink",
      "tile38-follower",
      "tile38-leader",
    ]);
  });

  test("is applied a second time without any generation moving", async () => {
    const before = await generations();
    expect(before.filter((line) => line.endsWith(": 1"))).not.toHaveLength(0);
    await kubectl("apply", ...manifests);
    expect(await generations()).toEqual(before);
  });

  test("is adopted by server-side apply with --force-conflicts once, and again without", async () => {
    const before = await generations();
    await expect(kubectl("apply", "--server-side", ...manifests)).rejects.toThrow(/--force-conflicts/);
    await kubectl("apply", "--server-side", "--force-conflicts", ...manifests);
    await kubectl("apply", "--server-side", ...manifests);
    expect(await generations()).toEqual(before);
  });

  test("shows a change of one field in a server-side diff, so that an empty one means something", async () => {
    await kubectl("diff", "--server-side", ...manifests);
    await kubectl(
      "patch",
      "statefulset/nats",
      "--namespace=circl-backbone",
      "--type=merge",
      '--patch={"spec":{"minReadySeconds":7}}',
    );
    await expect(kubectl("diff", "--server-side", "--force-conflicts", ...manifests)).rejects.toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^-.*minReadySeconds: 7\n\+.*minReadySeconds: 30$/m),
    });
  });

  test("is applied server-side to an empty cluster, twice, with nothing to say the second time", async () => {
    await kubectl("delete", ...manifests, "--wait", "--timeout=180s");
    const said = await kubectl("apply", "--server-side", ...manifests);
    expect(said.match(/ serverside-applied$/gm)).toHaveLength(objectsInDist(environment).length);
    expect(await stored()).toEqual(objectsInDist(environment).map(including));
    const before = await generations();
    await kubectl("apply", "--server-side", ...manifests);
    expect(await generations()).toEqual(before);
    expect(await kubectl("diff", "--server-side", ...manifests)).toBe("");
  });
});

/** Matches what has every field of `declared` with its value; the server adds defaults and status. */
function including(declared: unknown): unknown {
  if (Array.isArray(declared)) return declared.map(including);
  if (declared === null || typeof declared !== "object") return declared;
  return expect.objectContaining(
    Object.fromEntries(Object.entries(declared).map(([field, value]) => [field, including(value)])),
  );
}

const sorted = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
