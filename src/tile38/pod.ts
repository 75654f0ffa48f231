/** The pod of a Tile38 server; leader and followers differ in their document, their disk and their place. */
import { createHash } from "node:crypto";
import { k8s } from "cdk8s-plus-28";
import { hardenedContainer, hardenedPod, imageReference, SECRET_MODE } from "../kubernetes/hardened.ts";
import { PORTS, TILE38 } from "../kubernetes/names.ts";
import { memory } from "../kubernetes/quantities.ts";
import type { Model } from "../model/resolve.ts";
import { MiB } from "../units.ts";
import { collectedAbove, processors } from "./memory.ts";
import { APPEND_ONLY_FILE, CONFIG_FILE, DOCUMENT_FILE, PATHS, PREPARE_FILE } from "./paths.ts";
import { prepareScript } from "./prepare-script.ts";
import { SERVER_ARGUMENTS } from "./server-config.ts";

interface ServerPod {
  readonly role: "leader" | "follower";
  readonly serviceAccount: string;
  /** Holds the configuration document. */
  readonly secret: string;
  readonly cpu: string;
  /** Bytes. */
  readonly memory: number;
  /** Bytes on the node's disk: log, and a follower's data. */
  readonly ephemeralStorage: number;
  /** Where the data lies, unless a claim template brings it. */
  readonly dataVolume?: k8s.Volume;
  readonly affinity: k8s.Affinity;
  readonly topologySpreadConstraints?: k8s.TopologySpreadConstraint[];
}

export const serverPod = ({ environment }: Model, server: ServerPod): k8s.PodSpec =>
  hardenedPod({
    serviceAccountName: server.serviceAccount,
    // preStop 5 s, then the server syncs its file and leaves; the rest is for a slow disk.
    terminationGracePeriodSeconds: 60,
    affinity: server.affinity,
    ...(server.topologySpreadConstraints ? { topologySpreadConstraints: server.topologySpreadConstraints } : {}),
    containers: [
      hardenedContainer({
        name: "tile38",
        image: imageReference(environment, "tile38"),
        command: ["sh", PREPARE_FILE, server.role, DOCUMENT_FILE, CONFIG_FILE, APPEND_ONLY_FILE, "tile38-server"],
        args: [...SERVER_ARGUMENTS],
        env: [
          { name: "GOMEMLIMIT", value: `${collectedAbove(server) / MiB}MiB` },
          { name: "GOMAXPROCS", value: String(processors(server)) },
        ],
        ports: [
          { name: "tile38", containerPort: PORTS.tile38 },
          { name: "metrics", containerPort: PORTS.tile38Metrics },
        ],
        ...probes,
        // The listener closes with SIGTERM; until then Services have forgotten this pod. The sleep action is newer than 1.28.
        lifecycle: { preStop: { exec: { command: ["sleep", "5"] } } },
        // Shows what prepare.sh refused in `kubectl describe`.
        terminationMessagePolicy: "FallbackToLogsOnError",
        resources: server,
        volumeMounts: [
          { name: "document", mountPath: PATHS.document, readOnly: true },
          { name: "scripts", mountPath: PATHS.scripts, readOnly: true },
          { name: "run", mountPath: PATHS.run },
          { name: TILE38.dataClaim, mountPath: PATHS.data },
        ],
      }),
    ],
    volumes: [
      { name: "document", secret: { secretName: server.secret, defaultMode: SECRET_MODE } },
      { name: "scripts", configMap: { name: TILE38.scriptsConfigMap } },
      { name: "run", emptyDir: { medium: "Memory", sizeLimit: memory(MiB) } },
      ...(server.dataVolume ? [server.dataVolume] : []),
    ],
  });

/**
 * /ping answers while the file is loading, /healthz only after it and, on a follower, only while it is level with the leader.
 * As liveness that would restart every follower with each restart of the leader.
 */
const probes: Pick<k8s.Container, "startupProbe" | "livenessProbe" | "readinessProbe"> = {
  startupProbe: { httpGet: get("/ping"), periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 30 },
  livenessProbe: { httpGet: get("/ping"), periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 6 },
  readinessProbe: { httpGet: get("/healthz"), periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
};

function get(path: string): k8s.HttpGetAction {
  return { path, port: k8s.IntOrString.fromString("tile38") };
}

/**
 * Restarts the servers for a new start script, and for nothing else. The document comes from the secret store and is unknown
 * here: whoever changes it restarts the servers, which copy it at every start.
 */
export const podAnnotations: Readonly<Record<string, string>> = {
  "circl.dev/start-script": createHash("sha256").update(prepareScript).digest("hex").slice(0, 16),
};
