/** Findings of the old system that must never come back: held for every pod and container of every environment. */
import { describe, expect, test } from "vitest";
import { containersOf, podsOf } from "../../src/rules/manifests/manifest.ts";
import { realModel } from "../support/definitions.ts";
import { chartsOf, objectOf, objectsOf } from "../support/manifests.ts";

describe.each(["staging", "production", "local"] as const)("%s", (name) => {
  const objects = objectsOf(realModel(name));
  const pods = podsOf(objects);

  test("the namespace admits nothing but restricted pods", () => {
    expect(objectOf(objects, "Namespace", "circl-backbone").metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/enforce-version": "v1.33",
      "pod-security.kubernetes.io/audit": "restricted",
      "pod-security.kubernetes.io/warn": "restricted",
    });
  });

  test.each(pods.map((pod) => [`${pod.owner.kind} ${pod.owner.metadata.name}`, pod] as const))(
    "%s is restricted in every container",
    (_, pod) => {
      expect(pod.spec).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 10001,
          runAsGroup: 10001,
          fsGroup: 10001,
          seccompProfile: { type: "RuntimeDefault" },
        },
      });
      for (const key of ["hostNetwork", "hostPID", "hostIPC"]) expect(pod.spec).not.toHaveProperty(key);
      for (const container of containersOf(pod)) {
        expect(container).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            privileged: false,
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            capabilities: { drop: ["ALL"] },
          },
          resources: {
            requests: { cpu: expect.anything(), memory: expect.anything() },
            limits: { memory: expect.anything() },
          },
        });
        expect(container).not.toHaveProperty("resources.limits.cpu");
        expect(JSON.stringify(container)).not.toMatch(/secretKeyRef|hostPort|"host":/);
      }
      for (const volume of pod.spec.volumes ?? []) {
        if (volume.secret) expect(volume.secret).toMatchObject({ defaultMode: 0o440 });
        expect(volume).not.toHaveProperty("hostPath");
      }
      expect(JSON.stringify(pod.spec)).not.toContain("subPath");
    },
  );

  test("images are pinned to exact versions", () => {
    for (const image of pods
      .flatMap((pod) => containersOf(pod))
      .map((container) => (container as { image?: string }).image)) {
      expect(image).toMatch(/^docker\.io\/[a-z0-9/-]+:\d+\.\d+\.\d+/);
    }
  });

  test("no object is half written", () => {
    expect(JSON.stringify(objects)).not.toMatch(/:null|undefined|NaN|\[object/);
  });

  test("ServiceAccounts hold no token", () => {
    for (const account of objects.filter(({ kind }) => kind === "ServiceAccount")) {
      expect(account).toMatchObject({ automountServiceAccountToken: false });
    }
  });

  test("files are applied in the order in which they are needed", () => {
    const order = Object.keys(chartsOf(realModel(name)));
    expect(order).toEqual([...order].sort());
    const kindsOf = (id: string) => (chartsOf(realModel(name))[id] ?? []).map(({ kind }) => kind);
    expect(kindsOf("00-namespace")).toEqual(["Namespace", "PriorityClass"]);
    expect(kindsOf("10-network").every((kind) => kind === "NetworkPolicy")).toBe(true);
  });
});

test("the same objects have the same place in all environments, so that environments can be compared", () => {
  const paths = (name: "staging" | "production") =>
    objectsOf(realModel(name)).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  expect(paths("staging")).toEqual(paths("production"));
});
