import { describe, expect, test } from "vitest";
import { pruningOf } from "../../../src/deploy/prune.ts";
import { rightsFor } from "../../../src/deploy/rights.ts";
import { STAGES, stageOf, stagesOf } from "../../../src/deploy/stages.ts";
import { realModel } from "../../support/definitions.ts";
import { objectsOf } from "../../support/manifests.ts";
import { objectNamed, production } from "./objects.ts";

describe("stages", () => {
  test.each(["production", "staging", "local"] as const)("every object of %s has its stage, once", (environment) => {
    const objects = JSON.parse(JSON.stringify(objectsOf(realModel(environment))));
    expect(stagesOf(objects).flatMap((stage) => stage.objects)).toHaveLength(objects.length);
  });

  test("come in the order in which things need each other", () => {
    expect(STAGES).toEqual([
      "namespace and policy",
      "secrets and certificates",
      "configuration and services",
      "servers",
      "monitoring",
      "jobs",
    ]);
    const names = stagesOf(production).map(({ name, objects }) => [
      name,
      [...new Set(objects.map(({ kind }) => kind))],
    ]);
    expect(names).toEqual([
      [STAGES[0], ["Namespace", "PriorityClass", "ServiceAccount", "NetworkPolicy", "PodDisruptionBudget"]],
      [STAGES[1], ["SecretStore", "Issuer", "Certificate", "ExternalSecret", "PushSecret"]],
      [STAGES[2], ["ConfigMap", "Service"]],
      [STAGES[3], ["StatefulSet"]],
      [STAGES[4], ["ServiceMonitor", "PrometheusRule", "ConfigMap"]],
      [STAGES[5], ["CronJob"]],
    ]);
  });

  test("servers come as dist has them: NATS before Tile38, its leader before its followers", () => {
    expect(stagesOf(production)[3]?.objects.map(({ metadata }) => metadata.name)).toEqual([
      "nats",
      "tile38-leader",
      "tile38-follower",
    ]);
  });

  test("a kind that nobody has thought of stops the deploy before it begins", () => {
    expect(() => stageOf({ apiVersion: "v1", kind: "Deployment", metadata: { name: "x" } })).toThrow(
      "Deployment belongs to no stage of a deploy: name it in src/deploy/stages.ts",
    );
  });
});

test("pruning takes what holds nothing, and leaves what holds data or the door to it", () => {
  const kinds = [
    "ConfigMap",
    "Service",
    "StatefulSet",
    "PersistentVolumeClaim",
    "Secret",
    "Namespace",
    "ExternalSecret",
    "CronJob",
  ];
  const { prunable, kept } = pruningOf(kinds.map((kind) => ({ apiVersion: "v1", kind, metadata: { name: "x" } })));
  expect(prunable.map(({ kind }) => kind)).toEqual(["ConfigMap", "Service", "CronJob"]);
  expect(kept.map(({ kind }) => kind)).toEqual([
    "StatefulSet",
    "PersistentVolumeClaim",
    "Secret",
    "Namespace",
    "ExternalSecret",
  ]);
});

describe("rights", () => {
  const said = (prune: boolean) =>
    rightsFor(production, prune).map(({ verb, kind, subresource, namespace }) =>
      [verb, kind.kind, subresource, namespace].filter(Boolean).join(" "),
    );

  test("never include secrets, and deleting only what prune deletes", () => {
    expect(said(false).filter((right) => / Secret( |$)/.test(right))).toEqual([]);
    expect(said(false).filter((right) => right.startsWith("delete"))).toEqual([
      "delete StatefulSet circl-backbone",
      "delete Pod circl-backbone",
    ]);
    expect(said(true)).toContain("delete ConfigMap circl-backbone");
  });

  test("are asked for once each", () => {
    expect(said(true)).toHaveLength(new Set(said(true)).size);
    expect(said(false)).toEqual(
      expect.arrayContaining([
        "create Namespace",
        "list Namespace",
        "list StatefulSet circl-backbone",
        "patch ExternalSecret circl",
        "create Pod portforward circl-backbone",
      ]),
    );
  });

  test("of an environment without servers need no pods", () => {
    const rights = rightsFor([objectNamed("ConfigMap", "nats-config")], false);
    expect(rights.map(({ verb, kind }) => `${verb} ${kind.kind}`)).toEqual([
      "list Namespace",
      "get ConfigMap",
      "create ConfigMap",
      "patch ConfigMap",
    ]);
  });
});
