/** The pod of a NATS server: server, config reloader, metrics exporter. */
import { k8s } from "cdk8s-plus-28";
import { goMemoryLimit } from "../kubernetes/go-runtime.ts";
import { hardenedContainer, hardenedPod, imageReference, SECRET_MODE } from "../kubernetes/hardened.ts";
import { selectorLabels } from "../kubernetes/labels.ts";
import { NATS, PORTS, serverNamePrefix } from "../kubernetes/names.ts";
import { memory } from "../kubernetes/quantities.ts";
import type { Model } from "../model/resolve.ts";
import { MiB, SECOND } from "../units.ts";
import { terminationGrace } from "./budget.ts";
import {
  CONFIG_FILE,
  ENCRYPTION_SCRIPT_FILE,
  KEY_FILE,
  PATHS,
  PID_FILE,
  STARTUP_PROBE_FILE,
  tlsFiles,
} from "./paths.ts";

export const SERVER = { name: "nats", component: "server" } as const;

const probe = (query: string): k8s.HttpGetAction => ({
  path: `/healthz?${query}`,
  port: k8s.IntOrString.fromString("monitor"),
});

export const natsPod = (model: Model): k8s.PodSpec =>
  hardenedPod({
    serviceAccountName: NATS.name,
    // The reloader signals the server by its process id.
    shareProcessNamespace: true,
    terminationGracePeriodSeconds: terminationGrace(model) / SECOND,
    topologySpreadConstraints: [spread(model)],
    affinity: oneANode,
    initContainers: [encryption(model)],
    containers: [server(model), reloader(model), exporter(model)],
    volumes: volumes(model),
  });

/** Hands the server the key its volume was written with, or keeps it from starting without. */
const encryption = ({ environment }: Model): k8s.Container =>
  hardenedContainer({
    name: "encryption",
    image: imageReference(environment, "nats"),
    command: ["sh", ENCRYPTION_SCRIPT_FILE],
    args: [environment.nats.encryption, PATHS.encryption, PATHS.data, KEY_FILE],
    resources: { cpu: "10m", memory: 32 * MiB, ephemeralStorage: 16 * MiB },
    volumeMounts: [
      { name: "config", mountPath: PATHS.config, readOnly: true },
      { name: NATS.dataClaim, mountPath: PATHS.data },
      ...(environment.nats.encryption === "none"
        ? []
        : [
            { name: "encryption", mountPath: PATHS.encryption, readOnly: true },
            { name: "key", mountPath: PATHS.key },
          ]),
    ],
  });

function server(model: Model): k8s.Container {
  const { environment } = model;
  return hardenedContainer({
    name: "nats",
    image: imageReference(environment, "nats"),
    command: ["nats-server"],
    args: ["--config", CONFIG_FILE],
    env: [
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "SERVER_NAME", value: `${serverNamePrefix(environment)}$(POD_NAME)` },
      { name: "GOMEMLIMIT", value: `${goMemoryLimit(environment.nats.memory)}MiB` },
    ],
    ports: [
      { name: "client", containerPort: PORTS.natsClient },
      { name: "route", containerPort: PORTS.natsRoute },
      { name: "monitor", containerPort: PORTS.natsMonitor },
    ],
    // 30 minutes: a server that lost its volume fetches every stream before it counts as started.
    startupProbe: {
      exec: { command: ["sh", STARTUP_PROBE_FILE] },
      periodSeconds: 10,
      timeoutSeconds: 10,
      failureThreshold: 180,
    },
    readinessProbe: {
      httpGet: probe("js-server-only=true"),
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    livenessProbe: {
      httpGet: probe("js-enabled-only=true"),
      periodSeconds: 30,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    // Returns at once; the SIGTERM that follows is ignored during lame duck.
    lifecycle: { preStop: { exec: { command: ["nats-server", `-sl=ldm=${PID_FILE}`] } } },
    resources: { cpu: environment.nats.cpu, memory: environment.nats.memory, ephemeralStorage: 512 * MiB },
    volumeMounts: [
      ...configMounts(model),
      ...keyMount(model),
      { name: "run", mountPath: PATHS.run },
      { name: NATS.dataClaim, mountPath: PATHS.data },
    ],
  });
}

function reloader(model: Model): k8s.Container {
  const tls = model.environment.nats.tls
    ? [PATHS.serverTls, ...(model.environment.nats.servers > 1 ? [PATHS.routeTls] : [])].flatMap((folder) =>
        Object.values(tlsFiles(folder)),
      )
    : [];
  const watched = [CONFIG_FILE, `${PATHS.auth}/auth.conf`, ...tls];
  return hardenedContainer({
    name: "reloader",
    image: imageReference(model.environment, "reloader"),
    args: ["-pid", PID_FILE, ...watched.flatMap((file) => ["-config", file])],
    resources: { cpu: "10m", memory: 64 * MiB, ephemeralStorage: 64 * MiB },
    volumeMounts: [
      ...configMounts(model),
      // It reads what nats.conf includes, and ends where a file of it is not there. What it could do with the key it can do
      // without: as the same user it sees the server's files through /proc.
      ...keyMount(model),
      { name: "run", mountPath: PATHS.run, readOnly: true },
    ],
  });
}

/** Flags and metric names belong together: with `-prefix=nats` every metric is `nats_*`; server names outlive restarts. */
const exporter = (model: Model): k8s.Container =>
  hardenedContainer({
    name: "exporter",
    image: imageReference(model.environment, "exporter"),
    args: [
      `-port=${PORTS.natsMetrics}`,
      "-prefix=nats",
      "-use_internal_server_name",
      "-varz",
      "-connz",
      "-routez",
      "-subz",
      "-accstatz",
      "-jsz=all",
      `http://127.0.0.1:${PORTS.natsMonitor}/`,
    ],
    ports: [{ name: "metrics", containerPort: PORTS.natsMetrics }],
    resources: { cpu: "50m", memory: 256 * MiB, ephemeralStorage: 64 * MiB },
  });

const configMounts = ({ environment: { nats } }: Model): k8s.VolumeMount[] => [
  { name: "config", mountPath: PATHS.config, readOnly: true },
  { name: "auth", mountPath: PATHS.auth, readOnly: true },
  ...(nats.tls ? [{ name: "server-tls", mountPath: PATHS.serverTls, readOnly: true }] : []),
  ...(nats.tls && nats.servers > 1 ? [{ name: "route-tls", mountPath: PATHS.routeTls, readOnly: true }] : []),
];

const keyMount = ({ environment: { nats } }: Model): k8s.VolumeMount[] =>
  nats.encryption === "none" ? [] : [{ name: "key", mountPath: PATHS.key, readOnly: true }];

const secret = (name: string, secretName: string): k8s.Volume => ({
  name,
  secret: { secretName, defaultMode: SECRET_MODE },
});

const volumes = ({ environment: { nats } }: Model): k8s.Volume[] => [
  { name: "config", configMap: { name: NATS.configMap } },
  secret("auth", NATS.authSecret),
  ...(nats.tls ? [secret("server-tls", NATS.serverCertificate)] : []),
  ...(nats.tls && nats.servers > 1 ? [secret("route-tls", NATS.routeCertificate)] : []),
  ...(nats.encryption === "none"
    ? []
    : [
        secret("encryption", NATS.encryptionSecret),
        { name: "key", emptyDir: { medium: "Memory", sizeLimit: memory(MiB) } },
      ]),
  { name: "run", emptyDir: { medium: "Memory", sizeLimit: memory(MiB) } },
];

const labelSelector = { matchLabels: selectorLabels(SERVER) };

/** Never two servers on a node: one lost node would take the quorum with it. */
const oneANode: k8s.Affinity = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector, topologyKey: "kubernetes.io/hostname" }],
  },
};

/** One server a zone, or as even as it goes. */
function spread({ environment: { kubernetes, nats } }: Model): k8s.TopologySpreadConstraint {
  const required = kubernetes.zoneSpread === "required";
  return {
    maxSkew: 1,
    topologyKey: "topology.kubernetes.io/zone",
    whenUnsatisfiable: required ? "DoNotSchedule" : "ScheduleAnyway",
    ...(required ? { minDomains: Math.min(kubernetes.zones, nats.servers) } : {}),
    labelSelector,
  };
}
