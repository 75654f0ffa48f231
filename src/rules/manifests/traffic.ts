/** Who reaches whom: Services, monitors, budgets and policies select pods by labels, and ports by name. */

import { NATS } from "../../kubernetes/names.ts";
import { routeHosts } from "../../nats/server-config.ts";
import type { Rule } from "../rule.ts";
import { containersOf, inManifest, type Manifests, named, ofKind, type Pod, podsOf, selects } from "./manifest.ts";

const hasPort = (pods: readonly Pod[], port: number | string): boolean =>
  pods.some((pod) =>
    containersOf(pod).some(({ ports = [] }) =>
      ports.some(({ name, containerPort }) => port === name || port === containerPort),
    ),
  );

const emptyService: Rule<Manifests> = {
  code: "M010",
  severity: "error",
  title: "A Service that reaches nothing",
  reason:
    "Clients get connection refused or a time-out, and Kubernetes reports nothing: a Service without endpoints is valid.",
  hint: "Let selector and targetPort agree with the pod's labels and its named ports.",
  *check(manifests) {
    for (const service of ofKind(manifests.objects, "Service")) {
      const pods = podsOf(manifests.objects).filter(({ labels }) => selects(service.spec.selector, labels));
      if (pods.length === 0) yield { place: inManifest(manifests, service, "selector"), says: "selects no pod" };
      for (const { name, port, targetPort = port } of pods.length > 0 ? service.spec.ports : []) {
        if (!hasPort(pods, targetPort)) {
          yield {
            place: inManifest(manifests, service, `port ${name}`),
            says: `no selected container has port ${targetPort}`,
          };
        }
      }
    }
  },
};

const blindMonitor: Rule<Manifests> = {
  code: "M011",
  severity: "error",
  title: "A ServiceMonitor that scrapes nothing",
  reason: "Prometheus shows no target and no error, and every alert on its metrics stays silent for ever.",
  hint: "selector matches labels of the Service, and port is the name of the Service's port.",
  *check(manifests) {
    for (const monitor of ofKind(manifests.objects, "ServiceMonitor")) {
      const services = ofKind(manifests.objects, "Service").filter(({ metadata }) =>
        selects(monitor.spec.selector.matchLabels, metadata.labels ?? {}),
      );
      const names = services.flatMap(({ spec }) => spec.ports.map(({ name }: { name: string }) => name));
      if (services.length === 0)
        yield { place: inManifest(manifests, monitor, "selector"), says: "selects no Service" };
      for (const { port } of services.length > 0 ? monitor.spec.endpoints : []) {
        if (!names.includes(port)) {
          yield {
            place: inManifest(manifests, monitor, "endpoints"),
            says: `no selected Service has a port named ${port}`,
          };
        }
      }
    }
  },
};

const idleSelector: Rule<Manifests> = {
  code: "M012",
  severity: "error",
  title: "A budget or policy that covers no pod",
  reason:
    "A disruption budget that selects nothing lets a drain take all servers at once; a policy that selects nothing protects nothing.",
  hint: "Let the selector agree with the pod's labels.",
  *check(manifests) {
    const pods = podsOf(manifests.objects);
    for (const object of ofKind(manifests.objects, "PodDisruptionBudget", "NetworkPolicy")) {
      const { matchLabels } = object.spec.selector ?? object.spec.podSelector;
      if (matchLabels && !pods.some(({ labels }) => selects(matchLabels, labels))) {
        yield { place: inManifest(manifests, object), says: `selects no pod by ${JSON.stringify(matchLabels)}` };
      }
    }
  },
};

const blindProbe: Rule<Manifests> = {
  code: "M013",
  severity: "error",
  title: "A probe of a port that the container does not have",
  reason: "The probe fails for ever: the pod never gets ready, or is killed again and again.",
  hint: "Probe a port that the container declares.",
  *check(manifests) {
    for (const pod of podsOf(manifests.objects)) {
      for (const container of containersOf(pod)) {
        for (const kind of ["startupProbe", "readinessProbe", "livenessProbe"] as const) {
          const port = (container[kind]?.httpGet ?? container[kind]?.tcpSocket)?.port;
          const known = (container.ports ?? []).some(
            ({ name, containerPort }) => port === name || port === containerPort,
          );
          if (port !== undefined && !known) {
            yield {
              place: inManifest(manifests, pod.owner, `container ${container.name}`),
              says: `${kind} asks port ${port}`,
            };
          }
        }
      }
    }
  },
};

const uncoveredRoute: Rule<Manifests> = {
  code: "M014",
  severity: "error",
  title: "A route whose host the certificate does not name",
  reason:
    "Servers refuse each other's certificate and never form a cluster, which shows only as routes that retry (cozystack#2684).",
  hint: "Let the dnsNames of the route certificate cover every host in cluster.routes, and its usages both server and client auth.",
  *check(manifests) {
    const { nats } = manifests.model.environment;
    if (!nats.tls || nats.servers === 1) return;
    const certificate = named(manifests.objects, "Certificate", NATS.routeCertificate);
    if (!certificate) return;
    const { dnsNames = [], usages = [] } = certificate.spec;
    for (const host of routeHosts(manifests.model)) {
      // A wildcard stands for exactly one label (RFC 6125).
      const covered = dnsNames.some((name: string) => name === host || name === host.replace(/^[^.]+/, "*"));
      if (!covered) yield { place: inManifest(manifests, certificate, "dnsNames"), says: `does not name ${host}` };
    }
    for (const usage of ["server auth", "client auth"]) {
      if (!usages.includes(usage))
        yield { place: inManifest(manifests, certificate, "usages"), says: `lacks "${usage}"` };
    }
  },
};

export const trafficRules = [emptyService, blindMonitor, idleSelector, blindProbe, uncoveredRoute];
