/** nats.conf of an environment, as data and as text. */
import { clusterName, NATS, PORTS, serviceHost } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import { LAST_LINE } from "./auth-accounts.ts";
import { fileStore, memoryStore } from "./budget.ts";
import { byteSize, type ConfigBlock, duration, renderConfig } from "./config-file.ts";
import { PATHS, PID_FILE, tlsFiles } from "./paths.ts";
import { reloadingOf } from "./reload.ts";

/** Hosts that servers reach each other by: stable per pod, and covered by the route certificate. */
export const routeHosts = ({ environment }: Model): string[] =>
  Array.from(
    { length: environment.nats.servers },
    (_, i) => `${NATS.name}-${i}.${serviceHost(NATS.headlessService, environment)}`,
  );

/**
 * Everything but accounts and users: those are secret-bearing and come by `include`. With an auth.conf that is empty or cut off the
 * server would let everybody in without credentials, with JetStream (seen on 2.14.9: a reload takes it without a word). So its
 * last line sets the variable that the system account is named by, and without it the file is refused.
 */
export function serverConfig(model: Model): ConfigBlock {
  const { nats } = model.environment;
  return {
    server_name: { variable: "SERVER_NAME" },
    port: PORTS.natsClient,
    http_port: PORTS.natsMonitor,
    pid_file: PID_FILE,
    max_connections: nats.maxConnections,
    max_payload: byteSize(nats.maxPayload),
    lame_duck_grace_period: duration(nats.lameDuck.grace),
    lame_duck_duration: duration(nats.lameDuck.duration),
    ...(nats.serverMetadata ? { server_metadata: nats.serverMetadata } : {}),
    ...(nats.featureFlags ? { feature_flags: nats.featureFlags } : {}),
    ...(nats.tls
      ? { tls: { ...tlsBlock(model, PATHS.serverTls), ...(nats.clients.certificates ? { verify: true } : {}) } }
      : {}),
    ...(nats.servers > 1 ? { cluster: clusterBlock(model) } : {}),
    jetstream: {
      store_dir: PATHS.data,
      // Cipher and key. Not reloadable, and never changed under a running server: encryption-script.ts says why.
      ...(nats.encryption === "none" ? {} : { encryption: { include: KEY_INCLUDE } }),
      // Unset, the server takes 75 % of the node's memory and of the free disk, whatever the container may have.
      max_memory_store: byteSize(memoryStore(model)),
      max_file_store: byteSize(fileStore(model)),
    },
    auth: { include: AUTH_INCLUDE },
    system_account: { variable: LAST_LINE },
  };
}

const tlsBlock = ({ environment: { nats } }: Model, folder: string): ConfigBlock => ({
  ...tlsFiles(folder),
  min_version: nats.tlsMinimum,
  timeout: 5,
});

function clusterBlock(model: Model): ConfigBlock {
  const { nats } = model.environment;
  return {
    name: clusterName(model.environment),
    port: PORTS.natsRoute,
    // Otherwise clients are told pod addresses, which no certificate names and no policy outside the cluster lets through.
    no_advertise: true,
    // Servers that wait for a lost peer ask DNS ever more rarely (2.12).
    connect_backoff: true,
    routes: routeHosts(model).map((host) => `${nats.tls ? "tls" : "nats"}://${host}:${PORTS.natsRoute}`),
    // Route TLS is always mutual: the same certificate serves and dials, so it needs both usages.
    ...(nats.tls ? { tls: tlsBlock(model, PATHS.routeTls) } : {}),
  };
}

/** Accounts, users and permissions: mounted from a Secret beside the configuration. */
const AUTH_INCLUDE = "../nats-auth/auth.conf";
const KEY_INCLUDE = "../nats-key/key.conf";

export const renderServerConfig = (model: Model): string =>
  `# Written by circl synth from environments/ and streams/: change those.\n${renderConfig(serverConfig(model))}`;

/** The part of the configuration that only a restart takes over, whichever way a figure moves. */
export function restartConfig(model: Model): ConfigBlock {
  const { cluster, ...top } = serverConfig(model);
  const kept = (block: ConfigBlock, prefix: string) =>
    Object.fromEntries(Object.entries(block).filter(([key]) => reloadingOf(prefix + key) !== "reload"));
  return { ...kept(top, ""), ...(cluster ? { cluster: kept(cluster as ConfigBlock, "cluster.") } : {}) };
}
