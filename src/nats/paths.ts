/** Where things lie in the NATS pod. The include in nats.conf is relative, so config and auth stay neighbours. */
export const PATHS = {
  config: "/etc/nats-config",
  auth: "/etc/nats-auth",
  /** The key that this server runs with, chosen from those in `encryption`. */
  key: "/etc/nats-key",
  encryption: "/etc/nats-encryption",
  serverTls: "/etc/nats-tls/server",
  routeTls: "/etc/nats-tls/route",
  data: "/data",
  run: "/var/run/nats",
} as const;

export const PID_FILE = `${PATHS.run}/nats.pid`;
export const CONFIG_FILE = `${PATHS.config}/nats.conf`;
export const STARTUP_PROBE_FILE = `${PATHS.config}/startup-probe.sh`;
export const ENCRYPTION_SCRIPT_FILE = `${PATHS.config}/encryption.sh`;
export const KEY_FILE = `${PATHS.key}/key.conf`;

/** Keys of a kubernetes.io/tls Secret as cert-manager writes it. */
export const tlsFiles = (folder: string) => ({
  cert_file: `${folder}/tls.crt`,
  key_file: `${folder}/tls.key`,
  ca_file: `${folder}/ca.crt`,
});
