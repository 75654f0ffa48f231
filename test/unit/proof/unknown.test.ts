import { describe, expect, test } from "vitest";
import type { Container, Pod, PodSpec } from "../../../src/proof/agent/objects.ts";
import { refuseUnknown } from "../../../src/proof/agent/unknown.ts";
import { objectsInDist } from "../../support/control-plane.ts";
import { podsOf } from "../../support/pods.ts";

const pod = (container: Partial<Container>, spec: Partial<PodSpec> = {}): Pod => ({
  metadata: { name: "p", namespace: "n", uid: "1" },
  spec: {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image: "nats", ...container }],
    ...spec,
  },
  status: { phase: "Pending" },
});

describe("the node agent", () => {
  test.each<[string, Partial<Container>, Partial<PodSpec>]>([
    ["a probe of main", { livenessProbe: { tcpSocket: { port: 1 } } }, {}],
    ["a probe of main", { readinessProbe: { httpGet: { port: 1, scheme: "HTTPS" } } }, {}],
    ["a hook of main", { lifecycle: { preStop: { httpGet: { port: 1 } } } }, {}],
    ["a hook of main", { lifecycle: { postStart: { exec: { command: ["true"] } } } }, {}],
    ["the working folder of main", { workingDir: "/srv" }, {}],
    ["a source of variables of main", { envFrom: [{ configMapRef: { name: "c" } }] }, {}],
    [
      "a source of variables of main",
      { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } }] },
      {},
    ],
    ["a part of a volume of main", { volumeMounts: [{ name: "v", mountPath: "/v", subPath: "x" }] }, {}],
    ["s as a sidecar", {}, { initContainers: [{ name: "s", image: "nats", restartPolicy: "Always" }] }],
    ["the volume token", {}, { volumes: [{ name: "token", projected: { sources: [] } }] }],
    ["the volume v", {}, { volumes: [{ name: "v", secret: { secretName: "s", optional: true } }] }],
    ["namespaces of the node", {}, { hostNetwork: true }],
  ])("refuses %s, which it does not do", (what, container, spec) => {
    expect(() => refuseUnknown(pod(container, spec))).toThrow(`the node agent does not know: ${what}`);
  });

  test("names everything at once", () => {
    const odd = pod({ workingDir: "/srv" }, { hostPID: true });
    expect(() => refuseUnknown(odd)).toThrow("namespaces of the node, the working folder of main");
  });

  test.each(["staging", "production"])("knows all that the pods of %s ask for", (environment) => {
    const pods = podsOf(objectsInDist(environment));
    expect(pods.length).toBeGreaterThan(3);
    for (const one of pods) expect(() => refuseUnknown(one as unknown as Pod)).not.toThrow();
  });
});
