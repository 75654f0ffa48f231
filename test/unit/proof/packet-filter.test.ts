import { describe, expect, test } from "vitest";
import { hostsFile } from "../../../src/proof/agent/names.ts";
import type { EndpointSlice, NetworkPolicy, Pod, Service } from "../../../src/proof/agent/objects.ts";
import { type Cluster, packetFilter, selects } from "../../../src/proof/agent/packet-filter.ts";

const meta = (name: string, namespace: string, labels: Record<string, string> = {}) => ({
  name,
  namespace,
  labels,
  uid: name,
  resourceVersion: "1",
});
const pod = (name: string, namespace: string, podIP: string, labels: Record<string, string> = {}): Pod => ({
  metadata: meta(name, namespace, labels),
  spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 1, containers: [] },
  status: { phase: "Running", podIP },
});
const policy = (spec: NetworkPolicy["spec"]): NetworkPolicy => ({ metadata: meta("policy", "home"), spec });
const service = (name: string, clusterIP: string): Service => ({
  metadata: meta(name, "home"),
  spec: { clusterIP, ports: [{ name: "client", port: 4222, protocol: "TCP" }] },
});
const slice = (of: string, endpoints: EndpointSlice["endpoints"]): EndpointSlice => ({
  metadata: meta(`${of}-1`, "home", { "kubernetes.io/service-name": of }),
  addressType: "IPv4",
  endpoints,
  ports: [{ name: "client", port: 4300 }],
});
const endpoint = (address: string, ready: boolean, hostname?: string) => ({
  addresses: [address],
  conditions: { ready },
  ...(hostname ? { hostname } : {}),
});

const server = pod("server", "home", "10.0.0.2", { app: "server" });
const cluster: Cluster = {
  pods: [
    server,
    pod("friend", "guests", "10.0.0.3", { service: "bff" }),
    pod("stranger", "guests", "10.0.0.4"),
    pod("elsewhere", "others", "10.0.0.5", { service: "bff" }),
  ],
  namespaces: [
    { metadata: { ...meta("home", ""), labels: {} } },
    { metadata: { ...meta("guests", ""), labels: { client: "true" } } },
    { metadata: { ...meta("others", ""), labels: {} } },
  ],
  policies: [],
  services: [],
  slices: [],
};
const filterOf = (
  policies: readonly NetworkPolicy[],
  services: readonly Service[] = [],
  slices: readonly EndpointSlice[] = [],
) => packetFilter(server, { ...cluster, policies, services, slices }, "10.0.0.1");

describe("policies", () => {
  test("a pod that none selects is open; one that a policy selects takes only what is allowed, and the node's probes", () => {
    expect(filterOf([policy({ podSelector: { matchLabels: { app: "client" } } })])).toMatch(
      /input priority 0; policy accept;/,
    );
    const closed = filterOf([policy({ podSelector: {}, policyTypes: ["Ingress", "Egress"] })]);
    expect(closed).toMatch(/input priority 0; policy drop;/);
    expect(closed).toMatch(/filter hook output priority 0; policy drop;/);
    expect(closed).toContain("ip saddr 10.0.0.1 accept");
    expect(closed).not.toContain("10.0.0.3");
    // A connection that is no longer allowed is cut off too, wherever it began.
    expect(closed.match(/.*\bestablished\b.*/g)).toEqual(
      Array.from({ length: 2 }, () => "    ct state established,related ct direction reply accept"),
    );
  });

  test("a peer is a pod with the labels in a namespace with the labels, and nobody else", () => {
    const from = [
      { namespaceSelector: { matchLabels: { client: "true" } }, podSelector: { matchLabels: { service: "bff" } } },
    ];
    const filter = filterOf([
      policy({ podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from, ports: [{ port: 4222 }] }] }),
    ]);
    expect(filter).toContain("ip saddr { 10.0.0.3 } tcp dport 4222 accept");
    expect(filter).not.toMatch(/10\.0\.0\.[45]/);
    expect(filter).toMatch(/output priority 0; policy accept;/);
  });

  test("what is not known is refused, and not let through", () => {
    const ports = [{ port: "client" }];
    expect(() => filterOf([policy({ podSelector: {}, ingress: [{ ports }] })])).toThrow(/names of ports are not known/);
  });

  test("selectors mean what Kubernetes means", () => {
    const one = (operator: "In" | "NotIn" | "Exists" | "DoesNotExist", values?: string[]) => ({
      matchExpressions: [{ key: "a", operator, ...(values ? { values } : {}) }],
    });
    expect(selects({}, {})).toBe(true);
    expect(selects(one("In", ["x"]), { a: "x" })).toBe(true);
    expect(selects(one("In", ["x"]), {})).toBe(false);
    expect(selects(one("NotIn", ["x"]), {})).toBe(true);
    expect(selects(one("Exists"), {})).toBe(false);
    expect(selects(one("DoesNotExist"), { a: "" })).toBe(false);
  });
});

describe("services", () => {
  const services = [service("nats", "10.96.0.9"), service("nats-headless", "None")];
  const slices = [
    slice("nats", [endpoint("10.0.0.2", true), endpoint("10.0.0.6", false)]),
    slice("nats-headless", [endpoint("10.0.0.2", true, "nats-0")]),
  ];

  test("a ClusterIP leads to the pods that are ready, at the port they listen on", () => {
    expect(filterOf([], services, slices)).toContain(
      "ip daddr 10.96.0.9 tcp dport 4222 dnat ip to numgen random mod 1 map { 0 : 10.0.0.2 . 4300 }",
    );
  });

  test("a ClusterIP without a pod that is ready refuses connections", () => {
    expect(filterOf([], services, [slice("nats", null)])).toContain("ip daddr 10.96.0.9 tcp dport 4222 reject");
  });

  test("names are those of cluster DNS; short ones go by the namespace of who asks", () => {
    expect(hostsFile("home", "10.0.0.9 me", { services, slices })).toBe(
      [
        "127.0.0.1 localhost",
        "10.0.0.9 me",
        "10.0.0.2 nats-headless nats-headless.home nats-headless.home.svc nats-headless.home.svc.cluster.local " +
          "nats-0.nats-headless nats-0.nats-headless.home nats-0.nats-headless.home.svc nats-0.nats-headless.home.svc.cluster.local",
        "10.96.0.9 nats nats.home nats.home.svc nats.home.svc.cluster.local",
        "",
      ].join("\n"),
    );
    expect(hostsFile("guests", "", { services, slices })).not.toMatch(/ nats /);
  });
});
