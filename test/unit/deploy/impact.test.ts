/** What each kind of change does: every consequence, and for what is blocked the way out. */
import { describe, expect, test } from "vitest";
import { compare, hasChanges, isBlocked, pairsOf } from "../../../src/deploy/comparison.ts";
import type { Facts } from "../../../src/deploy/impact.ts";
import type { KubeObject } from "../../../src/deploy/object.ts";
import { objectNamed, production, replacing, withSpec } from "./objects.ts";

const nats = objectNamed("StatefulSet", "nats");
const leader = objectNamed("StatefulSet", "tile38-leader");
const config = objectNamed("ConfigMap", "nats-config");

const changesOf = (before: KubeObject, after: KubeObject, facts: Facts = {}) =>
  compare(pairsOf([before], [after]), [], facts);
const saidOf = (before: KubeObject, after: KubeObject, facts: Facts = {}) =>
  changesOf(before, after, facts).flatMap(({ impacts }) =>
    impacts.map(({ consequence, says }) => `${consequence}: ${says}`),
  );

test("nothing that is the same counts as changed, whatever the server keeps beside it", () => {
  const live = { ...nats, metadata: { ...nats.metadata, uid: "1", generation: 4 }, status: { replicas: 3 } };
  const changes = compare(pairsOf([live], [nats]), []);
  expect([hasChanges(changes, false), isBlocked(changes)]).toEqual([false, false]);
});

test("what only the cluster has is a change only for who would delete it, and only where that is ever done", () => {
  const changesWith = (only: KubeObject) => compare(pairsOf([nats], [nats]), [only]);
  const [harmless, kept] = [changesWith(config), changesWith(objectNamed("ExternalSecret", "nats-auth"))];
  expect([hasChanges(harmless, false), hasChanges(harmless, true)]).toEqual([false, true]);
  expect([hasChanges(kept, false), hasChanges(kept, true)]).toEqual([false, false]);
});

describe("a StatefulSet", () => {
  test("whose template changes has its pods replaced from the last to the first", () => {
    expect(saidOf(nats, replacing(nats, '"cpu":"2"', '"cpu":"3"'))).toEqual([
      expect.stringMatching(/^restart: nats-2, then nats-1, then nats-0: each leaves its groups first/),
    ]);
    expect(saidOf(leader, replacing(leader, '"cpu":"1"', '"cpu":"2"'))).toEqual([
      "restart: tile38-leader-0: writes to Tile38 stop until it is back and has loaded its file; reads go on",
    ]);
  });

  test("with another image of the next line says that there is no way back by itself", () => {
    expect(saidOf(nats, replacing(nats, "2.14.9-alpine", "2.15.1-alpine"))).toEqual([
      expect.stringMatching(/^restart: 2\.14\.9-alpine -> 2\.15\.1-alpine: A failed deploy stops/),
      expect.stringMatching(/^restart: nats-2/),
    ]);
  });

  test.each([
    ["selector", { selector: { matchLabels: { a: "b" } } }],
    ["serviceName", { serviceName: "other" }],
    ["podManagementPolicy", { podManagementPolicy: "OrderedReady" }],
  ])("whose %s changes is blocked", (field, spec) => {
    expect(saidOf(nats, withSpec(nats, spec)).join()).toMatch(
      new RegExp(`^blocked: spec\\.${field}.* cannot be changed on a StatefulSet that exists`),
    );
  });

  test.each([
    ["minReadySeconds", { minReadySeconds: 7 }],
    ["revisionHistoryLimit", { revisionHistoryLimit: 3 }],
  ])("whose %s changes keeps its pods", (_, spec) => {
    expect(saidOf(nats, withSpec(nats, spec))).toEqual(["nothing: no pod is replaced"]);
  });

  test("whose volumes grow is guided through it, step by step", () => {
    const [change] = changesOf(nats, replacing(nats, '"storage":"50Gi"', '"storage":"60Gi"'));
    expect(change?.impacts).toEqual([
      {
        consequence: "guided",
        says: "claim data 50Gi -> 60Gi: volumes grow, and never back. A template cannot be changed, so the StatefulSet is made anew around its pods",
        hint: "circl deploy does it, in three steps: patch data-nats-0, data-nats-1, data-nats-2 to 60Gi; kubectl delete statefulset nats --cascade=orphan; apply. No pod ends for it; those that change with it are replaced one by one.",
      },
    ]);
  });

  test("whose volumes would shrink, or get another class, is blocked", () => {
    expect(saidOf(nats, replacing(nats, '"storage":"50Gi"', '"storage":"40Gi"'))).toEqual([
      "blocked: claim data 50Gi -> 40Gi: a volume cannot shrink",
    ]);
    expect(saidOf(nats, replacing(nats, "premium-rwo", "standard-rwo"))).toEqual([
      expect.stringMatching(
        /^blocked: spec\.volumeClaimTemplates\.data\.spec\.storageClassName: claim templates cannot be changed/,
      ),
    ]);
  });

  test("of NATS must not lose servers, and may get more; followers may go", () => {
    expect(saidOf(nats, withSpec(nats, { replicas: 1 }))).toEqual([
      "blocked: nats-1, nats-2 would end: the meta group still counts them, and streams lose a replica",
    ]);
    expect(saidOf(nats, withSpec(nats, { replicas: 5 }))).toEqual([
      "nothing: nats-3, nats-4 start; those that run go on",
    ]);
    const followers = objectNamed("StatefulSet", "tile38-follower");
    expect(saidOf(followers, withSpec(followers, { replicas: 1 }))).toEqual([
      "restart: tile38-follower-1 end for good",
    ]);
  });

  test("of NATS two lines away, or below what assets need, is blocked", () => {
    const old = replacing(nats, "2.14.9-alpine", "2.11.9-alpine");
    expect(saidOf(old, nats)[0]).toBe("blocked: 2.11.9-alpine -> 2.14.9-alpine: more than one minor line at once");
    const older = replacing(nats, "2.14.9-alpine", "2.12.4-alpine");
    expect(saidOf(nats, older, { assetLevel: 4 })[0]).toMatch(/^blocked: live streams or consumers need API level 4/);
  });

  test("under a new name is blocked: its pods and volumes stay with the old one", () => {
    const renamed = { ...nats, metadata: { ...nats.metadata, name: "nats-new" } };
    const changes = compare(pairsOf([], [renamed]), [nats]);
    expect(changes[0]?.impacts[0]?.says).toMatch(/^StatefulSet nats in circl-backbone has the same selector/);
    expect(isBlocked(changes)).toBe(true);
  });
});

describe("nats.conf", () => {
  const text = (from: string, to: string) => replacing(config, from, to);

  test("with keys that a reload takes over is reloaded", () => {
    expect(saidOf(config, text("max_payload: 8MiB", "max_payload: 4MiB"))).toEqual([
      "reload: the servers take over max_payload as they run",
    ]);
  });

  test("with a key that takes a restart is blocked while no server is restarted, and not while they are", () => {
    const changed = text('lame_duck_duration: \\"30s\\"', 'lame_duck_duration: \\"40s\\"');
    expect(saidOf(config, changed)).toEqual([
      "blocked: only a restart takes over lame_duck_duration, and no server is restarted: each would refuse the whole file and go on with the old one",
    ]);
    const rolled = replacing(nats, nats.spec.template.metadata.annotations["circl.dev/restart-config"], "other");
    const changes = compare(pairsOf([config, nats], [changed, rolled]), []);
    expect(changes[0]?.impacts).toEqual([
      { consequence: "restart", says: "only a restart takes over lame_duck_duration" },
    ]);
    expect(isBlocked(changes)).toBe(false);
  });

  test("with another cluster name is blocked, though the server would take it", () => {
    expect(saidOf(config, text("circl-production", "circl-other"))[0]).toMatch(
      /^blocked: cluster\.name is the servers' identity/,
    );
  });

  test("with a smaller file store is blocked, unless streams are known to reserve less", () => {
    const smaller = text("max_file_store: 40GiB", "max_file_store: 30GiB");
    expect(saidOf(config, smaller)[0]).toMatch(
      /^blocked: jetstream\.max_file_store 40GiB -> 30GiB: a store that shrinks, and how much/,
    );
    expect(saidOf(config, smaller, { reservedStore: 35 * 2 ** 30 })[0]).toContain(
      "streams reserve 35 GiB of each server",
    );
    expect(saidOf(config, smaller, { reservedStore: 20 * 2 ** 30 }).join()).not.toContain("a store that shrinks");
  });

  test("scripts beside it are read when they run next", () => {
    expect(saidOf(config, text("# Ready to take part", "# Ready"))).toEqual([
      "nothing: scripts are read when they run next",
    ]);
  });
});

describe("other kinds", () => {
  test.each([
    [
      "Service",
      "nats-headless",
      '"clusterIP":"None"',
      '"clusterIP":"10.96.0.9"',
      "blocked: spec.clusterIP cannot be changed",
    ],
    ["PriorityClass", "circl-backbone", '"value":1000000', '"value":5', "blocked: value cannot be changed"],
    [
      "ExternalSecret",
      "nats-auth",
      '"refreshInterval":"300s"',
      '"refreshInterval":"600s"',
      "reload: External Secrets renders auth.conf anew",
    ],
    ["Certificate", "nats-server-tls", "2160h", "2000h", "reload: cert-manager may issue"],
    ["NetworkPolicy", "nats", "4222", "4333", "nothing: the cluster's network takes it over at once"],
    ["PrometheusRule", "nats", "severity", "gravity", "nothing: no process notices"],
  ])("%s %s: %s -> %s", (kind, name, from, to, said) => {
    const before = objectNamed(kind, name);
    expect(saidOf(before, replacing(before, from, to)).join()).toContain(said);
  });

  test("what the API server refuses, and what belongs to somebody else, is blocked", () => {
    const refused = compare([{ declared: nats, after: nats, refusal: "namespaces not found" }], []);
    expect(refused[0]?.impacts[0]?.says).toBe("the API server refuses it: namespaces not found");
    expect(isBlocked(refused)).toBe(true);
    const owned = compare(
      [{ declared: nats, before: nats, after: nats, conflicts: [{ field: "spec.replicas", owner: "hpa" }] }],
      [],
    );
    expect([owned[0]?.action, isBlocked(owned)]).toEqual(["update", true]);
  });

  test("everything in dist is unchanged against itself", () => {
    expect(hasChanges(compare(pairsOf(production, production), []), false)).toBe(false);
  });
});
